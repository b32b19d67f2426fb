/** Writes lines to a file descriptor without ever blocking lvsd, even if the disk is full or the reader has stopped. */
import { waitAtMost } from '../util/with-timeout.js'
import { openPoolWriter } from './pool-writer.js'
import type { Writer } from './writer-thread.js'

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

  const drain = async () => {
    while (held.length > 0) {
      const bytes = Buffer.from(held.join(''))
      held = []
      size = 0
      await writer.write(fd, bytes)
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
