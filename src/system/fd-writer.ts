/** A descriptor that lines are written to and that never stops lvsd: not by a full disk, not by a reader who stopped. */
import { waitAtMost } from '../util/with-timeout.js'
import { openWriter, type Writer } from './writer-thread.js'

export interface Output {
  /** Takes a line with its end; drops it where too much is held back already. */
  write(line: string): void
  /** Resolves when everything is written or given up, or after `patience` milliseconds. Never rejects. */
  flush(patience?: number): Promise<void>
}

/** What cannot be written, for want of room on the disk or of a reader, is dropped; lines that come later are tried anew. */
export function openOutput(fd: number, mostHeld: number, writer: Writer = openWriter()): Output {
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
