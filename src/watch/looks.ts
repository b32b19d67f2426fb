/**
 * Looks at files with libuv's threads: a thread of its own takes 8 MB. After a look that hung, all others are made in such a thread, so
 * that a file server that hangs takes one of libuv's four threads at most, and only once.
 */
import type { Worker } from 'node:worker_threads'
import { besideFile, openThread } from '../system/thread.js'
import { type FileReader, pooled } from './file-readers.js'
import { type Look, Looker, type Places } from './looker.js'

/** Milliseconds after which a look counts as hanging: not on a busy machine. Until then it takes one of libuv's threads. */
const HANGS = 5000

export interface Looks {
  /** One at a time. `digest` is the known digest. */
  look(places: Places, digest: string): Promise<Look>
  close(): void
}

export interface LooksParts {
  readonly files?: FileReader
  readonly hangs?: number
}

export function openLooks({ files = pooled, hangs = HANGS }: LooksParts = {}): Looks {
  const looker = new Looker(files)
  let apart: Looks | null = null
  return {
    async look(places, digest) {
      if (apart) return apart.look(places, digest)
      const began = performance.now()
      const look = await looker.look(places, digest)
      if (performance.now() - began > hangs) apart = looksApart()
      return look
    },
    close: () => apart?.close(),
  }
}

/** The first look, and the first after the thread has ended, start it. */
function looksApart(): Looks {
  let thread: Worker | null = null
  let done: (look: Look) => void = () => {}
  const start = () => {
    const worker = openThread(besideFile(import.meta.url, 'looking-thread'), { stdout: true, stderr: true })
    worker.on('message', (look: Look) => done(look))
    // Must follow the listener, which would undo it.
    worker.unref()
    const ended = (error?: unknown) => {
      if (thread !== worker) return
      thread = null
      done({ ...NOTHING, fault: `its thread has ended (${error})` })
    }
    worker.on('error', ended)
    worker.on('exit', ended)
    return worker
  }
  return {
    look: (places, digest) =>
      new Promise(resolve => {
        done = resolve
        thread ??= start()
        thread.postMessage({ places, digest })
      }),
    close() {
      const worker = thread
      thread = null
      void worker?.terminate()
    },
  }
}

const NOTHING = { digest: null, files: [], writtenAt: 0, isMoved: false, isWritten: false } as const
