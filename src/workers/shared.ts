/** The memory that the core shares with one worker. The worker writes, the core reads; neither ever waits for the other. */
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

export class SharedState {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array

  constructor(memory = new SharedArrayBuffer(WORDS * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#words = new Int32Array(memory)
  }

  /** Counts signs of life: the worker's loop came round on its timer, or its thread finished a piece of work of lvsd's own. */
  get beats(): number {
    return Atomics.load(this.#words, BEATS)
  }

  beat(): void {
    Atomics.add(this.#words, BEATS, 1)
  }

  /** Counts each time the worker's loop came round on its timer. */
  get rounds(): number {
    return Atomics.load(this.#words, ROUNDS)
  }

  round(): void {
    Atomics.add(this.#words, ROUNDS, 1)
    this.beat()
  }

  /** The worker's thread waits for the kernel to start a process. */
  get isSpawning(): boolean {
    return Atomics.load(this.#words, SPAWNING) > 0
  }

  set isSpawning(is: boolean) {
    Atomics.store(this.#words, SPAWNING, is ? 1 : 0)
  }

  /** Milliseconds in which the worker's loop stood still or its thread waited for a processor, in all. */
  get lost(): number {
    return Atomics.load(this.#words, LOST)
  }

  lose(ms: number): void {
    Atomics.add(this.#words, LOST, Math.round(ms))
  }

  /** Memory of the worker, heap and buffers, kilobytes. */
  get used(): number {
    return Atomics.load(this.#words, USED)
  }

  set used(kilobytes: number) {
    Atomics.store(this.#words, USED, kilobytes)
  }

  /** The kernel's number of the thread; 0 before it runs. */
  get thread(): number {
    return Atomics.load(this.#words, THREAD)
  }

  set thread(number: number) {
    Atomics.store(this.#words, THREAD, number)
  }

  /** A run is sent that will say its phases there. */
  reserve(slot: number): void {
    Atomics.store(this.#words, PHASE + slot, SENT)
  }

  /** True once the worker has begun the run for which the place is reserved. */
  hasBegun(slot: number): boolean {
    return Atomics.load(this.#words, PHASE + slot) !== SENT
  }

  /** Null where a check has a word of its own, which is told. */
  phase(slot: number): Phase | null {
    const number = Atomics.load(this.#words, PHASE + slot)
    return number === OWN ? null : (PHASES[number] ?? 'run')
  }

  setPhase(slot: number, phase: Phase): void {
    const number = PHASES.indexOf(phase)
    Atomics.store(this.#words, PHASE + slot, number === -1 ? OWN : number)
  }

  /** The process groups that the worker's commands are, for whoever has to end them when the worker cannot. */
  get groups(): number[] {
    return Array.from({ length: GROUPS }, (_, i) => Atomics.load(this.#words, GROUP + i)).filter(
      pid => pid > 0,
    )
  }

  addGroup(pid: number): void {
    this.#replaceGroup(0, pid)
  }

  removeGroup(pid: number): void {
    this.#replaceGroup(pid, 0)
  }

  #replaceGroup(from: number, to: number): void {
    for (let i = GROUP; i < GROUP + GROUPS; i++)
      if (Atomics.compareExchange(this.#words, i, from, to) === from) return
  }
}
