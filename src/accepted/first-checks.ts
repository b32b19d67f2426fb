/**
 * Stores what the next start can begin before it has loaded its program: the first checks of the accepted configuration, beside it
 * (`schedule/engine/first-orders.ts`). They are those of one text, for one program of the engine. Imports next to nothing, since all
 * commands load it.
 */
import { resolve } from 'node:path'
import { judge, judgeOwn, readBytesSync } from '../storage/own-file.js'
import { acceptedPath } from './accepted-path.js'

export interface FirstChecksOf {
  readonly file: string
  /** The text of the file. */
  readonly text: string
  /** Identifies the program of the engine. */
  readonly program: string
}

export function firstChecksPath(state: string, file: string): string {
  return acceptedPath(state, file).replace(/\.json$/, '.first')
}

/** Returns the bytes that were stored for the file as it is, and for this program; null: none, or another user may have written them. */
export function readFirstChecks(state: string, file: string, program: string): Uint8Array | null {
  try {
    const stored = readBytesSync(firstChecksPath(state, file), judgeOwn)
    const text = readBytesSync(file, judge).toString()
    const bytes = stored.subarray(stored.indexOf('\n') + 1)
    return stored.equals(firstChecksFile({ file, text, program }, bytes)) ? bytes : null
  } catch {
    return null
  }
}

/** Returns the whole file: a line that says whose the bytes are, with their sum, and the bytes. */
export function firstChecksFile({ file, text, program }: FirstChecksOf, bytes: Uint8Array): Buffer {
  const { createHash } = process.getBuiltinModule('node:crypto')
  const sumOf = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
  const head = { file: resolve(file), text: sumOf(text), program, bytes: sumOf(bytes) }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), bytes])
}
