/** A file that gets lines at its end. One that cannot be written never stops anything. */
import { waitAtMost } from '../util/with-timeout.js'
import type { Writer } from './writer-thread.js'

/** Lines held back while the disk does not take them; what comes on top is dropped. */
const MOST_LINES = 10_000

export interface LineFile {
  write(line: string): void
  /** Resolves when everything is written or given up, or after `patience` milliseconds. */
  idle(patience?: number): Promise<void>
}

/**
 * Opened anew for each batch of lines, so that it can be moved away at any time. `onFailure` is told the first time that
 * it cannot be written, and again only after it could. Files with one `writer` wait for each other: one that hangs keeps
 * one thread, however many they are.
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
