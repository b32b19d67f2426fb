/** Text from outside, made harmless for a terminal. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** One line in which no character moves the cursor, changes colours or turns the direction: a server chose the text. */
export function printable(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map(line => line.trim())
    .join(' ')
    .replaceAll(CONTROL, '·')
    .trim()
}
