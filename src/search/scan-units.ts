/**
 * Searches the bytes of a text with an automaton. The text is UTF-8 if all of its bytes are valid UTF-8, else Latin-1.
 * From the first non-ASCII byte on, both encodings are followed in parallel.
 */
import type { Automaton, State } from './automaton.js'
import type { Budget } from './budget.js'
import type { Scan } from './scan.js'

export class UnitScan implements Scan {
  readonly #automaton: Automaton
  readonly #budget: Budget
  #utf8: State
  /** State for the Latin-1 reading; null while all bytes are ASCII. */
  #latin1: State | null = null
  #isUtf8 = true
  /** The character being decoded: number of missing bytes, bits so far, and the allowed range of the next byte. */
  #missing = 0
  #point = 0
  #least = 0x80
  #most = 0xbf

  constructor(automaton: Automaton, budget: Budget) {
    this.#automaton = automaton
    this.#budget = budget
    this.#utf8 = automaton.start
  }

  push(bytes: Buffer, from: number, to: number): void {
    const at = this.#latin1 === null ? this.#pushAscii(bytes, from, to) : from
    if (at === to) return
    this.#latin1 ??= this.#utf8
    this.#pushLatin1(bytes, at, to)
    if (this.#isUtf8) this.#pushUtf8(bytes, at, to)
  }

  occurs(): boolean | null {
    if (this.#budget.left <= 0) return null
    if (!this.#isUtf8) return this.end()
    // An incomplete character is not considered yet.
    return this.#missing > 0 ? this.#utf8 === this.#automaton.found : this.#occursAfter(this.#utf8)
  }

  end(): boolean | null {
    if (this.#budget.left <= 0) return null
    const isUtf8 = this.#latin1 === null || (this.#isUtf8 && this.#missing === 0)
    return this.#occursAfter(isUtf8 ? this.#utf8 : (this.#latin1 as State))
  }

  #occursAfter(state: State): boolean {
    return this.#automaton.occursAtEnd(state, this.#budget)
  }

  /** Consumes ASCII bytes. Returns the position of the first non-ASCII byte, or `to`. */
  #pushAscii(bytes: Buffer, from: number, to: number): number {
    const { low } = this.#automaton.program.alphabet
    let state = this.#utf8
    let at = from
    for (; at < to; at++) {
      const byte = bytes[at] as number
      if (byte >= 0x80) break
      const unitClass = low[byte] as number
      state = state.next[unitClass] ?? this.#make(state, unitClass)
    }
    this.#utf8 = state
    return at
  }

  #pushLatin1(bytes: Buffer, from: number, to: number): void {
    const { low } = this.#automaton.program.alphabet
    let state = this.#latin1 as State
    for (let at = from; at < to; at++) {
      const unitClass = low[bytes[at] as number] as number
      state = state.next[unitClass] ?? this.#make(state, unitClass)
    }
    this.#latin1 = state
  }

  #pushUtf8(bytes: Buffer, from: number, to: number): void {
    let at = from
    while (at < to && this.#isUtf8) {
      if (this.#missing > 0) this.#continue(bytes[at++] as number)
      else at = this.#pushCharacters(bytes, at, to)
    }
  }

  /** Consumes complete characters quickly. Returns the position of an incomplete or invalid character, or `to`. */
  #pushCharacters(bytes: Buffer, from: number, to: number): number {
    const { alphabet } = this.#automaton.program
    const { low } = alphabet
    let state = this.#utf8
    let at = from
    while (at < to) {
      const point = pointAt(bytes, at, to)
      if (point < 0) break
      let unit = point
      if (point > 0xffff) {
        const unitClass = alphabet.classOf(0xd7c0 + (point >> 10))
        state = state.next[unitClass] ?? this.#make(state, unitClass)
        unit = 0xdc00 + (point & 0x3ff)
      }
      const unitClass = unit < 0x800 ? (low[unit] as number) : alphabet.classOf(unit)
      state = state.next[unitClass] ?? this.#make(state, unitClass)
      at += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    }
    this.#utf8 = state
    if (at < to) this.#lead(bytes[at++] as number)
    return at
  }

  /** Consumes a continuation byte (Unicode, table 3-7). */
  #continue(byte: number): void {
    this.#isUtf8 = byte >= this.#least && byte <= this.#most
    this.#least = 0x80
    this.#most = 0xbf
    this.#point = (this.#point << 6) | (byte & 0x3f)
    if (--this.#missing === 0 && this.#isUtf8) this.#take(this.#point)
  }

  /** Consumes the first byte of a non-ASCII character. */
  #lead(byte: number): void {
    this.#isUtf8 = byte >= 0xc2 && byte <= 0xf4
    this.#missing = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    this.#point = byte & (0x3f >> this.#missing)
    if (byte === 0xe0) this.#least = 0xa0
    if (byte === 0xed) this.#most = 0x9f
    if (byte === 0xf0) this.#least = 0x90
    if (byte === 0xf4) this.#most = 0x8f
  }

  #take(point: number): void {
    if (point > 0xffff) {
      this.#step(0xd800 + ((point - 0x10000) >> 10))
      this.#step(0xdc00 + ((point - 0x10000) & 0x3ff))
    } else this.#step(point)
  }

  #step(unit: number): void {
    const unitClass = this.#automaton.program.alphabet.classOf(unit)
    this.#utf8 = this.#utf8.next[unitClass] ?? this.#make(this.#utf8, unitClass)
  }

  /** Builds no state once the budget is used up; the search then reports that it has no answer. */
  #make(state: State, unitClass: number): State {
    return this.#budget.left > 0 ? this.#automaton.step(state, unitClass, this.#budget) : state
  }
}

/** Returns the code point at this position, or -1 if the character is invalid or incomplete (Unicode, table 3-7). */
function pointAt(bytes: Buffer, at: number, to: number): number {
  const first = bytes[at] as number
  if (first < 0x80) return first
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + length > to || first < 0xc2 || first > 0xf4) return -1
  let point = first & (0x7f >> length)
  for (let i = at + 1; i < at + length; i++) {
    const byte = bytes[i] as number
    if ((byte & 0xc0) !== 0x80) return -1
    point = (point << 6) | (byte & 0x3f)
  }
  const isShortest = point >= (SHORTEST[length] as number)
  return isShortest && point <= 0x10ffff && (point & 0xff800) !== 0xd800 ? point : -1
}

/** The lowest code point for each length in bytes; a lower one is overlong. */
const SHORTEST = [0, 0, 0x80, 0x800, 0x10000]
