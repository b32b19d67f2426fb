/** A digest of the content of several files. */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'

export interface Content {
  readonly path: string
  readonly text: string
}

/** A file, with the hash of its text. */
export interface Hashed {
  readonly path: string
  readonly hash: string
}

/** Returns a digest that is independent of the order of the files and of the notation of their paths. */
export function digestOf(files: readonly Content[]): string {
  return digestOfHashes(hashedOf(files))
}

export function hashedOf(files: readonly Content[]): readonly Hashed[] {
  return files.map(({ path, text }) => ({ path, hash: hashOf(text) }))
}

/** The same as `digestOf` from the hashes of the texts. */
export function digestOfHashes(files: readonly Hashed[]): string {
  const whole = createHash('sha256')
  const entries = files.map(({ path, hash }) => `${resolve(path)}\0${hash}\n`)
  for (const entry of [...new Set(entries)].sort()) whole.update(entry)
  return whole.digest('hex')
}

/** Returns the hash of a text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
