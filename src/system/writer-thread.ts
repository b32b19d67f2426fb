/**
 * A thread that writes, one thing after the other: a disk, a file server or a reader that hangs holds up this thread, and
 * neither lvsd nor the four threads of libuv that it reads files with.
 */
import { constants } from 'node:fs'
import { Worker } from 'node:worker_threads'

export interface Writer {
  /**
   * Writes to a descriptor, or at the end of the file of that path. Resolves with null, or with what went wrong, once it
   * is done; never rejects. Nothing is dropped here: whoever calls waits for one before the next.
   */
  write(to: number | string, bytes: Uint8Array): Promise<Error | null>
}

/** A pipe (FIFO) that nobody reads is an error at once. */
const FLAG = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
/** Between two attempts while a descriptor takes nothing, milliseconds. */
const PAUSE = 100

/**
 * What runs in the thread. As a text, for it needs nothing but Node: no loader, no other module. A descriptor that takes
 * nothing is waited for; a pipe by its path is not, for other files wait behind it.
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
      if (error.code !== 'EAGAIN' || !isPatient) throw error
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
  } catch ({ code, message }) {
    failure = { code, message }
  }
  parentPort.postMessage({ id, failure })
})
`

interface Done {
  readonly id: number
  readonly failure: { readonly code?: string; readonly message: string } | null
}

/** The thread is started by the first write, and keeps no process alive. */
export function openWriter(): Writer {
  const waiting = new Map<number, (error: Error | null) => void>()
  let thread: Worker | null = null
  let last = 0

  const start = () => {
    const worker = new Worker(THREAD, { eval: true, execArgv: [], env: {} })
    worker.on('message', ({ id, failure }: Done) => {
      waiting.get(id)?.(failure && Object.assign(new Error(failure.message), { code: failure.code }))
      waiting.delete(id)
    })
    // After the listener, which would take it back.
    worker.unref()
    // It has no code that could fail; should the machine end it, the next write starts another.
    const ended = (error: Error) => {
      if (thread === worker) thread = null
      for (const done of waiting.values()) done(error)
      waiting.clear()
    }
    worker.on('error', ended)
    worker.on('exit', () => ended(new Error('the thread that writes has ended')))
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
