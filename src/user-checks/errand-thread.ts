/** Starts the thread of an errand, in `dist` as in the sources. */
import type { Worker, WorkerOptions } from 'node:worker_threads'
import { besideFile, openForeignThread } from '../workers/thread.js'

export function openErrandThread(options: WorkerOptions): Worker {
  return openForeignThread(besideFile(import.meta.url, 'worker-entry'), options)
}
