/**
 * Opens the engine's thread. A director that starts opens it first of all: Node.js takes half as long for a thread as for a process,
 * and the thread is ready when the configuration has been read, if there is a second processor.
 */
import type { Worker } from 'node:worker_threads'
import { ownPortTurns } from '../../probe/engine/port-turns.js'
import { openWaker } from '../../system/epoll.js'
import { leftOpen, newDescriptorNotes } from '../../system/noted-descriptors.js'
import { closeDescriptor, isEpollSupported } from '../../system/numeric-calls.js'
import { besideFile, openThread } from '../../system/thread.js'
import { type EngineStart, newSharedTimes } from './protocol.js'

type Shared = Omit<EngineStart, 'descriptors' | 'portTurns'>

/** A thread that waits for its terms. */
export interface EngineThread extends Shared {
  readonly worker: Worker
}

/** MiB. V8 makes three parts of it, 1 MiB each. Little of what the thread makes outlives a run. */
const YOUNG_HEAP = 3
const THREAD = besideFile(import.meta.url, 'engine-thread')

let early: EngineThread | null = null

/** Opens a thread, which waits for its terms. Throws if there is none. */
export function openEngineThread(start: Shared, file = THREAD): Worker {
  const descriptors = newDescriptorNotes()
  const worker = openThread(file, {
    name: 'engine',
    workerData: { ...start, descriptors, portTurns: ownPortTurns() } satisfies EngineStart,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_HEAP },
  })
  // One that was terminated has closed nothing.
  worker.on('exit', () => {
    for (const fd of leftOpen(descriptors)) closeDescriptor(fd)
  })
  return worker
}

/**
 * Opens a thread for the engine that will be opened, once. Returns null where that fails; opened again, the engine says why.
 */
export function openEngineEarly(): EngineThread | null {
  if (early || !isEpollSupported()) return early
  try {
    const start: Shared = { waker: openWaker(), shared: newSharedTimes() }
    const opened = { ...start, worker: openEngineThread(start) }
    opened.worker.unref()
    opened.worker.on('error', () => {}).on('exit', () => forget(opened))
    early = opened
  } catch {
    early = null
  }
  return early
}

function forget(thread: EngineThread): void {
  if (early === thread) dropEarlyEngine()
}

/** Returns the thread that was opened early; null: there is none, or none any more. */
export function takeEarlyEngine(): EngineThread | null {
  const taken = early
  early = null
  return taken
}

/** Ends the thread that was opened early, if there is one: the director runs no engine. */
export function dropEarlyEngine(): void {
  const dropped = takeEarlyEngine()
  if (!dropped) return
  dropped.worker.postMessage(null)
  closeDescriptor(dropped.waker)
}
