/**
 * Looking for text in the bytes of an answer.
 *
 * Plain text is searched as its UTF-8 bytes, whatever the answer is made of. A regular expression needs characters: the
 * answer is read as UTF-8 where it is valid UTF-8 and as Latin-1 otherwise, so that no byte is ever lost and patterns
 * beyond ASCII work on every page written in this century.
 */
import { type Answer, down } from '../check/check.js'
import type { Match } from '../check/probe-spec.js'
import { type Searched, searchRegExp, searchText } from '../search/search.js'

/** Prepares what all runs share; known expressions are not prepared again. */
export function compileMatch(match: Match): Searched {
  return match.kind === 'text' ? searchText(match.text) : searchRegExp(match.source, match.flags)
}

/** `"pong"` or `/pong/i`, for people. */
export function showMatch(match: Match): string {
  return match.kind === 'text' ? JSON.stringify(match.text) : `/${match.source}/${match.flags}`
}

/** The answer where a search gives none within its budget. */
export function tooSlow(wanted: string): Answer {
  return down(
    'error',
    `${wanted} takes too long to look for in this answer: write it without look-around and backreferences, and with fewer repetitions`,
  )
}

const SHOWN = 60

/** What came, for people: the first characters, nothing that moves a terminal's cursor. */
export function showBytes(bytes: Buffer): string {
  const shown = bytes.subarray(0, SHOWN).toString('latin1')
  return JSON.stringify(shown.replace(/[^\x20-\x7e\r\n\t]/g, '.')) + (bytes.length > SHOWN ? '…' : '')
}

/** Keeps as much of what comes as is shown to people. */
export class Beginning {
  #bytes: Buffer | null = null
  #length = 0

  push(bytes: Buffer, from: number, to: number): void {
    if (this.#length > SHOWN) return
    this.#bytes ??= Buffer.allocUnsafe(SHOWN + 1)
    this.#length += bytes.copy(this.#bytes, this.#length, from, to)
  }

  toString(): string {
    return showBytes((this.#bytes ?? Buffer.alloc(0)).subarray(0, this.#length))
  }
}
