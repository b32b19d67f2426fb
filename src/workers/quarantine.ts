/**
 * Runs suspects alone. If a worker ended and several runs may have caused it, each of them is repeated in a worker of
 * its own; those that were never suspected before go first. The one that ends its worker again is the culprit. The
 * others get their answers; their runs were only delayed. Each answer is held back briefly, because its code may still
 * fail afterwards.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer } from '../check/check.js'
import type { Clock } from '../util/clock.js'
import { isFromOutside } from './attribution.js'
import type { Cause } from './cause.js'
import type { CheckRecord } from './check-record.js'
import type { MemoryGate } from './memory-gate.js'
import type { Starts } from './starts.js'
import { LATE, Worker, type WorkerListener } from './worker.js'
import type { HandleOptions } from './worker-handle.js'
import type { WorkerRun } from './worker-run.js'

/** Maximum number of quarantine workers. */
const ROOMS = 3
/** Milliseconds within which a process normally ends and releases its memory. */
const LONGEST_END = 2000
/** Milliseconds after which an unused worker is ended. */
const IDLE = 10_000

export interface QuarantineTerms {
  readonly clock: Clock
  readonly starts: Starts
  readonly gate: MemoryGate
  readonly worker: HandleOptions
  readonly unloadable: WorkerListener['unloadable']
  readonly printed: WorkerListener['printed']
  /** Records that the check ended its worker. Returns the answer for its run. */
  convict(record: CheckRecord, cause: Cause, isLate: boolean): Answer
  /** Called when a check ran alone without harm, so it may return to a shared worker. */
  acquitted(record: CheckRecord): void
  /** A worker ended before its run began. */
  notBegun(cause: Cause): void
  /** Restarts a run whose worker ended before the run began. */
  again(run: WorkerRun): void
  started(worker: Worker): void
  ended(name: string, cause: Cause): void
}

interface Room {
  readonly worker: Worker
  current: WorkerRun | null
  answer: Answer | null
  hasLeft: boolean
  freeSince: number
  disarm: () => void
}

export class Quarantine {
  readonly #terms: QuarantineTerms
  readonly #rooms = new Set<Room>()
  #queue: WorkerRun[] = []
  readonly #again = () => this.#next()
  #count = 0
  /** Number of worker processes. An old one that cannot be ended keeps its place. */
  #processes = 0

  constructor(terms: QuarantineTerms) {
    this.#terms = terms
  }

