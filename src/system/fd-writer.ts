/** Writes lines to a file descriptor without ever blocking lvsd, even if the disk is full or the reader has stopped. */
import { waitAtMost } from '../util/with-timeout.js'
import { openPoolWriter } from './pool-writer.js'
import type { Writer } from './writer-thread.js'

const LINE_END = 10

export interface Output {
  /** Queues a line, including its line end. Drops it if the queue is full. */
  write(line: string): void
  /** Resolves when everything is written or dropped, or after `patience` milliseconds. Never rejects. */
  flush(patience?: number): Promise<void>
}

/**
 * Opens an output with a queue of at most `mostHeld` characters. Lines that cannot be written are dropped, for example
 * because the disk is full; later lines are tried again.
 */
export function openOutput(fd: number, mostHeld: number, writer: Writer = openPoolWriter()): Output {
  let held: string[] = []
  let size = 0
  let writing: Promise<void> | null = null
  /** True if a part of a line was written: the next line must not continue it. */
  let isTorn = false

  const drain = async () => {
    while (held.length > 0) {
      const bytes = Buffer.from(`${isTorn ? '\n' : ''}${held.join('')}`)
      held = []
      size = 0
      const error = await writer.write(fd, bytes)
      const { written = 0 } = error ?? {}
      if (!error) isTorn = false
      else if (written > 0) isTorn = bytes[written - 1] !== LINE_END
    }
    writing = null
  }

  return {
    write(line) {
      if (size + line.length > mostHeld) return
      size += line.length
      held.push(line)
      writing ??= Promise.resolve().then(drain)
    },
    async flush(patience = 1000) {
      await waitAtMost(patience, writing)
    },
  }
}
