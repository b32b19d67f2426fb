/** One worker as the core holds it: orders go in, reports come out, and it can be ended whatever it is doing. */
import type { Clock } from '../clock.js'
import { releaseMemory } from '../libc.js'
import type { Cause } from './cause.js'
import { GARBLED, type Link } from './link.js'
import type { Order, Report, Terms } from './messages.js'
import { openProcessLink } from './process-link.js'
import { Pulse } from './pulse.js'
import { readReports } from './read-reports.js'
import type { SharedState } from './shared.js'
import { openThreadLink } from './thread-link.js'

/** Milliseconds that a worker may take to begin, on a busy machine; nobody's check runs yet. */
const BEGINNING = 15_000
/** The same for the import of a file, with the libraries that it needs. */
const LOADING = 5000
/** Megabytes that code may hold in a worker, by its own account. A user's worker is the second. */
const MEMORY = { shipped: 192, user: 80 }
/** Megabytes that a user's worker may hold by the kernel's account, with what no heap counts and what is not collected yet. */
const ALL_MEMORY = 160

/** Milliseconds without a beat from which on its loop is taken to stand still. */
const STILL = 80

export interface HandleOptions {
  /** For logs, and for those who look at the threads of the process. */
  readonly name: string
  /** Files of users run there. */
  readonly isGuarded: boolean
  readonly niceness: number
  /** Milliseconds for which its code may hold the thread. */
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
  /** Megabytes that its code may hold. */
  readonly limit: number
  readonly #clock: Clock
  readonly #listener: Listener
  readonly #link: Link
  readonly #pulse = new Pulse()
  readonly #ownPatience: number
  #orders: Order[] = []
  /** When its loop last came round, by the clock. */
  #heardAt: number
  #rounds = 0
  #isReady = false
  #loading = 0
  #isOver = false

  constructor({ name, isGuarded, niceness, patience }: HandleOptions, clock: Clock, listener: Listener) {
    this.name = name
    this.#clock = clock
    this.#heardAt = clock.now()
    this.isGuarded = isGuarded
    this.#ownPatience = patience
    this.limit = isGuarded ? MEMORY.user : MEMORY.shipped
    this.#listener = listener
    const terms: Terms = { niceness, limit: this.limit, beat: isGuarded ? 25 : 50 }
    const heard = {
      message: (message: unknown) => this.#hear(message),
      ended: (cause: Cause) => this.end(cause),
    }
    this.#link = isGuarded ? openProcessLink(terms, heard) : openThreadLink(name, terms, heard)
    this.shared = this.#link.shared
  }

  /** Resolves when it is gone. A thread that stands in a system call may stay. */
  get gone(): Promise<unknown> {
    return this.#link.gone
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** How often its loop has come round. */
  get rounds(): number {
    return this.shared.rounds
  }

  /** Milliseconds in which its loop has stood still in all, by its own account. */
  get lost(): number {
    return this.shared.lost
  }

  /** Milliseconds for which its loop stands still now. */
  get stillFor(): number {
    const since = this.#clock.now() - this.#heardAt
    return since > STILL ? since : 0
  }

  /** Milliseconds for which nothing has been heard of it. */
  get silence(): number {
    return this.#pulse.silence
  }

  /** Milliseconds of that silence in which it worked, or slept though it had something to do. */
  get stood(): number {
    return this.#pulse.stood
  }

  /** Megabytes that it holds, by its own account. */
  get told(): number {
    return this.shared.used / 1024
  }

  /** Sent together with all other orders of this turn. */
  post(order: Order): void {
    if (order.do === 'load') this.#loading++
    if (this.#orders.push(order) === 1) queueMicrotask(() => this.#send())
  }

  /** A tick of the core, worth so many milliseconds: ends the worker where it blocks or holds too much. */
  tick(ms: number): void {
    if (this.#isOver) return
    const { beats, rounds, isSpawning } = this.shared
    this.#pulse.tick(beats, ms, () => this.#link.activity(), isSpawning)
    if (rounds !== this.#rounds) this.#heardAt = this.#clock.now()
    this.#rounds = rounds
    if (this.#pulse.isBlocked(this.#patience)) this.end({ kind: 'blocked', limit: this.#patience })
    else if (this.shared.used > this.limit * 1024) this.end({ kind: 'memory', limit: this.limit })
    else if ((this.#link.megabytes ?? 0) > ALL_MEMORY) this.end({ kind: 'memory', limit: ALL_MEMORY })
  }

  get #patience(): number {
    if (!this.#isReady) return BEGINNING
    return this.#loading > 0 ? LOADING : this.#ownPatience
  }

  /** Ends it, and the commands that it has under way. What it has already answered counts. */
  end(cause: Cause): void {
    if (this.#isOver) return
    this.#link.drain()
    if (this.#isOver) return
    this.#isOver = true
    this.#link.end()
    if (cause.kind === 'memory') void this.gone.then(releaseMemory)
    this.#listener.ended(cause)
  }

  #send(): void {
    if (this.#isOver) return
    const orders = this.#orders
    this.#orders = []
    this.#link.send(orders)
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
      if (report.say === 'loaded') this.#loading--
      if (report.say === 'loaded' || report.say === 'ready') this.#pulse.forgive()
      if (report.say === 'fault') this.end(report.fault)
      else this.#listener.report(report)
    }
  }
}
