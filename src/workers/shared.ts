/**
 * Shared state of the core and one worker: numbers in a memory file, for values that change often and are only polled.
 * The worker writes and the core reads; neither waits for the other. What a worker wrote before it blocked remains
 * readable.
 */
import fs from 'node:fs'
import type { Phase } from '../core/model.js'
import { PHASES } from './messages.js'

const BEATS = 0
const ROUNDS = 1
const LOST = 2
const USED = 3
const SPAWNING = 4
/** Index of the first phase: one per slot. The core also writes it, before the run begins. */
const PHASE = 5
/** Maximum number of concurrent runs in one worker that can report their phases. */
export const SLOTS = 128
/** Instead of a phase: the run is sent but has not begun. */
const SENT = 255
/** Instead of a phase: the check has named a phase that is not in `PHASES`. */
const OWN = 254
const WORDS = PHASE + SLOTS
const BYTES = Int32Array.BYTES_PER_ELEMENT

/** State that a worker reports. */
export interface Signs {
  /** Number of beats: the loop has run, or the thread has completed a step of lvsd's own code. */
  readonly beats: number
  /** Number of rounds of the event loop, counted by its timer or on request. */
  readonly rounds: number
  /** Total milliseconds in which the loop stood still or the thread waited for a CPU. */
  readonly lost: number
  /** Memory in use (heap and buffers) in kilobytes. */
  readonly used: number
  /** True while the thread waits for the kernel to start a process. */
  readonly isSpawning: boolean
}

/** The side of the core. */
export class SharedState {
  readonly #fd: number
  readonly #signs = new Int32Array(PHASE)
  readonly #word = new Int32Array(1)
  /** The final values, set when the descriptor is no longer used. */
  #last: Int32Array | null = null

  /** `fd` is null if the file could not be opened; all values are then 0. */
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

  /** Marks a slot for a run that is about to be sent. */
  reserve(slot: number): void {
    if (this.#last) return
    this.#word[0] = SENT
    fs.writeSync(this.#fd, this.#word, 0, BYTES, (PHASE + slot) * BYTES)
  }

  /** True once the worker has begun the run of this slot. */
  hasBegun(slot: number): boolean {
    return this.#phase(slot) !== SENT
  }

  /** Returns the phase of a run; null if its check named a phase of its own, which is reported by message. */
  phase(slot: number): Phase | null {
    const number = this.#phase(slot)
    return number === OWN ? null : (PHASES[number] ?? 'run')
  }

  /** Keeps the current values and stops using the descriptor. */
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

/** The side of the worker. */
export class OwnState {
  readonly #fd: number
  readonly #signs = new Int32Array(PHASE)
  readonly #word = new Int32Array(1)
  /** Saved before any check is loaded, because a check may replace it. */
  readonly #write = fs.writeSync

  constructor(fd: number) {
    this.#fd = fd
  }

  beat(): void {
    this.#add(BEATS, 1)
    this.#write(this.#fd, this.#signs, 0, BYTES, 0)
  }

  /** Counts rounds and a beat, and publishes all values. */
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
