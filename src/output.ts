/** A descriptor that lines are written to and that never stops lvsd: not by a full disk, not by a reader who stopped. */
import { write } from 'node:fs'
import { atMost } from './patience.js'

export interface Output {
  /** Takes a line with its end; drops it where too much is held back already. */
  write(line: string): void
  /** Resolves when everything is written or given up, or after `patience` milliseconds. Never rejects. */
  flush(patience?: number): Promise<void>
}

/** Between two attempts while the descriptor takes nothing, milliseconds. */
const PAUSE = 100

/** What cannot be written, for want of room on the disk or of a reader, is dropped; lines that come later are tried anew. */
export function openOutput(fd: number, mostHeld: number): Output {
  let held: string[] = []
  let size = 0
  let writing: Promise<void> | null = null

  const drain = async () => {
    while (held.length > 0) {
      let bytes = Buffer.from(held.join(''))
      held = []
      size = 0
      while (bytes.length > 0) bytes = bytes.subarray(await put(fd, bytes))
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
      await atMost(patience, writing)
    },
  }
}

/** How many bytes are off our hands: written, or given up. */
function put(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise(resolve =>
    write(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(resolve, PAUSE, 0)
      else resolve(error ? bytes.length : written)
    }),
  )
}
