/** Sanitizes text from servers and commands for logs, terminals, mails and files. */

/** Maximum length of the result in UTF-16 code units. */
const LONGEST = 512
/** Characters that a terminal does not print: they move the cursor, change colours or text direction, or are invisible. */
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** The last text that was harmless: most results of checks have the text of another one. */
let known = ''

/** Returns one line of at most 512 code units without control characters. */
export function harmless(text: string): string {
  if (text === known) return text
  if (text.length <= LONGEST && isHarmless(text)) {
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

/** No expression: V8 compiles one at its first and at its second use, and the second may be the first failure of a server. */
function isHarmless(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
