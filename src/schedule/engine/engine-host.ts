/**
 * Keeps the engine's thread: starts it, hears it, and starts it again.
 *
 *   state     event                                     next
 *   starting  it is ready                               running
 *   starting  its self-test fails, it ends, or START    given up; starting if it ended and had first orders
 *             looks have passed
 *   running   it ends, or hangs for SILENT looks        starting; given up if it ended less than AGAIN ago before
 *   any       close                                     closed
 */
import type { Worker } from 'node:worker_threads'
import { ownPortTurns } from '../../probe/engine/port-turns.js'
import { openWaker, wake } from '../../system/epoll.js'
import { leftOpen } from '../../system/noted-descriptors.js'
import { closeDescriptor } from '../../system/numeric-calls.js'
import type { Clock } from '../../util/clock.js'
import { type EngineThread, openEngineThread, takeEarlyEngine } from './early-engine.js'
import type { FirstOrders } from './first-orders.js'
import {
  COUNT,
  type EngineTerms,
  newSharedTimes,
  type Order,
  type Report,
  type SharedTimes,
} from './protocol.js'

export interface EngineHostParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly cap: number
  readonly hasSources: boolean
  onReport(report: Report): void
  /** A new thread runs without jobs, because the one before has ended. */
  onRestart(why: string): void
  /** There is no thread any more. */
  onGivenUp(why: string): void
  /** The file of the thread; another one in tests. */
  readonly file?: URL
}

/** Milliseconds between two looks at whether the thread turns, and how many in a row it may miss. */
const LOOK_EVERY = 1000
const SILENT = 5
/** Number of looks until it must be ready. */
const START = 30
/** Milliseconds. A thread that ends twice within this time is given up. */
const AGAIN = 60_000
/** Milliseconds for the end of the thread. */
const LAST_PATIENCE = 1000

export class EngineHost {
  readonly shared: SharedTimes
  /** What the thread has begun before there was this host; null: nothing. */
  readonly first: FirstOrders | null
  readonly #parts: EngineHostParts
  readonly #waker: number
  #worker: Worker | null = null
  #isReady = false
  /** The thread is the one with first orders. */
  #hasFirst: boolean
  #endedAt = Number.NEGATIVE_INFINITY
  #orders: Order[] = []
  #turns = 0
  #missed = 0
  #cancelLook = () => {}
  /** `process.exit` waits for the thread, which waits in epoll. */
  readonly #endWithProcess = () => {
    this.shared.counts[COUNT.isEnding] = 1
    wake(this.#waker)
  }

  /** Throws if there is no epoll or no thread. */
  constructor(parts: EngineHostParts) {
    this.#parts = parts
    const { thread: early, first } = parts.file ? NO_THREAD : takenEarly(parts)
    this.shared = early?.shared ?? newSharedTimes()
    this.first = first
    this.#hasFirst = first !== null
    try {
      this.#waker = openWaker()
    } catch (error) {
      early?.worker.postMessage(null)
      throw error
    }
    try {
      this.#start(early)
    } catch (error) {
      closeDescriptor(this.#waker)
      throw error
    }
    process.on('exit', this.#endWithProcess)
  }

  /** Sends an order, together with those of the same turn of the event loop. */
  order(order: Order): void {
    if (this.#orders.push(order) === 1) queueMicrotask(() => this.#send())
  }

  /** Resolves when the thread has ended. */
  async close(): Promise<void> {
    const worker = this.#leave()
    process.off('exit', this.#endWithProcess)
    if (!worker) return
    const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
    worker.postMessage([{ kind: 'close' }])
    wake(this.#waker)
    const cancel = this.#parts.clock.alarm(LAST_PATIENCE, () => void worker.terminate())
    await ended
    cancel()
    closeDescriptor(this.#waker)
  }

  #start(opened: EngineThread | null = null): void {
    const { cap, hasSources, file } = this.#parts
    const { worker, descriptors } = opened ?? openEngineThread(this.shared, file)
    const terms: EngineTerms = { waker: this.#waker, portTurns: ownPortTurns(), cap, hasSources }
    worker.postMessage(terms)
    this.#worker = worker
    this.#isReady = false
    const ended = (why: string) => worker === this.#worker && this.#ended(why)
    worker.on('message', (report: Report) => worker === this.#worker && this.#hear(report))
    // Must follow the listener, which would undo it. The director has what keeps the process alive.
    worker.unref()
    worker.on('error', error => ended(error.message))
    worker.on('exit', code => {
      // One that was terminated has closed nothing.
      for (const fd of leftOpen(descriptors)) closeDescriptor(fd)
      ended(`it ended with ${code}`)
    })
    this.#look()
  }

  #send(): void {
    const orders = this.#orders
    this.#orders = []
    if (!this.#worker || orders.length === 0) return
    this.#worker.postMessage(orders)
    if (this.#isReady) wake(this.#waker)
  }

  #hear(report: Report): void {
    if (report.kind === 'unfit') this.#giveUp(`its self-test failed: ${report.why}`)
    else if (report.kind !== 'ready') this.#parts.onReport(report)
    else {
      this.#isReady = true
      this.#missed = 0
      // For the orders that came while it started.
      wake(this.#waker)
    }
  }

  /** Looks again and again whether the thread turns. After a stop of this process one look misses, not five. */
  #look(): void {
    this.#cancelLook = this.#parts.clock.alarm(LOOK_EVERY, () => {
      const turns = this.shared.counts[COUNT.turns] ?? 0
      this.#missed = turns === this.#turns ? this.#missed + 1 : 0
      this.#turns = turns
      if (this.#missed < (this.#isReady ? SILENT : START)) this.#look()
      else this.#hung()
    })
  }

  #hung(): void {
    const hung = this.#worker
    this.#ended(`it has not answered for ${(this.#missed * LOOK_EVERY) / 1000} s`)
    void hung?.terminate()
  }

  #ended(why: string): void {
    const { now } = this.#parts.clock
    const isAgain = now() - this.#endedAt < AGAIN
    this.#endedAt = now()
    if ((this.#isReady || this.#hasFirst) && !isAgain) this.#restart(why)
    else this.#giveUp(why)
  }

  #restart(why: string): void {
    this.#leave()
    this.#hasFirst = false
    try {
      this.#start()
      this.#parts.onRestart(why)
    } catch (error) {
      this.#giveUp((error as Error).message)
    }
  }

  /** The descriptor of the waker stays open, because the thread may still use its number. */
  #giveUp(why: string): void {
    const worker = this.#leave()
    process.off('exit', this.#endWithProcess)
    void worker?.terminate()
    this.#parts.onGivenUp(why)
  }

  #leave(): Worker | null {
    const worker = this.#worker
    this.#worker = null
    this.#orders = []
    this.#missed = 0
    this.#cancelLook()
    return worker
  }
}

const NO_THREAD = { thread: null, first: null } as const

/** Returns the thread that was opened early, unless it runs on other terms, which ends it. */
function takenEarly({ cap, hasSources }: EngineHostParts): {
  readonly thread: EngineThread | null
  readonly first: FirstOrders | null
} {
  const thread = takeEarlyEngine()
  const first = thread?.first ?? null
  if (!first || (first.cap === cap && first.hasSources === hasSources)) return { thread, first }
  thread?.worker.postMessage(null)
  return NO_THREAD
}
