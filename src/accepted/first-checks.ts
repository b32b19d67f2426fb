/**
 * Stores what the next start can begin before it has loaded its program: the first checks of the accepted configuration, beside it
 * (`schedule/engine/first-orders.ts`). They are those of one text, for one program of the engine; of a text that has changed since, those of
 * the services that are the same (`held-blocks.ts`). Imports next to nothing, since all commands load it.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { judge, judgeOwn, readBytesSync } from '../storage/own-file.js'
import { acceptedPath, pointerPath } from './accepted-path.js'
import { type BlockSums, heldIn } from './held-blocks.js'

export interface FirstChecksOf {
  readonly file: string
  /** The text of the file. */
  readonly text: string
  /** Identifies the program of the engine. */
  readonly program: string
  /** Null: they are those of this text alone. */
  readonly sums: BlockSums | null
}

export interface StoredChecks {
  readonly bytes: Uint8Array
  /** For each check whether the text has it; null: it has all. */
  readonly held: readonly boolean[] | null
}

/** The line before the bytes. */
interface Head extends Pick<FirstChecksOf, 'file' | 'program'> {
  /** SHA-256 of the text. */
  readonly text: string
  /** SHA-256 of all after the line. */
  readonly rest: string
}

export function firstChecksPath(state: string, file: string): string {
  return acceptedPath(state, file).replace(/\.json$/, '.first')
}

/**
 * Returns what was stored that the file as it is has too, for this program; null: nothing, or another user may have written it. `state`: the
 * folder of the file if no other one is recorded.
 */
export function readFirstChecks(state: string, file: string, program: string): StoredChecks | null {
  try {
    const [line, rest] = cut(readBytesSync(firstChecksPath(state, file), judgeOwn))
    const { text: known } = JSON.parse(`${line}`) as Head
    if (!line.equals(headFor({ file, program, text: known }, rest))) return null
    const [sums, bytes] = cut(rest)
    const text = readBytesSync(file, judge).toString()
    if (sumOf(text) === known) return { bytes, held: null }
    // If the text has errors, the accepted configuration runs, which must be the one of these checks.
    if (!existsSync(acceptedPath(state, file)) || existsSync(pointerPath(state, file))) return null
    const all = JSON.parse(`${sums}`) as BlockSums | null
    return all && { bytes, held: heldIn(file, text, all) }
  } catch {
    return null
  }
}

/** Returns the whole file: a line that says whose the checks are, with the sum of the rest; a line with what each follows from; the bytes. */
export function firstChecksFile({ file, text, program, sums }: FirstChecksOf, bytes: Uint8Array): Buffer {
  const rest = Buffer.concat([Buffer.from(`${JSON.stringify(sums)}\n`), bytes])
  return Buffer.concat([headFor({ file, program, text: sumOf(text) }, rest), Buffer.from('\n'), rest])
}

function headFor({ file, text, program }: Omit<Head, 'rest'>, rest: Uint8Array): Buffer {
  const head: Head = { file: resolve(file), text, program, rest: sumOf(rest) }
  return Buffer.from(JSON.stringify(head))
}

/** Returns the first line, and what follows it. */
function cut(bytes: Buffer): readonly [Buffer, Buffer] {
  const end = bytes.indexOf('\n')
  return [bytes.subarray(0, end), bytes.subarray(end + 1)]
}

function sumOf(data: string | Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(data).digest('hex')
}
