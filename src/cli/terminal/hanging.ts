/** Text that goes on below its beginning. Pure. */
import { wrap } from '../../util/wrap-text.js'

/** Columns below which a text is not broken into lines: each would have a word or two. */
const MIN_ROOM = 30

/** Breaks a text into lines of at most `width` columns. The first one begins with `mark`, the others with as many blanks. */
export function hanging(mark: string, text: string, width: number): string[] {
  const room = width - mark.length
  if (!Number.isFinite(room) || room < MIN_ROOM) return [mark + text]
  const [first = '', ...others] = wrap(text, room).split('\n')
  return [mark + first, ...others.map(line => ' '.repeat(mark.length) + line)]
}
