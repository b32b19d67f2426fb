/** Computes the number of terminal columns of a text, by Unicode's tables. The only file that imports string-width. */
import stringWidth from 'string-width'

/** Wide East Asian characters and emoji count 2; combining marks, control characters and colour sequences count 0. */
export function widthOf(text: string): number {
  return stringWidth(text)
}
