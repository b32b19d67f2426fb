/**
 * Runs a script of the build with V8's code cache: what V8 compiled of the script in an earlier process, so that it need not
 * compile it again.
 *
 * The build and the installers make the cache (`cli/write-code-cache.ts`), as the owner of the files. lvsd as it runs only reads it,
 * beside the script. So whoever may write the cache may write the script, too. V8 refuses a cache of another version or with
 * other flags; then the script runs without it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

/** `refused`: by V8, or because it is of another script or damaged. */
export type CacheUse = 'used' | 'missing' | 'refused'

/** What a script is told of itself. */
export interface Itself {
  /** Its URL. */
  readonly place: string
  /** Its name in stacks. V8 keeps it in the cache, so it is the same wherever the script lies. */
  readonly name: string
  readonly cache: CacheUse
}

/** The script is the expression of this function, in ASCII, and imports nothing. */
type Body = (require: NodeJS.Require, module: { exports: unknown }, exports: unknown, itself: Itself) => void

export interface Ran<T> {
  readonly exports: T
  readonly cache: CacheUse
  readonly script: Script
}

/** Bytes before the data of V8: the CRC-32 of the script, and that of the data. */
const HEAD = 8

/** Runs the script at this URL. `isFresh`: without its cache. Throws what the script throws. */
export function runScript<T>(file: URL, { isFresh = false } = {}): Ran<T> {
  const text = readFileSync(file)
  const kept = isFresh ? null : read(cacheOf(file))
  const cachedData = kept && dataOf(kept, text)
  const name = `lvsd:${basename(file.pathname)}`
  const script = new Script(text.toString('latin1'), {
    filename: name,
    ...(cachedData && { cachedData }),
  })
  const isUsed = script.cachedDataRejected === false
  const cache = isUsed ? 'used' : kept ? 'refused' : 'missing'
  const module = { exports: {} }
  const body = script.runInThisContext() as Body
  body(createRequire(file), module, module.exports, { place: file.href, name, cache })
  return { exports: module.exports as T, cache, script }
}

/** Writes the cache of a script that has run, with all that V8 has compiled of it. Throws if that is not possible. */
export function writeCache(file: URL, script: Script): void {
  const data = script.createCachedData()
  const head = Buffer.alloc(HEAD)
  head.writeUInt32LE(crc32(readFileSync(file)), 0)
  head.writeUInt32LE(crc32(data), 4)
  const path = cacheOf(file)
  const next = new URL(`${path.href}.new`)
  writeFileSync(next, Buffer.concat([head, data]), { mode: 0o644 })
  renameSync(next, path)
}

function cacheOf(file: URL): URL {
  return new URL(`${file.href}.cache`)
}

function read(file: URL): Buffer | null {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

/** Returns null if the cache is damaged, or that of another script: V8 compares no more than the length of the script. */
function dataOf(cache: Buffer, text: Buffer): Buffer | null {
  if (cache.length <= HEAD) return null
  const data = cache.subarray(HEAD)
  const fits = cache.readUInt32LE(0) === crc32(text) && cache.readUInt32LE(4) === crc32(data)
  return fits ? data : null
}
