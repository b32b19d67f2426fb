/** Replaces lvsd's own non-ASCII characters for terminals and readers without UTF-8. */
import { widthOf } from '../../util/text-width.js'

type Env = Readonly<Record<string, string | undefined>>

/** True if the locale has UTF-8. The order of the variables is that of setlocale(3); an empty one counts as unset. */
export function hasUtf8({ LC_ALL, LC_CTYPE, LANG }: Env): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || 'C')
}

const SIGNS: readonly (readonly [sign: RegExp, ascii: string])[] = [
  [/…/g, '...'],
  [/→/g, '->'],
  [/ · /g, ' - '],
  [/·/g, '.'],
  [/’/g, "'"],
  ...['_', '.', ':', '-', '=', '+', '*', '#'].map(
    (ascii, i) => [new RegExp('▁▂▃▄▅▆▇█'[i] as string, 'g'), ascii] as const,
  ),
]

/**
 * Returns the text with lvsd's own characters in ASCII. In a line that fills the `width` columns and ends in an
 * ellipsis, three dots replace the last three columns. Names and texts from servers stay unchanged.
 */
export function asAscii(text: string, width: number): string {
  return text
    .split('\n')
    .map(line => signsOf(widthOf(line) > width - 2 ? shorter(line) : line))
    .join('\n')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const SEQUENCE = /(\u001b\[[\d;]*m)/

/** Removes the two characters before an ellipsis at the end of the line, to make room for three dots. */
function shorter(line: string): string {
  const pieces = line.split(SEQUENCE)
  const last = pieces.findLastIndex((piece, i) => i % 2 === 0 && piece !== '')
  if (!pieces[last]?.endsWith('…')) return line
  let left = 3
  for (let i = last; i >= 0 && left > 0; i -= 2) {
    const characters = [...(pieces[i] ?? '')]
    const kept = characters.slice(0, Math.max(0, characters.length - left))
    left -= characters.length - kept.length
    pieces[i] = kept.join('')
  }
  pieces[last] += '…'
  return pieces.join('')
}

function signsOf(line: string): string {
  return SIGNS.reduce((changed, [sign, ascii]) => changed.replace(sign, ascii), line)
}
