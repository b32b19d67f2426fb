/**
 * What the core shares with one worker, as numbers in a file in memory: what is needed many times a second without being asked
 * for. The worker writes, the core reads; neither ever waits for the other, and what a worker wrote before it blocked stands there.
 */
import fs from 'node:fs'
import type { Phase } from '../core/model.js'
import { PHASES } from './messages.js'

const BEATS = 0
const ROUNDS = 1
const LOST = 2
const USED = 3
const SPAWNING = 4
/** From here on one for each run that tells its phase, which the core writes too, before the run begins. */
const PHASE = 5
/** Runs at once in one worker that can tell their phases. */
export const SLOTS = 128
/** In place of a phase: sent, and not yet begun. */
const SENT = 255
/** In place of a phase: a word that `PHASES` does not have. */
const OWN = 254
const WORDS = PHASE + SLOTS
const BYTES = Int32Array.BYTES_PER_ELEMENT

/** What a worker says of itself. */
export interface Signs {
  /** Signs of life: its loop came round, or its thread finished a piece of work of lvsd's own. */
  readonly beats: number
  /** How often its loop came round, on its timer or as it was told to. */
  readonly rounds: number
  /** Milliseconds in which its loop stood still or its thread waited for a processor, in all. */
  readonly lost: number
  /** Its memory, heap and buffers, kilobytes. */
  readonly used: number
  /** Its thread waits for the kernel to start a process. */
  readonly isSpawning: boolean
}

/** The core's side. */
export class SharedState {
  readonly #fd: number
  readonly #signs = new Int32Array(PHASE)
  readonly #word = new Int32Array(1)
  /** Once the descriptor is not used any more. */
  #last: Int32Array | null = null

  /** `null`: a file that could not be opened, with nothing in it. */
  constructor(fd: number | null) {
    this.#fd = fd ?? -1
    if (fd === null) this.#last = new Int32Array(WORDS)
  }

  look(): Signs {
    const signs = this.#last ?? this.#signs
    if (!this.#last) fs.readSync(this.#fd, this.#signs, 0, PHASE * BYTES, 0)
    const at = (word: number) => signs[word] ?? 0
    return {
      beats: at(BEATS),
      rounds: at(ROUNDS),
      lost: at(LOST),
      used: at(USED),
      isSpawning: at(SPAWNING) > 0,
    }
  }

  /** A run is sent that will say its phases there. */
  reserve(slot: number): void {
    if (this.#last) return
    this.#word[0] = SENT
    fs.writeSync(this.#fd, this.#word, 0, BYTES, (PHASE + slot) * BYTES)
  }

  /** True once the worker has begun the run for which the place is reserved. */
  hasBegun(slot: number): boolean {
    return this.#phase(slot) !== SENT
  }

  /** Null where a check has a word of its own, which is told. */
  phase(slot: number): Phase | null {
    const number = this.#phase(slot)
    return number === OWN ? null : (PHASES[number] ?? 'run')
  }

  /** The words stay as they are, and the descriptor is not used any more. */
  seal(): void {
    const last = new Int32Array(WORDS)
    fs.readSync(this.#fd, last, 0, last.byteLength, 0)
    this.#last = last
  }

  #phase(slot: number): number {
    if (this.#last) return this.#last[PHASE + slot] ?? 0
    this.#word[0] = 0
    fs.readSync(this.#fd, this.#word, 0, BYTES, (PHASE + slot) * BYTES)
    return this.#word[0]
  }
}

/** The worker's side. */
export class OwnState {
  readonly #fd: number
  readonly #signs = new Int32Array(PHASE)
  readonly #word = new Int32Array(1)
  /** As it is before any check is loaded, which may put another in its place. */
  readonly #write = fs.writeSync

  constructor(fd: number) {
    this.#fd = fd
  }

  beat(): void {
    this.#add(BEATS, 1)
    this.#write(this.#fd, this.#signs, 0, BYTES, 0)
  }

  /** With all that was noted since. */
  round(times = 1): void {
    this.#add(ROUNDS, times)
    this.#add(BEATS, 1)
    this.#write(this.#fd, this.#signs, 0, this.#signs.byteLength, 0)
  }

  noteLost(ms: number): void {
    this.#add(LOST, Math.round(ms))
  }

  noteUsed(kilobytes: number): void {
    this.#signs[USED] = kilobytes
  }

  set isSpawning(is: boolean) {
    this.#signs[SPAWNING] = is ? 1 : 0
    this.#write(this.#fd, this.#signs, SPAWNING * BYTES, BYTES, SPAWNING * BYTES)
  }

  setPhase(slot: number, phase: Phase): void {
    const number = PHASES.indexOf(phase)
    this.#word[0] = number === -1 ? OWN : number
    this.#write(this.#fd, this.#word, 0, BYTES, (PHASE + slot) * BYTES)
  }

  #add(word: number, value: number): void {
    this.#signs[word] = (this.#signs[word] ?? 0) + value
  }
}
