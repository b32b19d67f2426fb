/** A file that gets lines at its end. One that cannot be written never stops anything. */
import { constants } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { atMost } from './patience.js'

/** A pipe (FIFO) that nobody reads is an error at once, and not a thread that waits for ever. */
const FLAG = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK
/** Lines held back while the disk does not take them; what comes on top is dropped. */
const MOST_LINES = 10_000

export interface LineFile {
  write(line: string): void
  /** Resolves when everything is written or given up, or after `patience` milliseconds. */
  idle(patience?: number): Promise<void>
}

/**
 * Opened anew for each batch of lines, so that it can be moved away at any time. `onFailure` is told the first time that
 * it cannot be written, and again only after it could.
 */
export function openLineFile(path: string, onFailure: (error: Error) => void): LineFile {
  let lines: string[] = []
  let writing: Promise<void> | null = null
  let isFailing = false
  const flush = async () => {
    while (lines.length > 0) {
      const batch = lines
      lines = []
      try {
        await appendFile(path, batch.join(''), { flag: FLAG })
        isFailing = false
      } catch (error) {
        if (!isFailing) onFailure(error as Error)
        isFailing = true
      }
    }
    writing = null
  }
  return {
    write(line) {
      if (lines.length < MOST_LINES) lines.push(line)
      writing ??= Promise.resolve().then(flush)
    },
    async idle(patience = 1000) {
      await atMost(patience, writing)
    },
  }
}
