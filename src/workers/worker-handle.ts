/** The core's view of a worker: sends orders, receives reports, and can end the worker whatever it is doing. */

import { ownScore } from '../system/process-marks.js'
import { besideFile } from '../system/thread.js'
import type { Clock } from '../util/clock.js'
import type { Cause } from './cause.js'
import { Liveness } from './liveness.js'
import type { Order, Report, Terms } from './messages.js'
import { activityOf } from './process-facts.js'
import { readReports } from './read-reports.js'
import type { SharedState, Signs } from './shared.js'
import { openWorkerProcess, type WorkerProcess } from './worker-process.js'

const ENTRY = besideFile(import.meta.url, 'entry')
/** Milliseconds that a worker may take to start on a busy machine. No check runs in it yet. */
const BEGINNING = 15_000
/** Milliseconds that the import of a file, with its libraries, may take. */
const LOADING = 5000
/**
 * Memory limits in megabytes. `told`: as reported by the worker. `inAll`: as reported by the kernel, including memory
 * outside the heap and garbage that is not collected yet. `heap`: limit of V8.
 */
const MEMORY = {
  shipped: { told: 160, inAll: 256, heap: 256 },
  user: { told: 80, inAll: 160, heap: 160 },
}
/** Maximum size of a message in bytes. It allows the longest answers of all runs that a worker can have. */
const MOST = 1 << 20
/** The worker sent something that is not a valid message. */
const GARBLED: Cause = { kind: 'garbled' }

/** Milliseconds without a beat after which the event loop counts as standing still. */
const STILL = 80

export interface HandleOptions {
  /** Name for logs and for the process title. */
  readonly name: string
  /** True if files of users run in the worker. */
  readonly isGuarded: boolean
  readonly niceness: number
  /** Milliseconds that checks may block the event loop. */
  readonly patience: number
}

export interface Listener {
  report(report: Report): void
  /** Called once, whatever ended the worker. There are no reports afterwards. */
  ended(cause: Cause): void
}

export class WorkerHandle {
  readonly name: string
  readonly isGuarded: boolean
  readonly shared: SharedState
  readonly #clock: Clock
  readonly #listener: Listener
  readonly #process: WorkerProcess
  readonly #memory: (typeof MEMORY)['user']
  readonly #pulse = new Liveness()
  readonly #ownPatience: number
  #orders: Order[] = []
  /** Time of the last round of the worker's loop, by the clock. */
  #heardAt: number
  /** Signs at the last tick. All reports that the worker sent before have been handled. */
  #seen: Signs
  #isReady = false
  readonly #loading = new Set<string>()
  #isOver = false

  constructor({ name, isGuarded, niceness, patience }: HandleOptions, clock: Clock, listener: Listener) {
    this.name = name
    this.#clock = clock
    this.#heardAt = clock.now()
    this.isGuarded = isGuarded
    this.#ownPatience = patience
    this.#memory = isGuarded ? MEMORY.user : MEMORY.shipped
    this.#listener = listener
    const { told, heap } = this.#memory
    this.#process = openWorkerProcess(
      { entry: ENTRY, most: MOST, heap, isOurs: !isGuarded, isPolled: true },
      {
        message: message => this.#hear(message),
        garbled: () => this.end(GARBLED),
        // V8 ends a process with SIGABRT when its heap is full. In a user's file that is more likely than an error in
        // Node.
        ended: (how, signal) =>
          this.end(
            signal === 'SIGABRT' && isGuarded
              ? { kind: 'memory', limit: heap }
              : { kind: 'died', detail: how },
          ),
      },
    )
    this.shared = this.#process.shared
    this.#seen = this.shared.look()
    const beat = isGuarded ? 25 : 50
    const terms: Terms = { name, isGuarded, niceness, limit: told, beat, oomScore: ownScore() }
    this.#process.send(terms)
  }

  /** Resolves when the process has ended. */
  get gone(): Promise<unknown> {
    return this.#process.gone
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** Number of rounds of the worker's loop. All reports sent before the last one have been handled. */
  get rounds(): number {
    return this.#seen.rounds
  }

  /** Total milliseconds in which the loop stood still, as reported by the worker. */
  get lost(): number {
    return this.#seen.lost
  }

  /** Milliseconds since the loop last ran, or 0 if it is not standing still. */
  get stillFor(): number {
    const since = this.#clock.now() - this.#heardAt
    return since > STILL ? since : 0
  }

  /** Queues an order. All orders of this turn of the event loop are sent together. */
  post(order: Order): void {
    if (order.do === 'load') this.#loading.add(order.module)
    if (this.#orders.push(order) === 1) queueMicrotask(() => this.#send())
  }

  /** Asks for a report of the next rounds; at most once per turn of the event loop. */
  comeRound(): void {
    if (!this.#orders.some(order => order.do === 'come-round')) this.post({ do: 'come-round' })
  }

  /** Handles a tick of `ms` milliseconds and all reports. Ends the worker if it blocks or uses too much memory. */
  tick(ms: number): void {
    if (this.#isOver) return
    // The signs are read before the reports: reports sent before a round must be handled before the round counts.
    const before = this.#seen
    this.#seen = this.shared.look()
    const { beats, rounds, isSpawning, used } = this.#seen
    // A worker that has come round has added the standstill before it to `lost`.
    if (rounds !== before.rounds) this.#heardAt = this.#clock.now()
    this.#process.drain()
    if (this.#isOver) return
    const { told, inAll } = this.#memory
    this.#pulse.tick(beats, ms, () => activityOf(this.#process.pid), isSpawning)
    if (this.#pulse.isBlocked(this.#patience)) this.end({ kind: 'blocked', limit: this.#patience })
    else if (used > told * 1024) this.end({ kind: 'memory', limit: told })
    else if (this.#process.megabytes > inAll) this.end({ kind: 'memory', limit: inAll })
  }

  get #patience(): number {
    if (!this.#isReady) return BEGINNING
    return this.#loading.size > 0 ? LOADING : this.#ownPatience
  }

  /** Ends the worker and its commands. Answers that it has already sent are handled first. */
  end(cause: Cause): void {
    if (this.#isOver) return
    this.#process.drain()
    if (this.#isOver) return
    this.#isOver = true
    this.#process.end()
    this.#listener.ended(cause)
  }

  #send(): void {
    if (this.#isOver) return
    const orders = this.#orders
    this.#orders = []
    // A definition may contain values that JSON cannot represent.
    this.#process.send(orders, !orders.some(order => order.do === 'define'))
  }

  #hear(message: unknown): void {
    if (this.#isOver) return
    const reports = readReports(message)
    if (!reports) {
      this.end(GARBLED)
      return
    }
    for (const report of reports) {
      if (this.#isOver) return
      if (report.say === 'ready') this.#isReady = true
      if (report.say === 'loaded' && !this.#loading.delete(report.module)) {
        this.end(GARBLED)
        return
      }
      if (report.say === 'loaded' || report.say === 'ready') this.#pulse.forgive()
      if (report.say === 'fault') this.end(report.fault)
      else this.#listener.report(report)
    }
    // Set last: an answer that ends a standstill is not charged with it, even if the beat comes only after it.
    this.#heardAt = this.#clock.now()
  }
}
