/**
 * Looking for text in the bytes of an answer.
 *
 * Plain text is searched as its UTF-8 bytes, whatever the answer is made of. A regular expression needs characters: the
 * answer is read as UTF-8 where it is valid UTF-8 and as Latin-1 otherwise, so that no byte is ever lost and patterns
 * beyond ASCII work on every page written in this century.
 */
import { isUtf8 } from 'node:buffer'
import type { Match } from './probe.js'

export type Matcher = (bytes: Buffer) => boolean

/**
 * How much of an answer a regular expression is shown. A pattern such as `(a+)+$` can take time that doubles with each
 * character and nothing can interrupt it; a quadratic one (`.*x`) is kept to milliseconds by this bound.
 */
export const REGEXP_LIMIT = 64 * 1024

export function compileMatch(match: Match): Matcher {
  if (match.kind === 'text') {
    const wanted = Buffer.from(match.text, 'utf8')
    return bytes => bytes.includes(wanted)
  }
  // `g` and `y` would make the answer depend on the one before.
  const pattern = new RegExp(match.source, match.flags.replace(/[gy]/g, ''))
  return bytes => pattern.test(textOf(bytes.length > REGEXP_LIMIT ? bytes.subarray(0, REGEXP_LIMIT) : bytes))
}

function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')
}

/** `"pong"` or `/pong/i`, for people. */
export function showMatch(match: Match): string {
  return match.kind === 'text' ? JSON.stringify(match.text) : `/${match.source}/${match.flags}`
}

/** What came, for people: the first characters, nothing that moves a terminal's cursor. */
export function showBytes(bytes: Buffer): string {
  const shown = bytes.subarray(0, 60).toString('latin1')
  return JSON.stringify(shown.replace(/[^\x20-\x7e\r\n\t]/g, '.')) + (bytes.length > 60 ? '…' : '')
}