  get workers(): Worker[] {
    return [...this.#rooms].map(({ worker }) => worker)
  }

  add(run: WorkerRun): void {
    run.hold(null)
    this.#queue.push(run)
    this.#next()
  }

  forget(record: CheckRecord): void {
    for (const { worker } of this.#rooms) worker.forget(record)
  }

  /** Ends workers that have been unused for a while. */
  sweep(): void {
    const before = this.#terms.clock.now() - IDLE
    for (const room of this.#rooms) if (!room.current && room.freeSince < before) this.#dismiss(room)
  }

  close(): void {
    this.#queue = []
    for (const room of [...this.#rooms]) this.#dismiss(room)
  }

  #next(): void {
    this.#queue = this.#queue.filter(run => !run.isOver)
    this.#queue.sort((a, b) => rank(a) - rank(b))
    for (const run of [...this.#queue]) {
      if (run.record.isHungry && !this.#terms.gate.mayEnter(run.record, this.#again)) continue
      const room = this.#roomFor(run)
      if (!room) {
        this.#terms.gate.leave(run.record)
        return
      }
      this.#queue.splice(this.#queue.indexOf(run), 1)
      room.current = run
      room.answer = null
      room.hasLeft = false
      room.worker.send(run)
    }
  }

  #roomFor({ record }: WorkerRun): Room | null {
    const free = [...this.#rooms].find(({ current }) => !current)
    if (free && !record.needsFresh) return free
    if (this.#processes - (free ? 1 : 0) >= ROOMS) return null
    if (!this.#terms.starts.mayStart(this.#again)) return null
    if (free) this.#dismiss(free)
    return this.#open()
  }

  #open(): Room {
    const { clock, worker: usual, unloadable, printed } = this.#terms
    const options = { ...usual, name: `${usual.name}, alone ${++this.#count}` }
    let room: Room
    const worker = new Worker(options, clock, {
      printed,
      answered: (_run, answer) => this.#answered(room, answer),
      abandoned: (_run, isSent) => this.#abandoned(room, isSent),
      unloadable: (run, problem) => {
        this.#free(room)
        unloadable(run, problem)
        this.#next()
      },
      ended: (cause, begun, waiting) => this.#ended(room, cause, begun, waiting),
    })
    room = { worker, current: null, answer: null, hasLeft: false, freeSince: clock.now(), disarm: () => {} }
    this.#rooms.add(room)
    this.#processes++
    void worker.handle.gone.then(() => {
      this.#processes--
      this.#next()
    })
    this.#terms.started(worker)
    return room
  }

  #answered(room: Room, answer: Answer): void {
    room.answer = answer
    this.#linger(room)
  }

  /** The run reached its deadline. Its code may continue, alone in the worker. */
  #abandoned(room: Room, isSent: boolean): void {
    if (!isSent) {
      this.#free(room)
      this.#next()
      return
    }
    room.hasLeft = true
    this.#linger(room)
  }

  #linger(room: Room): void {
    const { current } = room
    if (!current) return
    room.disarm()
    room.disarm = this.#terms.clock.alarm(current.record.linger, () => this.#acquit(room))
  }

  #acquit(room: Room): void {
    const { current, answer, hasLeft } = room
    if (!current) return
    this.#free(room)
    // Code of the aborted run may still be active in the worker.
    if (hasLeft) this.#dismiss(room)
    this.#terms.acquitted(current.record)
    if (answer) current.land(answer)
    this.#next()
  }

  /** Releases the worker. `over` resolves when the memory that the run used is free again. */
  #free(room: Room, over: Promise<unknown> = Promise.resolve()): void {
    room.disarm()
    const { current } = room
    room.current = null
    if (current) void over.then(() => this.#terms.gate.leave(current.record))
    room.freeSince = this.#terms.clock.now()
  }

  #dismiss(room: Room): void {
    room.disarm()
    this.#rooms.delete(room)
    room.worker.handle.end({ kind: 'dismissed' })
  }

  #ended(room: Room, cause: Cause, begun: readonly WorkerRun[], waiting: readonly WorkerRun[]): void {
    if (!this.#rooms.delete(room)) return
    const { current } = room
    // The next check that may exhaust the memory starts when this memory is free again.
    this.#free(room, Promise.race([room.worker.handle.gone, delay(LONGEST_END, 0, { ref: false })]))
    this.#terms.ended(room.worker.handle.name, cause)
    if (current && waiting.includes(current)) {
      if (room.worker.isLoading) this.#terms.notBegun(cause)
      this.#rejudge(room, cause, null)
      this.#terms.again(current)
    } else this.#rejudge(room, cause, begun.length > 0 || room.answer || room.hasLeft ? current : null)
    this.#next()
  }

  /** Finds the culprit when a quarantine worker ended. Nearly always it is the check that was alone in it. */
  #rejudge(room: Room, cause: Cause, current: WorkerRun | null): void {
    const { clock } = this.#terms
    const { worker, answer, hasLeft } = room
    if (isFromOutside(worker, cause)) {
      if (current && !current.isOver) this.add(current)
      return
    }
    const named = 'run' in cause && cause.run !== null ? worker.recordOf(cause.run) : null
    const before = worker.pastRecords(clock.now() - LATE).filter(record => record !== current?.record)
    const all = new Set([...(current ? [current.record] : []), ...before])
    const culprit = named ?? (all.size === 1 ? [...all][0] : null)
    const isLate = culprit !== current?.record || answer !== null || hasLeft
    if (!culprit) for (const record of all) record.suspect(cause, clock.now(), true)
    const verdict = culprit && this.#terms.convict(culprit, cause, isLate)
    if (!current || current.isOver) return
    if (verdict && culprit === current.record) current.land(verdict)
    else this.add(current)
  }
}

/** Order in the queue: checks that were never suspected first, known culprits last. */
function rank({ record }: WorkerRun): number {
  return record.suspicion + (record.isCulprit ? 1000 : 0)
}
