/** lvsd's own signs for terminals and readers that know ASCII alone. */
import { widthOf } from '../../util/text-width.js'

type Env = Readonly<Record<string, string | undefined>>

/** Whether the locale of somebody who reads the output has UTF-8; setlocale(3) says in which order, empty is unset. */
export function hasUtf8({ LC_ALL, LC_CTYPE, LANG }: Env): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || 'C')
}

const SIGNS: readonly (readonly [sign: RegExp, ascii: string])[] = [
  [/…/g, '...'],
  [/→/g, '->'],
  [/ · /g, ' - '],
  [/·/g, '.'],
  [/’/g, "'"],
]

/**
 * The text with lvsd's own signs in ASCII. Of a line that fills its `width` columns the last three are the dots. Names and
 * what servers say are left as they are.
 */
export function asAscii(text: string, width: number): string {
  return text
    .split('\n')
    .map(line => signsOf(widthOf(line) > width - 2 ? shorter(line) : line))
    .join('\n')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const SEQUENCE = /(\u001b\[[\d;]*m)/

/** Without the two characters before an ellipsis at the end, for which three dots need the room. */
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
