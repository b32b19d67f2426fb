/**
 * Reads a configuration in a thread of its own, for the daemon: whatever form the file has and however long it is, checks
 * go on meanwhile, and neither a file that costs too much nor a disk that hangs can hold lvsd up.
 */
import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import type { Config, Real, Service } from '../core/model.js'
import { type LoadedChecks, loadChecks } from '../kinds/find-kinds.js'
import { besideFile, openThread } from '../system/thread.js'
import { type Loaded, loadConfig, nothing } from './load.js'
import { START } from './problems/position.js'
import type { Problem } from './problems/problem.js'
import { newReport } from './problems/report.js'
import type { Answer, Head, Part, Request } from './reading-thread.js'
import { secretNames } from './secrets.js'

export interface Bounds {
  /** Milliseconds for all of it. */
  readonly patience: number
  /** MiB of heap. */
  readonly memory: number
}

/** 10,000 real servers take some seconds on a slow machine, and 200 MiB. */
const BOUNDS: Bounds = { patience: 60_000, memory: 1024 }

/** Bytes of a file up to which its reading leaves little behind in memory. */
const SMALL = 131_072

/**
 * For a start, when there are no checks yet to be held up: what is small is read in this thread, for another one costs half
 * a second in which nothing is checked.
 */
export async function loadConfigAtStart(file: string): Promise<Loaded> {
  return isSmall(file) ? loadConfig(file) : loadConfigApart(file)
}

function isSmall(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined || !stat.isFile() || stat.size <= SMALL
}

/** The same as `loadConfig`. */
export async function loadConfigApart(
  file: string,
  options: { readonly text?: string } = {},
  bounds: Bounds = BOUNDS,
): Promise<Loaded> {
  const thread = readerFor(bounds)
  // The thread takes a while to begin, in which the checks that lvsd brings can be loaded here.
  const shipped = loadChecks()
  let loaded: Loaded | null = null
  try {
    loaded = await received(thread.asking({ file, ...options }, bounds.patience), shipped)
    return loaded
  } catch (error) {
    const report = newReport(file)
    report.error(
      'TOO_COSTLY',
      START,
      `the file cannot be read: ${whyEnded(error as NodeJS.ErrnoException, bounds)}`,
    )
    return nothing(options.text ?? '', report.problems())
  } finally {
    if (loaded && loaded.text.length <= SMALL && bounds === BOUNDS) keep(thread)
    else thread.end()
  }
}

/** Milliseconds for which a thread is kept that has read a small file: to begin anew costs it half a second. */
const KEPT = 30_000

let kept: { readonly thread: Reader; readonly timer: NodeJS.Timeout } | null = null

function readerFor(bounds: Bounds): Reader {
  if (bounds !== BOUNDS || !kept) return new Reader(bounds.memory)
  const { thread, timer } = kept
  kept = null
  clearTimeout(timer)
  return thread.isEnded ? new Reader(bounds.memory) : thread
}

function keep(thread: Reader): void {
  // Two readings at once: one thread is enough to keep.
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

class Reader {
  readonly #thread: Worker
  isEnded = false

  constructor(memory: number) {
    this.#thread = openThread(besideFile(import.meta.url, 'reading-thread'), {
      resourceLimits: { maxOldGenerationSizeMb: memory },
      // Nothing that a check writes there when it is loaded concerns anybody.
      stdout: true,
      stderr: true,
    })
    this.#thread.on('error', () => {})
    this.#thread.once('exit', () => {
      this.isEnded = true
    })
  }

  /** Gives the answers to a request, each asked for as the one before is done. */
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
    // One that waits for a disk ends later, and nobody waits for it.
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

async function received(next: () => Promise<Answer>, shipped: Promise<LoadedChecks>): Promise<Loaded> {
  const first = await next()
  if (!('head' in first)) throw new Error('its thread answers in disorder')
  const { config, hidden, ...head }: Head = first.head
  const folders = config?.settings.checks ?? []
  const loading = folders.length === 0 ? shipped : loadChecks(folders)
  const [{ checks }, parts] = await Promise.all([loading, takenOver(next)])
  const { services, problems } = parts
  const hiding = { isSecret: secretNames(checks), hidden }
  return {
    ...head,
    checks,
    problems,
    hiding,
    config: config && (freeze({ ...config, services: freeze(services) }) as Config),
  }
}

async function takenOver(next: () => Promise<Answer>): Promise<{ services: Service[]; problems: Problem[] }> {
  const services: (Service & { reals: Real[] })[] = []
  const problems: Problem[] = []
  const take = (part: Part) => {
    if (part.kind === 'problems') problems.push(...part.problems)
    else if (part.kind === 'service') services.push({ ...part.service, reals: [] })
    else services.at(-1)?.reals.push(...freeze(part.reals))
  }
  for (let answer = await next(); !('isAll' in answer); answer = await next())
    if ('parts' in answer) for (const part of answer.parts) take(part)
  for (const service of services) freeze(service)
  return { services, problems }
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
  return value
}

function whyEnded({ code, message }: NodeJS.ErrnoException, { memory }: Bounds): string {
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it takes more than ${memory} MiB of memory` : message
}
