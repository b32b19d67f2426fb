/** Text in columns, by the width that a terminal gives each character. */
import { widthOf } from '../../util/text-width.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const SEQUENCE_OR_CHARACTER = /(\u001b\[[\d;]*m|.)/su

/** Spaces after the text (before it, `right`) up to `width` columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)))
  return side === 'left' ? text + spaces : spaces + text
}

/** At most `width` columns, an ellipsis where something is left out; colours end where the text does. */
export function clip(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let left = width - 1
  for (const piece of text.split(SEQUENCE_OR_CHARACTER)) {
    if (piece.startsWith('\u001b')) kept += piece
    else if (left >= 0) {
      left -= widthOf(piece)
      if (left >= 0) kept += piece
      else kept += width < 1 ? '' : '…'
    }
  }
  return kept
}

/** Rows with their cells one under the other; `right` names the columns of numbers. The last column is left as it is. */
export function columns(
  rows: readonly (readonly string[])[],
  { indent = 0, gap = 2, right = [] as readonly number[] } = {},
): string {
  const widths = widthsOf(rows)
  return rows
    .map(row => {
      const cells = row.map((cell, i) => pad(cell, widths[i] ?? 0, right.includes(i) ? 'right' : 'left'))
      return (' '.repeat(indent) + cells.join(' '.repeat(gap))).trimEnd()
    })
    .join('\n')
}

/** The widest cell of each column. */
export function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))
  return widths
}
