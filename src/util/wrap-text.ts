/** Text in lines of a given width. The one file that imports wrap-ansi, which only help texts load. */
import wrapAnsi from 'wrap-ansi'

/** Breaks a text at blanks into lines of at most `width` columns; its own line breaks stay. A longer word stays whole. */
export function wrap(text: string, width: number): string {
  return wrapAnsi(text, width)
}
