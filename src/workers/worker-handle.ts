/** One worker as the core holds it: orders go in, reports come out, and it can be ended whatever it is doing. */

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
/** Milliseconds that a worker may take to begin, on a busy machine; nobody's check runs yet. */
const BEGINNING = 15_000
/** The same for the import of a file, with the libraries that it needs. */
const LOADING = 5000
/**
 * Megabytes: what code may hold in a worker by its own account; what the worker may hold by the kernel's, with what no heap counts
 * and what is not collected yet; and V8's own limit.
 */
const MEMORY = {
  shipped: { told: 160, inAll: 256, heap: 256 },
  user: { told: 80, inAll: 160, heap: 160 },
}
/** Bytes of one message: the answers of all runs that a worker may have under way, each as long as may be. */
const MOST = 1 << 20
/** What came from a worker is no message. */
const GARBLED: Cause = { kind: 'garbled' }

/** Milliseconds without a beat from which on its loop is taken to stand still. */
const STILL = 80

export interface HandleOptions {
  /** For logs, and for those who look at the processes of the machine. */
  readonly name: string
  /** Files of users run there. */
  readonly isGuarded: boolean
  readonly niceness: number
  /** Milliseconds for which its code may hold its loop. */
  readonly patience: number
}

export interface Listener {
  report(report: Report): void
  /** Called once, whatever ended it; nothing is reported afterwards. */
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
  /** When its loop last came round, by the clock. */
  #heardAt: number
  /** At the last tick; what the worker said before has been heard. */
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
        // So V8 ends it where its heap is full, of which a user's file is more likely the cause than Node's own faults.
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

  /** Resolves when it is gone. */
  get gone(): Promise<unknown> {
    return this.#process.gone
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** How often its loop has come round; what it said before has been heard. */
  get rounds(): number {
    return this.#seen.rounds
  }

  /** Milliseconds in which its loop has stood still in all, by its own account. */
  get lost(): number {
    return this.#seen.lost
  }

  /** Milliseconds for which its loop stands still now. */
  get stillFor(): number {
    const since = this.#clock.now() - this.#heardAt
    return since > STILL ? since : 0
  }

  /** Sent together with all other orders of this turn. */
  post(order: Order): void {
    if (order.do === 'load') this.#loading.add(order.module)
    if (this.#orders.push(order) === 1) queueMicrotask(() => this.#send())
  }

  /** Once for all deadlines that come in this turn. */
  comeRound(): void {
    if (!this.#orders.some(order => order.do === 'come-round')) this.post({ do: 'come-round' })
  }

  /** A tick of the core, worth so many milliseconds: hears what the worker has said, ends the worker where it blocks or holds too much. */
  tick(ms: number): void {
    if (this.#isOver) return
    // Read first: what was said before a round is heard before the round counts.
    const before = this.#seen
    this.#seen = this.shared.look()
    const { beats, rounds, isSpawning, used } = this.#seen
    this.#process.drain()
    if (this.#isOver) return
    const { told, inAll } = this.#memory
    this.#pulse.tick(beats, ms, () => activityOf(this.#process.pid), isSpawning)
    if (rounds !== before.rounds) this.#heardAt = this.#clock.now()
    if (this.#pulse.isBlocked(this.#patience)) this.end({ kind: 'blocked', limit: this.#patience })
    else if (used > told * 1024) this.end({ kind: 'memory', limit: told })
    else if (this.#process.megabytes > inAll) this.end({ kind: 'memory', limit: inAll })
  }

  get #patience(): number {
    if (!this.#isReady) return BEGINNING
    return this.#loading.size > 0 ? LOADING : this.#ownPatience
  }

  /** Ends it, with the commands that it has under way. What it has already answered counts. */
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
    // A definition may hold what JSON does not have.
    this.#process.send(orders, !orders.some(order => order.do === 'define'))
  }

  #hear(message: unknown): void {
    if (this.#isOver) return
    const reports = readReports(message)
    if (!reports) {
      this.end(GARBLED)
      return
    }
    this.#heardAt = this.#clock.now()
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
  }
}
