/**
 * What the core shares with one worker, as numbers: memory where the worker is a thread, a file in memory where it is a
 * process. The worker writes, the core reads; neither ever waits for the other.
 */
import fs from 'node:fs'
import type { Phase } from '../model.js'
import { PHASES } from './messages.js'

const BEATS = 0
const LOST = 1
const USED = 2
const THREAD = 3
const ROUNDS = 4
const SPAWNING = 5
const PHASE = 6
/** Runs at once in one worker that can tell their phases. */
export const SLOTS = 128
/** In place of a phase: sent, and not yet begun. */
const SENT = 255
/** In place of a phase: a word that `PHASES` does not have. */
const OWN = 254
const GROUP = PHASE + SLOTS
/** Process groups that a worker may have under way; commands are fewer at once, some of them on their way out. */
const GROUPS = 256
const WORDS = GROUP + GROUPS
const BYTES = Int32Array.BYTES_PER_ELEMENT

/** Each word is written by one side at a time. */
interface Words {
  load(i: number): number
  store(i: number, value: number): void
}

/** Words in memory of both. */
export class MemoryWords implements Words {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  load(i: number): number {
    return Atomics.load(this.#words, i)
  }

  store(i: number, value: number): void {
    Atomics.store(this.#words, i, value)
  }
}

/** Words in a file that both have open. */
export class FileWords implements Words {
  readonly #fd: number
  readonly #word = new Int32Array(1)
  #last: Int32Array | null = null
  /** As they are before any check is loaded, which may put others in their place. */
  readonly #read = fs.readSync
  readonly #write = fs.writeSync

  constructor(fd: number) {
    this.#fd = fd
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
  readonly #words: Words

  constructor(words: Words) {
    this.#words = words
  }

  /** Counts signs of life: the worker's loop came round on its timer, or its thread finished a piece of work of lvsd's own. */
  get beats(): number {
    return this.#words.load(BEATS)
  }

  beat(): void {
    this.#add(BEATS, 1)
  }

  /** Counts each time the worker's loop came round on its timer. */
  get rounds(): number {
    return this.#words.load(ROUNDS)
  }

  round(): void {
    this.#add(ROUNDS, 1)
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

  /** The kernel's number of the thread; 0 before it runs. */
  get thread(): number {
    return this.#words.load(THREAD)
  }

  set thread(number: number) {
    this.#words.store(THREAD, number)
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

  /** The process groups that the worker's commands are, for whoever has to end them when the worker cannot. */
  get groups(): number[] {
    return Array.from({ length: GROUPS }, (_, i) => this.#words.load(GROUP + i)).filter(pid => pid > 0)
  }

  addGroup(pid: number): void {
    this.#replaceGroup(0, pid)
  }

  removeGroup(pid: number): void {
    this.#replaceGroup(pid, 0)
  }

  #replaceGroup(from: number, to: number): void {
    for (let i = GROUP; i < GROUP + GROUPS; i++)
      if (this.#words.load(i) === from) {
        this.#words.store(i, to)
        return
      }
  }

  #add(i: number, value: number): void {
    this.#words.store(i, this.#words.load(i) + value)
  }
}
