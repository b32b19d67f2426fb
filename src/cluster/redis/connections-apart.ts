/**
 * Opens connections to Redis in a thread of their own. A thread that ends, exceeds its memory or does not answer is a
 * Redis that is away: its connections end with the reason `thread`, and the next attempt starts a new one.
 *
 *   state     event                                       next
 *   none      an attempt, and the pause is over           starting
 *   none      an attempt before that                      none: the attempt fails at once
 *   starting  the thread is ready                         running
 *   starting  it ends, or START has passed                none, with a pause
 *   running   it ends, or is silent for SILENT looks      none, with a pause; all connections end
 *   any       close                                       none, without a pause
 *
 * The pause: 1 s, twice as long each time the thread ends, at most 1 min; as at first after a thread that ran for 1 min.
 */
import type { Worker } from 'node:worker_threads'
import { fault, RedisError } from '../../core/redis-fault.js'
import { besideFile, openThread } from '../../system/thread.js'
import { type Clock, systemClock } from '../../util/clock.js'
import { harmless } from '../../util/foreign-text.js'
import type { Connection, ConnectionParts, OpenConnection } from './client.js'
import type { Report, Request } from './thread-protocol.js'

export interface ApartParts {
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
  /** Takes what the library or Node.js warns of in the thread, in one line. */
  warn?(text: string): void
  /** The file of the thread; another one in tests. */
  readonly file?: URL
}

/** MiB of the heap of the thread, without the bytes of answers, which are bounded by themselves. */
const MOST_HEAP = 96
/** Milliseconds for the start of the thread. */
const START = 30_000
/** Milliseconds between two looks at whether the thread answers, and how many in a row it may miss. */
const LOOK_EVERY = 1000
const SILENT = 5
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 60_000

const THREAD = besideFile(import.meta.url, 'connection-thread')

interface Waiting {
  readonly link: number
  resolve(answer: unknown): void
  reject(error: unknown): void
}

interface Held {
  readonly parts: ConnectionParts
  opened(connection: Connection): void
  failed(error: unknown): void
  isOpen: boolean
}

export class ConnectionsApart {
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #warn: (text: string) => void
  readonly #file: URL
  #worker: Worker | null = null
  #ready: Promise<void> | null = null
  #isReady = () => {}
  /** Ends the wait for the start of the thread. */
  #refuse: (error: unknown) => void = () => {}
  #startedAt = 0
  #pause = FIRST_PAUSE
  #notBefore = 0
  #missed = 0
  #cancel = () => {}
  #last = 0
  readonly #links = new Map<number, Held>()
  readonly #waiting = new Map<number, Waiting>()

  constructor({ clock = systemClock, warn = () => {}, file = THREAD }: ApartParts = {}) {
    this.#clock = clock
    this.#warn = warn
    this.#file = file
  }

  /** Starts the thread unless it runs. Rejects if it does not run in time. */
  ready(): Promise<void> {
    if (this.#ready) return this.#ready
    const begun = this.#begin()
    this.#ready = begun
    begun.catch(() => {
      if (this.#ready === begun) this.#ready = null
    })
    return begun
  }

  /** Opens a connection in the thread, which is started if need be. */
  readonly open: OpenConnection = async parts => {
    await this.ready()
    const link = ++this.#last
    return new Promise((opened, failed) => {
      this.#links.set(link, { parts, opened, failed, isOpen: false })
      this.#tell({ kind: 'open', link, settings: parts.settings, attempt: parts.attempt })
    })
  }

  /** Ends the thread and all connections, without a word to who has opened them. What waits is rejected. */
  close(): void {
    const closed = new Error('Connection is closed')
    const worker = this.#leave()
    this.#notBefore = 0
    const links = [...this.#links.values()]
    const waiting = [...this.#waiting.values()]
    this.#links.clear()
    this.#waiting.clear()
    this.#refuse(closed)
    for (const { isOpen, failed } of links) if (!isOpen) failed(closed)
    for (const { reject } of waiting) reject(closed)
    void worker?.terminate()
  }

  // ---------------------------------------------------------------- the thread

  async #begin(): Promise<void> {
    const left = this.#notBefore - this.#clock.now()
    if (left > 0) throw new RedisError(fault('thread', `another one starts in ${Math.ceil(left / 1000)} s`))
    this.#startedAt = this.#clock.now()
    return new Promise((resolve, reject) => {
      try {
        const worker = startThread(this.#file)
        this.#worker = worker
        this.#refuse = reject
        const ended = (error: unknown) => {
          if (worker !== this.#worker) return
          const found = new RedisError(fault('thread', whyEnded(error)))
          this.#ended(found)
          reject(found)
        }
        worker.on('message', (report: Report) => worker === this.#worker && this.#take(report))
        // Must follow the listener, which would undo it.
        worker.unref()
        worker.on('error', ended)
        worker.on('exit', () => ended(null))
        this.#cancel = this.#clock.alarm(START, () => {
          ended(new Error(`it does not run after ${START / 1000} s`))
          void worker.terminate()
        })
        this.#isReady = () => {
          this.#cancel()
          this.#look(worker)
          resolve()
        }
      } catch (error) {
        const found = new RedisError(fault('thread', (error as Error).message))
        this.#ended(found)
        reject(found)
      }
    })
  }

  /** Asks the thread again and again whether it answers. After a stop of this process one look misses, not five. */
  #look(worker: Worker): void {
    this.#cancel = this.#clock.alarm(LOOK_EVERY, () => {
      if (this.#missed++ >= SILENT) {
        this.#ended(new RedisError(fault('thread', `it did not answer for ${SILENT} s`)))
        void worker.terminate()
        return
      }
      this.#tell({ kind: 'alive?' })
      this.#look(worker)
    })
  }

