/** Appends lines to a file. A write error never stops lvsd. */
import { waitAtMost } from '../util/with-timeout.js'
import type { Writer } from './writer-thread.js'

/** Maximum number of queued lines while the disk accepts none; further lines are dropped. */
const MOST_LINES = 10_000

export interface LineFile {
  write(line: string): void
  /** Resolves when everything is written or dropped, or after `patience` milliseconds. */
  idle(patience?: number): Promise<void>
}

/**
 * Opens the file anew for each batch of lines, so it can be moved away (log rotation) at any time. `onFailure` is
 * called at the first failed write, and again only after a successful one. Files that share a `writer` are written one
 * after the other, so a hanging file system blocks a single thread.
 */
export function openLineFile(path: string, writer: Writer, onFailure: (error: Error) => void): LineFile {
  let lines: string[] = []
  let writing: Promise<void> | null = null
  let isFailing = false
  const flush = async () => {
    while (lines.length > 0) {
      const batch = lines
      lines = []
      const error = await writer.write(path, Buffer.from(batch.join('')))
      if (error && !isFailing) onFailure(error)
      isFailing = error !== null
    }
    writing = null
  }
  return {
    write(line) {
      if (lines.length < MOST_LINES) lines.push(line)
      writing ??= Promise.resolve().then(flush)
    },
    async idle(patience = 1000) {
      await waitAtMost(patience, writing)
    },
  }
}
