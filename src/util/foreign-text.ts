/** Sanitizes text from servers and commands for logs, terminals, mails and files. */

/** Maximum length of the result in UTF-16 code units. */
const LONGEST = 512
/** Characters that a terminal does not print: they move the cursor, change colours or text direction, or are invisible. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
const HARMLESS = /^[\x20-\x7e]*$/

/** The last text that was harmless: most results of checks have the text of another one. */
let known = ''

/** Returns one line of at most 512 code units without control characters. */
export function harmless(text: string): string {
  if (text === known) return text
  if (text.length <= LONGEST && HARMLESS.test(text)) {
    known = text
    return text
  }
  // Only the beginning is processed, so the cost does not depend on the length of the text.
  const begun = text.slice(0, 2 * LONGEST)
  const line = begun
    .split(/[\r\n]+/)
    .map(part => part.trim())
    .join(' ')
    .replaceAll(CONTROL, '·')
    .trim()
  const isWhole = begun.length === text.length && line.length <= LONGEST
  // Does not split a surrogate pair.
  return isWhole ? line : `${line.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
