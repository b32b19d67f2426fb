/**
 * Runs a script of the build with V8's code cache: what V8 compiled of the script in an earlier process, so that it need not
 * compile it again.
 *
 * The build and the installers make the cache (`cli/write-code-cache.ts`), as the owner of the files. lvsd as it runs only reads it,
 * beside the script. So whoever may write the cache may write the script, too. V8 refuses a cache of another version or with
 * other flags; then the script runs without it. A cache of another Node.js is refused here, because V8 11.3 would end the process
 * by a segmentation fault: it compares its own version alone, and releases of Node.js with one version of V8, such as 20.19.0 and
 * 20.20.2, have different built-in functions.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import { Script } from 'node:vm'

/** `refused`: by V8, or because it is of another script or another Node.js, or damaged. */
export type CacheUse = 'used' | 'missing' | 'refused'

/** What a script is told of itself. */
export interface Itself {
  /** Its URL. */
  readonly place: string
  /** Its name in stacks. V8 keeps it in the cache, so it is the same wherever the script lies. */
  readonly name: string
  readonly cache: CacheUse
  /** The sum of its text and of the Node.js that runs it; null as `sumOf` says. */
  readonly sum: number | null
}

/** The script is the expression of this function, in ASCII, and imports nothing. */
type Body = (require: NodeJS.Require, module: { exports: unknown }, exports: unknown, itself: Itself) => void

export interface Ran<T> {
  readonly exports: T
  readonly cache: CacheUse
  readonly script: Script
  /** The sum of the text that was compiled, which may not be that of the file any more; null as `sumOf` says. */
  readonly sum: number | null
}

/** It takes a millisecond to load, and most commands run no script. */
const crc32 = (data: string | Uint8Array, value?: number) =>
  process.getBuiltinModule('node:zlib').crc32(data, value)

/** Bytes before the data of V8: the CRC-32 of the script and of what runs it, and that of the data. */
const HEAD = 8

/** Runs the script at this URL. `isFresh`: without its cache. Throws what the script throws. */
export function runScript<T>(file: URL, { isFresh = false } = {}): Ran<T> {
  const bytes = readFileSync(file)
  const text = bytes.toString('latin1')
  const sum = sumOf(bytes)
  const kept = isFresh ? null : readInto(bytes, cacheOf(file))
  const cachedData = kept && dataOf(kept, sum)
  const name = `lvsd:${basename(file.pathname)}`
  const script = new Script(text, {
    filename: name,
    ...(cachedData && { cachedData }),
  })
  const isUsed = script.cachedDataRejected === false
  const cache = isUsed ? 'used' : kept ? 'refused' : 'missing'
  const module = { exports: {} }
  const body = script.runInThisContext() as Body
  body(createRequire(file), module, module.exports, { place: file.href, name, cache, sum })
  return { exports: module.exports as T, cache, script, sum }
}

/**
 * Writes the cache of a script that has run, with all that V8 has compiled of it. Throws if that is not possible, and leaves nothing
 * behind then. Two processes may do it at once.
 */
export function writeCache(file: URL, { script, sum }: Pick<Ran<unknown>, 'script' | 'sum'>): void {
  const data = script.createCachedData()
  if (sum === null) throw new Error('which Node.js this is cannot be read from /proc')
  const head = Buffer.alloc(HEAD)
  head.writeUInt32LE(sum, 0)
  head.writeUInt32LE(crc32(data), 4)
  const path = cacheOf(file)
  const next = new URL(`${path.href}.${process.pid}`)
  try {
    writeFileSync(next, Buffer.concat([head, data]), { mode: 0o644 })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}

function cacheOf(file: URL): URL {
  return new URL(`${file.href}.cache`)
}

/**
 * Reads a file into memory that is not needed any more, if that is long enough, because new memory costs a page fault for each 4 KiB.
 * Returns null if the file cannot be read.
 */
function readInto(memory: Buffer, file: URL): Buffer | null {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, 'r')
    const { size } = fstatSync(descriptor)
    if (size > memory.length) return readFileSync(descriptor)
    let length = 0
    for (;;) {
      const more = readSync(descriptor, memory, length, size - length, null)
      length += more
      if (more === 0 || length === size) return memory.subarray(0, length)
    }
  } catch {
    return null
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/**
 * Returns null if the cache is damaged, or that of another script or Node.js: of the script V8 compares no more than the length.
 */
function dataOf(cache: Buffer, sum: number | null): Buffer | null {
  if (cache.length <= HEAD) return null
  const data = cache.subarray(HEAD)
  const fits = cache.readUInt32LE(0) === sum && cache.readUInt32LE(4) === crc32(data)
  return fits ? data : null
}

/**
 * Null where this Node.js cannot be looked at, without /proc or a right to it. A distribution may build the same version again,
 * with a repair in V8: so its file counts, too.
 */
function sumOf(text: Buffer): number | null {
  const { version, versions, arch } = process
  try {
    const { size, mtimeMs } = statSync('/proc/self/exe')
    return crc32([version, versions.v8, arch, size, mtimeMs].join(' '), crc32(text))
  } catch {
    return null
  }
}