  #ended(error: RedisError): void {
    const now = this.#clock.now()
    if (now - this.#startedAt > LONGEST_PAUSE) this.#pause = FIRST_PAUSE
    this.#notBefore = now + this.#pause
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
    this.#leave()
    const links = [...this.#links.values()]
    const waiting = [...this.#waiting.values()]
    this.#links.clear()
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
    for (const { isOpen, failed, parts } of links)
      if (isOpen) parts.onEnd(error)
      else failed(error)
  }

  #leave(): Worker | null {
    const worker = this.#worker
    this.#worker = null
    this.#ready = null
    this.#missed = 0
    this.#cancel()
    return worker
  }

  #tell(request: Request): void {
    this.#worker?.postMessage(request)
  }

  // ---------------------------------------------------------------- connections

  #take(report: Report): void {
    this.#missed = 0
    if (report.kind === 'ready') this.#isReady()
    else if (report.kind === 'opened') this.#opened(report.link)
    else if (report.kind === 'ended') this.#linkEnded(report.link, errorOf(report.error))
    else if (report.kind === 'messages') this.#hear(report)
    else if (report.kind === 'warning') this.#warn(harmless(report.text))
    else if (report.kind === 'answer') {
      this.#tell({ kind: 'taken', size: report.size })
      this.#settle(report.id)?.resolve(report.answer)
    } else if (report.kind === 'error') this.#settle(report.id)?.reject(errorOf(report.error))
  }

  #opened(link: number): void {
    const held = this.#links.get(link)
    if (!held) return
    held.isOpen = true
    held.opened({
      send: (command, args) => {
        if (this.#links.get(link) !== held) return Promise.reject(new Error('Connection is closed'))
        const id = ++this.#last
        return new Promise((resolve, reject) => {
          this.#waiting.set(id, { link, resolve, reject })
          this.#tell({ kind: 'send', link, id, command, args })
        })
      },
      close: () => {
        if (!this.#links.delete(link)) return
        this.#tell({ kind: 'close', link })
        this.#rejectAll(link, new Error('Connection is closed'))
      },
    })
  }

  #linkEnded(link: number, error: unknown): void {
    const held = this.#links.get(link)
    if (!held) return
    this.#links.delete(link)
    this.#rejectAll(link, error)
    if (held.isOpen) held.parts.onEnd(error)
    else held.failed(error)
  }

  #rejectAll(link: number, error: unknown): void {
    for (const [id, { link: its, reject }] of this.#waiting)
      if (its === link) {
        this.#waiting.delete(id)
        reject(error)
      }
  }

  #settle(id: number): Waiting | null {
    const waiting = this.#waiting.get(id) ?? null
    this.#waiting.delete(id)
    return waiting
  }

  #hear({ messages, lost }: Report & { readonly kind: 'messages' }): void {
    this.#tell({ kind: 'heard' })
    for (const { link, channel, text } of messages) this.#links.get(link)?.parts.onMessage(channel, text)
    for (const { link, channel } of lost) this.#links.get(link)?.parts.onLost?.(channel)
  }
}

function startThread(file: URL): Worker {
  const worker = openThread(file, {
    name: 'redis',
    // With DEBUG, the library writes what it sends, passwords too.
    env: { ...process.env, DEBUG: '' },
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP, maxYoungGenerationSizeMb: 16 },
  })
  // What is written before the thread passes warnings on would wait in memory for a reader.
  worker.stdout.resume()
  worker.stderr.resume()
  return worker
}

function whyEnded(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it needed more than ${MOST_HEAP} MiB` : (message ?? '')
}

function errorOf(told: { readonly code: string; readonly message: string }): Error {
  return Object.assign(new Error(told.message), { code: told.code })
}
