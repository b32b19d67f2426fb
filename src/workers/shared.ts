/**
 * What the core shares with one worker, as numbers in a file in memory: what is needed many times a second without being asked
 * for. The worker writes, the core reads; neither ever waits for the other, and what a worker wrote before it blocked stands there.
 */
import fs from 'node:fs'
import type { Phase } from '../model.js'
import { PHASES } from './messages.js'

const BEATS = 0
const LOST = 1
const USED = 2
const ROUNDS = 3
const SPAWNING = 4
const PHASE = 5
/** Runs at once in one worker that can tell their phases. */
export const SLOTS = 128
/** In place of a phase: sent, and not yet begun. */
const SENT = 255
/** In place of a phase: a word that `PHASES` does not have. */
const OWN = 254
const WORDS = PHASE + SLOTS
const BYTES = Int32Array.BYTES_PER_ELEMENT

/** Words in a file that both have open. Each is written by one side at a time. */
export class FileWords {
  readonly #fd: number
  readonly #word = new Int32Array(1)
  #last: Int32Array | null = null
  /** As they are before any check is loaded, which may put others in their place. */
  readonly #read = fs.readSync
  readonly #write = fs.writeSync

  /** `null`: a file that could not be opened, with nothing in it. */
  constructor(fd: number | null) {
    this.#fd = fd ?? -1
    if (fd === null) this.#last = new Int32Array(WORDS)
  }

  /** 0 where nothing has been written yet. */
  load(i: number): number {
    if (this.#last) return this.#last[i] ?? 0
    this.#word[0] = 0
    this.#read(this.#fd, this.#word, 0, BYTES, i * BYTES)
    return this.#word[0]
  }

  store(i: number, value: number): void {
    if (this.#last) return
    this.#word[0] = value
    this.#write(this.#fd, this.#word, 0, BYTES, i * BYTES)
  }

  /** The words stay as they are, and the descriptor is not used any more. */
  seal(): void {
    const last = new Int32Array(WORDS)
    this.#read(this.#fd, last, 0, last.byteLength, 0)
    this.#last = last
  }
}

export class SharedState {
  readonly #words: FileWords

  constructor(words: FileWords) {
    this.#words = words
  }

  /** Counts signs of life: the worker's loop came round on its timer, or its thread finished a piece of work of lvsd's own. */
  get beats(): number {
    return this.#words.load(BEATS)
  }

  beat(): void {
    this.#add(BEATS, 1)
  }

  /** Counts each time the worker's loop came round, on its timer or as it was told to. */
  get rounds(): number {
    return this.#words.load(ROUNDS)
  }

  round(times = 1): void {
    this.#add(ROUNDS, times)
    this.beat()
  }

  /** The worker's thread waits for the kernel to start a process. */
  get isSpawning(): boolean {
    return this.#words.load(SPAWNING) > 0
  }

  set isSpawning(is: boolean) {
    this.#words.store(SPAWNING, is ? 1 : 0)
  }

  /** Milliseconds in which the worker's loop stood still or its thread waited for a processor, in all. */
  get lost(): number {
    return this.#words.load(LOST)
  }

  lose(ms: number): void {
    this.#add(LOST, Math.round(ms))
  }

  /** Memory of the worker, heap and buffers, kilobytes. */
  get used(): number {
    return this.#words.load(USED)
  }

  set used(kilobytes: number) {
    this.#words.store(USED, kilobytes)
  }

  /** A run is sent that will say its phases there. */
  reserve(slot: number): void {
    this.#words.store(PHASE + slot, SENT)
  }

  /** True once the worker has begun the run for which the place is reserved. */
  hasBegun(slot: number): boolean {
    return this.#words.load(PHASE + slot) !== SENT
  }

  /** Null where a check has a word of its own, which is told. */
  phase(slot: number): Phase | null {
    const number = this.#words.load(PHASE + slot)
    return number === OWN ? null : (PHASES[number] ?? 'run')
  }

  setPhase(slot: number, phase: Phase): void {
    const number = PHASES.indexOf(phase)
    this.#words.store(PHASE + slot, number === -1 ? OWN : number)
  }

  #add(i: number, value: number): void {
    this.#words.store(i, this.#words.load(i) + value)
  }
}
