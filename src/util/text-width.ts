/** Columns that a terminal needs for a text, by Unicode's tables. The one file that imports string-width. */
import stringWidth from 'string-width'

/** Wide East Asian characters and emoji need two; combining marks, control characters and colour sequences none. */
export function widthOf(text: string): number {
  return stringWidth(text)
}
