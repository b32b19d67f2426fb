/** One word for the content of several files. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'

export interface Content {
  readonly path: string
  readonly text: string
}

/** Whatever the order, and however the paths are written. */
export function digestOf(files: readonly Content[]): string {
  const whole = createHash('sha256')
  const entries = files.map(({ path, text }) => `${resolve(path)}\0${hashOf(text)}\n`)
  for (const entry of [...new Set(entries)].sort()) whole.update(entry)
  return whole.digest('hex')
}

/** Of a text, or of what a text was read from. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
