/** Reads the files of a configuration. It blocks on disks, so the daemon runs it in a separate thread. */
import { closeSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { matching } from '../config/matching.js'
import { isOpenForWriting } from '../system/libc.js'
import { readText } from '../system/read-file.js'
import { type Content, digestOf } from './digest.js'

/** The files of a configuration. */
export interface Places {
  readonly file: string
  readonly included: readonly string[]
  /** Absolute paths with `*` and `?`. New files that match them count too. */
  readonly patterns: readonly string[]
}

export interface Look {
  /** Digest of all files; null if the main file is missing or one of them cannot be read. */
  readonly digest: string | null
  /** Why a file cannot be read, or null. */
  readonly fault: string | null
  /** True if every file that differs from the last look was moved into place, and is therefore complete. */
  readonly isMoved: boolean
  /** Latest modification time of the files, in wall-clock milliseconds. */
  readonly writtenAt: number
  /** True if another process has one of the files open for writing. */
  readonly isWritten: boolean
}

interface Known {
  readonly mark: string
  readonly inode: string
  readonly writtenAt: number
  readonly text: string
}

export class Looker {
  #known = new Map<string, Known>()

  /** Reads the files. `digest` is the known digest; for an equal one, open writers are not looked for. */
  look(places: Places, digest: string | null): Look {
    const nothing = { digest: null, writtenAt: 0, isMoved: false, isWritten: false }
    const files: Content[] = []
    const next = new Map<string, Known>()
    let isMoved = true
    for (const path of pathsOf(places)) {
      try {
        const before = this.#known.get(path)
        const now = lookAt(path, before)
        if (now === null) continue
        next.set(path, now.known)
        files.push({ path, text: now.known.text })
        if (now.known.text !== before?.text) isMoved &&= now.isMoved
      } catch (error) {
        // Keeps the previous content, which is compared again when the file is readable.
        return { ...nothing, fault: `${path}: ${(error as Error).message}` }
      }
    }
    this.#known = next
    if (!next.has(resolve(places.file))) return { ...nothing, fault: null }
    const found = digestOf(files)
    const isWritten = found !== digest && [...next.keys()].some(isBeingWritten)
    const writtenAt = Math.max(...[...next.values()].map(known => known.writtenAt))
    return { digest: found, fault: null, writtenAt, isMoved, isWritten }
  }
}

function pathsOf({ file, included, patterns }: Places): ReadonlySet<string> {
  const found = patterns.flatMap(pattern => matching('/', pattern))
  return new Set([file, ...included, ...found].map(path => resolve(path)))
}

/** Returns null if the file does not exist. The file status is read before the content, and stored only with it. */
function lookAt(path: string, before: Known | undefined): { known: Known; isMoved: boolean } | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!found) return null
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  const mark = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  if (mark === before?.mark) return { known: before, isMoved: true }
  const inode = `${dev} ${ino}`
  // If a file was renamed after its last write, the inode changes and ctime is later than mtime.
  const isMoved = before !== undefined && inode !== before.inode && ctimeNs > mtimeNs
  const writtenAt = Number(mtimeNs / 1_000_000n)
  return { known: { mark, inode, writtenAt, text: readText(path) }, isMoved }
}

function isBeingWritten(path: string): boolean {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    return isOpenForWriting(fd) === true
  } catch {
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
