/**
 * A thread that performs writes in sequence. A disk, file server or reader that hangs blocks only this thread, not lvsd
 * and not libuv's four threads for file operations.
 */
import { constants } from 'node:fs'
import { Worker } from 'node:worker_threads'

export interface Writer {
  /**
   * Writes to a descriptor, or appends to the file at a path. Resolves with null or the error; never rejects. Nothing
   * is dropped, so the caller must wait for one write before the next.
   */
  write(to: number | string, bytes: Uint8Array): Promise<WriteError | null>
}

/** `written`: bytes that were written before the error. */
export type WriteError = Error & { readonly written?: number }

/** With O_NONBLOCK, opening a pipe (FIFO) without a reader fails immediately. */
const FLAG = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
/** Milliseconds between attempts while a descriptor is not writable. */
export const PAUSE = 100

/**
 * The code of the thread, as text, because it needs only Node: no loader and no other module. It waits for a descriptor
 * that is not writable, but not for a pipe opened by path, because writes to other files are queued after it.
 */
const THREAD = `
const { parentPort } = require('node:worker_threads')
const { closeSync, openSync, writeSync } = require('node:fs')
const clock = new Int32Array(new SharedArrayBuffer(4))
function put(fd, bytes, isPatient) {
  for (let at = 0; at < bytes.length;)
    try {
      at += writeSync(fd, bytes, at)
    } catch (error) {
      if (error.code !== 'EAGAIN' || !isPatient) throw Object.assign(error, { written: at })
      Atomics.wait(clock, 0, 0, ${PAUSE})
    }
}
function append(path, bytes) {
  const fd = openSync(path, ${FLAG}, 0o666)
  try {
    put(fd, bytes, false)
  } finally {
    closeSync(fd)
  }
}
parentPort.on('message', ({ id, to, bytes }) => {
  let failure = null
  try {
    if (typeof to === 'number') put(to, bytes, true)
    else append(to, bytes)
  } catch ({ code, message, written }) {
    failure = { code, message, written }
  }
  parentPort.postMessage({ id, failure })
})
`

interface Done {
  readonly id: number
  readonly failure: { readonly code?: string; readonly message: string; readonly written?: number } | null
}

/** Opens a writer. The first write starts the thread, which does not keep the process alive. */
export function openWriter(): Writer {
  const waiting = new Map<number, (error: WriteError | null) => void>()
  let thread: Worker | null = null
  let last = 0

  const start = () => {
    const worker = new Worker(THREAD, { eval: true, execArgv: [], env: {} })
    worker.on('message', ({ id, failure }: Done) => {
      waiting.get(id)?.(failure && Object.assign(new Error(failure.message), failure))
      waiting.delete(id)
    })
    // Must follow the listener, which would undo it.
    worker.unref()
    // The code of the thread does not fail. If the system ends the thread, the next write starts a new one.
    const ended = (error: Error) => {
      if (thread === worker) thread = null
      for (const done of waiting.values()) done(error)
      waiting.clear()
    }
    worker.on('error', ended)
    worker.on('exit', () => ended(new Error('the writer thread has ended')))
    return worker
  }

  return {
    write(to, bytes) {
      return new Promise(resolve => {
        try {
          thread ??= start()
          waiting.set(++last, resolve)
          thread.postMessage({ id: last, to, bytes })
        } catch (error) {
          resolve(error as Error)
        }
      })
    },
  }
}
