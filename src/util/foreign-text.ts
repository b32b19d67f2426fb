/** Text that servers and commands chose, made harmless for logs, terminals, mails and files. */

/** Characters that are kept; UTF-16 code units. */
const LONGEST = 512
/** What no terminal takes for a character: it moves the cursor, changes colours, turns the direction or is invisible. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const HARMLESS = /^[\x20-\x7e]*$/

/** One line of at most 512 characters, none of them a control character. */
export function harmless(text: string): string {
  if (text.length <= LONGEST && HARMLESS.test(text)) return text
  // What is cut off is not looked at, however long it is.
  const begun = text.slice(0, 2 * LONGEST)
  const line = begun
    .split(/[\r\n]+/)
    .map(part => part.trim())
    .join(' ')
    .replaceAll(CONTROL, '·')
    .trim()
  const isWhole = begun.length === text.length && line.length <= LONGEST
  // A character beyond the BMP is not cut in half.
  return isWhole ? line : `${line.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
