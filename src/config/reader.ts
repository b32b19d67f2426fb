/** The thread that reads configurations, as the one who opened it sees it. Imports nothing of what reads them. */
import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { earlyThread, keepEarlyThread, takeEarlyThread } from '../system/early-threads.js'
import { besideFile, openThread } from '../system/thread.js'
import type { Answer, Request } from './reading-thread.js'

export interface Bounds {
  /** Time limit of the whole read in milliseconds. */
  readonly patience: number
  /** Limit of the heap in MiB. */
  readonly memory: number
}

/** Limits of the daemon. 10,000 real servers need a few seconds on a slow machine, and 200 MiB. */
export const BOUNDS: Bounds = { patience: 60_000, memory: 1024 }

/**
 * Size limit in bytes of a file that a start reads in the main thread: some 17,000 real servers. That takes less processor time and memory
 * than a thread, and is over as soon, since no checks run yet. What a longer one leaves in memory would take long to be given back.
 */
export const SMALL = 524_288

export function isSmall(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined || !stat.isFile() || stat.size <= SMALL
}

/**
 * Opens the thread for the next reading, if that file is long. A director that starts calls this first of all: the thread needs as
 * long as this one until it can read. Returns false for a small file, and where there is no thread.
 */
export function openReaderEarly(file: string): boolean {
  if (isSmall(file)) return false
  if (earlyThread(NAME)) return true
  try {
    keepEarlyThread(NAME, { worker: openReadingThread(BOUNDS.memory) })
  } catch {
    // Tried again, it says why.
    return false
  }
  return true
}

const NAME = 'reader'

/** `memory`: limit of its heap in MiB. */
function openReadingThread(memory: number): Worker {
  return openThread(besideFile(import.meta.url, 'reading-thread'), {
    resourceLimits: { maxOldGenerationSizeMb: memory },
    // The output of users' kinds while they are loaded is discarded.
    stdout: true,
    stderr: true,
  })
}

/** Time in milliseconds for which a thread is kept after it has read a short text. A new thread costs half a second. */
const KEPT = 30_000
/** Limit of such a text in characters: reading it leaves little garbage in the memory of the thread. */
export const KEPT_UNTIL = 131_072

let kept: { readonly thread: Reader; readonly timer: NodeJS.Timeout } | null = null

/** Throws if no thread can be started: the limit of processes is reached. */
export function readerFor(bounds: Bounds): Reader {
  if (bounds !== BOUNDS) return new Reader(openReadingThread(bounds.memory))
  if (!kept) return new Reader(takeEarlyThread(NAME)?.worker ?? openReadingThread(bounds.memory))
  const { thread, timer } = kept
  kept = null
  clearTimeout(timer)
  return thread.isEnded ? new Reader(openReadingThread(bounds.memory)) : thread
}

export function keepReader(thread: Reader): void {
  // After two simultaneous reads, only one thread is kept.
  if (kept) {
    thread.end()
    return
  }
  thread.rest()
  const timer = setTimeout(() => {
    kept = null
    thread.end()
  }, KEPT).unref()
  kept = { thread, timer }
}

export class Reader {
  readonly #thread: Worker
  isEnded = false

  constructor(thread: Worker) {
    this.#thread = thread
    this.#thread.on('error', () => {})
    this.#thread.once('exit', () => {
      this.isEnded = true
    })
  }

  /** Sends the request. Returns a function that requests and returns the next answer. */
  asking(request: Request, patience: number): () => Promise<Answer> {
    const thread = this.#thread
    thread.ref()
    const controller = new AbortController()
    const { signal } = controller
    const timer = setTimeout(
      () => controller.abort(new Error(`it takes longer than ${patience / 1000} s`)),
      patience,
    )
    const onError = (error: Error) => controller.abort(error)
    const onExit = (code: number) => controller.abort(new Error(`its thread ended with ${code}`))
    thread.once('error', onError).once('exit', onExit)
    let message: Request = request
    return async () => {
      thread.postMessage(message)
      message = 'next'
      const answer = await nextOf(thread, signal)
      if ('isAll' in answer) {
        clearTimeout(timer)
        thread.off('error', onError).off('exit', onExit)
      }
      return answer
    }
  }

  rest(): void {
    this.#thread.unref()
  }

  end(): void {
    // A thread that waits for a disk ends later. lvsd does not wait for it.
    void this.#thread.terminate()
    this.#thread.unref()
  }
}

async function nextOf(thread: Worker, signal: AbortSignal): Promise<Answer> {
  try {
    const [answer] = await once(thread, 'message', { signal })
    return answer as Answer
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}
