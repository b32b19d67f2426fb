/** One worker as the core holds it: orders go in, reports come out, and it can be ended whatever it is doing. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, type Worker } from 'node:worker_threads'
import type { Clock } from '../clock.js'
import { releaseMemory } from '../libc.js'
import { codeOf } from '../user-checks/read-kind.js'
import type { Cause } from './cause.js'
import { messageOf } from './guards.js'
import type { Order, Report, Terms } from './messages.js'
import { endGroups } from './orphans.js'
import { activityOf } from './process-facts.js'
import { Pulse } from './pulse.js'
import { readReports } from './read-reports.js'
import { SharedState } from './shared.js'
import { watchEnd } from './stuck-threads.js'
import { besideFile, openForeignThread, openThread } from './thread.js'

const ENTRY = besideFile(import.meta.url, 'entry')
/** Milliseconds that a thread may take to begin, on a busy machine; nobody's check runs yet. */
const BEGINNING = 15_000
/** The same for the import of a file, with the libraries that it needs. */
const LOADING = 5000
/** Megabytes that code may hold in a worker. A user's worker is the second. */
const MEMORY = { shipped: 192, user: 80 }
/**
 * V8's own limit, megabytes. Not what bounds a worker: where a single step needs more than is left, as a growing array does,
 * V8 ends the whole process. So it stands far above anything that the core lets a worker reach.
 */
const HEAP = 3072
/** Of the part of the heap where objects are born, megabytes. */
const YOUNG = 24

/** Milliseconds between the end of the way to the core and that of the thread, where one brings the other. */
const CLOSED = 200

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
  readonly shared = new SharedState()
  /** Megabytes that its code may hold. */
  readonly limit: number
  readonly #clock: Clock
  readonly #listener: Listener
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #pulse = new Pulse()
  readonly #ownPatience: number
  #orders: Order[] = []
  /** When its loop last came round, by the clock. */
  #heardAt: number
  #rounds = 0
  #isReady = false
  #loading = 0
  #isOver = false
  /** Node reads from a port only while it is open, and crashes on any other. */
  #isPortOpen = true
  /** Resolves when the thread is gone. One that stands in a system call may stay. */
  gone: Promise<unknown>

  constructor({ name, isGuarded, niceness, patience }: HandleOptions, clock: Clock, listener: Listener) {
    this.name = name
    this.#clock = clock
    this.#heardAt = clock.now()
    this.isGuarded = isGuarded
    this.#ownPatience = patience
    this.limit = isGuarded ? MEMORY.user : MEMORY.shipped
    this.#listener = listener
    const { port1, port2 } = new MessageChannel()
    const terms: Terms = {
      memory: this.shared.memory,
      isGuarded,
      niceness,
      limit: this.limit,
      beat: isGuarded ? 25 : 50,
    }
    this.#port = port1
    const open = isGuarded ? openForeignThread : openThread
    this.#worker = open(ENTRY, {
      name,
      workerData: { port: port2, terms },
      transferList: [port2],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: HEAP, maxYoungGenerationSizeMb: YOUNG },
    })
    this.gone = new Promise(resolve => this.#worker.once('exit', resolve))
    port1.on('message', message => this.#hear(message))
    port1.on('messageerror', () => this.end(GARBLED))
    // Code in the thread can close it; nothing would be heard of the runs there any more.
    port1.on('close', () => {
      this.#isPortOpen = false
      // A thread that ends closes it as well, and says why in a moment.
      setTimeout(() => this.end(GARBLED), CLOSED).unref()
    })
    this.#worker.on('error', error => this.end(causeOf(error, this.limit)))
    this.#worker.on('exit', code => this.end({ kind: 'died', detail: `exit code ${code}` }))
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
    const { beats, rounds, isSpawning, thread } = this.shared
    this.#pulse.tick(beats, ms, () => activityOf(thread), isSpawning)
    if (rounds !== this.#rounds) this.#heardAt = this.#clock.now()
    this.#rounds = rounds
    if (this.#pulse.isBlocked(this.#patience)) this.end({ kind: 'blocked', limit: this.#patience })
    else if (this.shared.used > this.limit * 1024) this.end({ kind: 'memory', limit: this.limit })
  }

  get #patience(): number {
    if (!this.#isReady) return BEGINNING
    return this.#loading > 0 ? LOADING : this.#ownPatience
  }

  /** Ends the thread and the commands that it has under way. What it has already answered counts. */
  end(cause: Cause): void {
    if (this.#isOver) return
    this.#drain()
    if (this.#isOver) return
    this.#isOver = true
    this.#port.close()
    void this.#worker.terminate().catch(() => {})
    // A thread in a system call that never ends must not keep lvsd from ending.
    this.#worker.unref()
    watchEnd(this, this.gone)
    const { groups, thread, isSpawning } = this.shared
    endGroups({ groups, thread, isSpawning, gone: this.gone })
    if (cause.kind === 'memory') void this.gone.then(releaseMemory)
    this.#listener.ended(cause)
  }

  #send(): void {
    if (this.#isOver) return
    const orders = this.#orders
    this.#orders = []
    this.#port.postMessage(orders)
  }

  #drain(): void {
    while (this.#isPortOpen && !this.#isOver) {
      const got = receiveMessageOnPort(this.#port)
      if (!got) return
      this.#hear(got.message)
    }
  }

  #hear(message: unknown): void {
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

const GARBLED: Cause = { kind: 'garbled' }

/** What Node says of a thread that ended by itself. Anything can be thrown there. */
function causeOf(error: unknown, limit: number): Cause {
  if (codeOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') return { kind: 'memory', limit }
  return { kind: 'threw', detail: messageOf(error), run: null }
}
