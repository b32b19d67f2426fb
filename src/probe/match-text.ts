/**
 * Searches text in the bytes of an answer.
 *
 * Plain text is searched as UTF-8 bytes, whatever the encoding of the answer. A regular expression needs characters: an
 * answer that is valid UTF-8 is decoded as UTF-8, any other as Latin-1. No byte is lost, and non-ASCII expressions work
 * with both encodings.
 */
import { type Answer, down } from '../check/check.js'
import type { Match } from '../check/probe-spec.js'
import { type Searched, searchRegExp, searchText } from '../search/search.js'

/** Compiles the part that all runs share. Compiled expressions are cached. */
export function compileMatch(match: Match): Searched {
  return match.kind === 'text' ? searchText(match.text) : searchRegExp(match.source, match.flags)
}

/** Formats a match for people: `"pong"` or `/pong/i`. */
export function showMatch(match: Match): string {
  return match.kind === 'text' ? JSON.stringify(match.text) : `/${match.source}/${match.flags}`
}

/** Returns the answer for a search that has used up its budget. */
export function tooSlow(wanted: string): Answer {
  return down(
    'error',
    `${wanted} is too expensive to match against this answer: write it without look-around and backreferences, and with fewer repetitions`,
  )
}

const SHOWN = 60

/** Formats received bytes for people: the first 60, without characters that control a terminal. */
export function showBytes(bytes: Buffer): string {
  return showLatin1(bytes.toString('latin1', 0, SHOWN + 1))
}

/** Of a longer text, one character more than is shown suffices. */
function showLatin1(text: string): string {
  const shown = text.slice(0, SHOWN).replace(/[^\x20-\x7e\r\n\t]/g, '.')
  return JSON.stringify(shown) + (text.length > SHOWN ? '…' : '')
}

/** Keeps the beginning of the received bytes, for `showBytes`. */
export class Beginning {
  #text = ''

  push(bytes: Buffer, from: number, to: number): void {
    const room = SHOWN + 1 - this.#text.length
    if (room > 0) this.#text += bytes.toString('latin1', from, Math.min(to, from + room))
  }

  toString(): string {
    return showLatin1(this.#text)
  }
}
