/** Sanitizes foreign text for a terminal. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** Returns one line without characters that move the cursor, change colours or change the text direction. */
export function printable(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map(line => line.trim())
    .join(' ')
    .replaceAll(CONTROL, '·')
    .trim()
}

/** Returns the same lines with their indentation, without such characters. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map(line => line.replaceAll(CONTROL, '·'))
    .join('\n')
}
