/**
 * Looking for text in the bytes of an answer.
 *
 * Plain text is searched as its UTF-8 bytes, whatever the answer is made of. A regular expression needs characters: the
 * answer is read as UTF-8 where it is valid UTF-8 and as Latin-1 otherwise, so that no byte is ever lost and patterns
 * beyond ASCII work on every page written in this century.
 */
import { isUtf8 } from 'node:buffer'
import { type Answer, down } from '../check.js'
import { compileRegexp } from './guarded-regexp.js'
import type { Match } from './probe.js'

/** Whether it occurs in the bytes; null where a regular expression takes too long to tell. */
export type Matcher = (bytes: Buffer) => boolean | null

export function compileMatch(match: Match): Matcher {
  if (match.kind === 'text') {
    const wanted = Buffer.from(match.text, 'utf8')
    return bytes => bytes.includes(wanted)
  }
  const search = compileRegexp(match.source, match.flags)
  return bytes => search(textOf(bytes))
}

function textOf(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')
}

/** `"pong"` or `/pong/i`, for people. */
export function showMatch(match: Match): string {
  return match.kind === 'text' ? JSON.stringify(match.text) : `/${match.source}/${match.flags}`
}

/** The answer where a matcher gives none. */
export function tooSlow(wanted: string): Answer {
  return down('error', `${wanted} takes too long to look for in this answer: write it with fewer * and +`)
}

/** What came, for people: the first characters, nothing that moves a terminal's cursor. */
export function showBytes(bytes: Buffer): string {
  const shown = bytes.subarray(0, 60).toString('latin1')
  return JSON.stringify(shown.replace(/[^\x20-\x7e\r\n\t]/g, '.')) + (bytes.length > 60 ? '…' : '')
}
