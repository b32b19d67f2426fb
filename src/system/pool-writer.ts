/**
 * Writes to a descriptor with libuv's threads: a thread of its own takes 60 ms of a processor and 8 MB, which a start feels. After a
 * write that hung, all others go to such a thread, so that a descriptor takes one of libuv's four threads at most, and only once.
 */
import { write } from 'node:fs'
import { openWriter, PAUSE, type WriteError, type Writer } from './writer-thread.js'

/** Milliseconds after which a write counts as hanging. */
const HANGS = 1000

export interface PoolWriterParts {
  /** Opens what writes after a write that hung. */
  readonly open?: () => Writer
  readonly hangs?: number
}

/** Opens a writer for descriptors. It waits for one that is not writable, and writes nothing twice. */
export function openPoolWriter({ open = openWriter, hangs = HANGS }: PoolWriterParts = {}): Writer {
  let apart: Writer | null = null
  return {
    async write(to, bytes) {
      if (apart || typeof to === 'string') {
        apart ??= open()
        return apart.write(to, bytes)
      }
      let error: WriteError | null = null
      for (let at = 0; at < bytes.length && !error; ) {
        const began = performance.now()
        const done = await writeOnce(to, bytes, at)
        if (performance.now() - began > hangs) apart ??= open()
        at += done.written
        if (done.error?.code === 'EAGAIN') await pause()
        else if (done.error) error = Object.assign(done.error, { written: at })
      }
      return error
    },
  }
}

interface Done {
  readonly error: NodeJS.ErrnoException | null
  readonly written: number
}

function writeOnce(fd: number, bytes: Uint8Array, at: number): Promise<Done> {
  return new Promise(resolve =>
    write(fd, bytes, at, bytes.length - at, null, (error, written) =>
      resolve({ error, written: error ? 0 : written }),
    ),
  )
}

function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, PAUSE).unref())
}
