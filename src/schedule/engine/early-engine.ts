/**
 * Opens the engine's thread. A director that starts opens it first of all: Node.js takes half as long for a thread as for a process,
 * and the thread is ready when the configuration has been read, if there is a second processor. Loads nothing else of lvsd.
 */
import { statSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { earlyThread, keepEarlyThread, takeEarlyThread } from '../../system/early-threads.js'
import { newDescriptorNotes } from '../../system/noted-descriptors.js'
import { besideFile, openThread } from '../../system/thread.js'
import type { FirstOrders } from './first-orders.js'
import { type EngineStart, newSharedTimes, type SharedTimes } from './protocol.js'

/** A thread that waits for its terms. Who takes it closes what it leaves open. */
export interface EngineThread extends EngineStart {
  readonly worker: Worker
  /** What it runs until then; null: nothing. */
  first: FirstOrders | null
}

/** MiB. V8 makes three parts of it, 1 MiB each. Little of what the thread makes outlives a run. */
const YOUNG_HEAP = 3
const THREAD = besideFile(import.meta.url, 'engine-thread')
const NAME = 'engine'

/** Identifies the program of the thread, and the Node.js that runs it: only those for which first orders were written take them. */
export function engineProgram(): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(THREAD)
  return [process.version, ino, size, mtimeMs, ctimeMs].join(' ')
}

/** Opens a thread, which waits for its terms. Throws if there is none. */
export function openEngineThread(shared: SharedTimes, file = THREAD): EngineThread {
  const start: EngineStart = { shared, descriptors: newDescriptorNotes() }
  const worker = openThread(file, {
    name: NAME,
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_HEAP },
  })
  return { ...start, worker, first: null }
}

/**
 * Opens a thread for the engine that will be opened, once. Returns null where that fails; opened again, the engine says why.
 */
export function openEngineEarly(): EngineThread | null {
  const opened = earlyThread<EngineThread>(NAME)
  if (opened) return opened
  try {
    keepEarlyThread(NAME, openEngineThread(newSharedTimes()))
  } catch {
    return null
  }
  return earlyThread(NAME)
}

/** Lets a thread that was opened early begin these checks, before it has its terms. */
export function beginEarly(thread: EngineThread, first: FirstOrders): void {
  thread.first = first
  thread.worker.postMessage(first)
}

/** Returns the thread that was opened early; null: there is none, or none any more. */
export function takeEarlyEngine(): EngineThread | null {
  return takeEarlyThread(NAME)
}

/** Ends the thread that was opened early, if there is one: the director runs no engine. Resolves when it has ended. */
export async function dropEarlyEngine(): Promise<void> {
  const worker = takeEarlyEngine()?.worker
  if (!worker) return
  const ended = new Promise<void>(resolve => worker.once('exit', () => resolve()))
  worker.postMessage(null)
  await ended
}
