/**
 * Threads that are opened before the program that uses them is loaded: they start while it loads. In a build the entry and the
 * program are two files with a copy of each module, so what is opened is kept at a place that the process has once.
 */
import type { Worker } from 'node:worker_threads'

/** A thread, with what only its opener knows. */
export interface EarlyThread {
  readonly worker: Worker
}

type Places = Map<string, EarlyThread>

const PLACE = Symbol.for('lvsd.early-threads')

/** Keeps a thread under a name, until it is taken or has ended. The process does not wait for it. */
export function keepEarlyThread(name: string, thread: EarlyThread): void {
  const { worker } = thread
  places().set(name, thread)
  worker.unref()
  // Who takes it opens another one if it has failed, and learns why.
  worker.on('error', () => {})
  worker.once('exit', () => {
    if (places().get(name) === thread) places().delete(name)
  })
}

/** Returns the thread that is kept under this name, which is kept no longer; null: there is none. */
export function takeEarlyThread<T extends EarlyThread>(name: string): T | null {
  const thread = earlyThread<T>(name)
  places().delete(name)
  return thread
}

/** Returns the thread that is kept under this name. The caller knows what was kept. */
export function earlyThread<T extends EarlyThread>(name: string): T | null {
  return (places().get(name) as T | undefined) ?? null
}

function places(): Places {
  const known = globalThis as { [PLACE]?: Places }
  known[PLACE] ??= new Map()
  return known[PLACE]
}
