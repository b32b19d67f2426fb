/** A digest of the content of several files. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'

export interface Content {
  readonly path: string
  readonly text: string
}

/** Returns a digest that is independent of the order of the files and of the notation of their paths. */
export function digestOf(files: readonly Content[]): string {
  const whole = createHash('sha256')
  const entries = files.map(({ path, text }) => `${resolve(path)}\0${hashOf(text)}\n`)
  for (const entry of [...new Set(entries)].sort()) whole.update(entry)
  return whole.digest('hex')
}

/** Returns the hash of a text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
