/**
 * Stores what the next start can begin before it has loaded its program: the first checks of the accepted configuration, beside it
 * (`schedule/engine/first-orders.ts`). They are those of one text, for one program of the engine. Imports next to nothing, since all
 * commands load it.
 */
import { resolve } from 'node:path'
import { bytesOrNull, judge, judgeWriters } from '../storage/own-file.js'
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
  const stored = bytesOrNull(firstChecksPath(state, file), found => {
    judge(found)
    judgeWriters(found)
  })
  const text = stored && bytesOrNull(file, judge)
  if (!stored || !text) return null
  const head = headOf({ file, text: text.toString(), program })
  return stored.subarray(0, head.length).equals(head) ? stored.subarray(head.length) : null
}

/** Returns the line before the bytes. */
export function headOf({ file, text, program }: FirstChecksOf): Buffer {
  const { createHash } = process.getBuiltinModule('node:crypto')
  const sum = createHash('sha256').update(text).digest('hex')
  return Buffer.from(`${JSON.stringify({ file: resolve(file), text: sum, program })}\n`)
}
