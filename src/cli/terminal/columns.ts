/** Formats text in columns, by the width of each character on a terminal. */
import { widthOf } from '../../util/text-width.js'

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const SEQUENCE_OR_CHARACTER = /(\u001b\[[\d;]*m|.)/su

/** Adds spaces after the text (`right`: before it) up to `width` columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const spaces = ' '.repeat(Math.max(0, width - widthOf(text)))
  return side === 'left' ? text + spaces : spaces + text
}

/** Cuts the text to `width` columns, with an ellipsis. Colour sequences stay, so that colours end with the text. */
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

/** Aligns the cells of the rows. `right` lists the right-aligned columns. The last column is not padded. */
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

/** Returns the width of the widest cell of each column. */
export function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell))
  return widths
}
