/** Looks at the files of a configuration. It waits for disks: the daemon has it in a thread of its own. */
import { closeSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { matching } from '../config/include.js'
import { isOpenForWriting } from '../system/libc.js'
import { readText } from '../system/read-file.js'
import { type Content, digestOf } from './digest.js'

/** What a configuration is made of. */
export interface Places {
  readonly file: string
  readonly included: readonly string[]
  /** Whole paths, with `*` and `?`: files that come to match count as well. */
  readonly patterns: readonly string[]
}

export interface Look {
  /** Of all files together; null while the first is absent, or one of them cannot be read. */
  readonly digest: string | null
  /** Why one cannot be read, or null. */
  readonly fault: string | null
  /** Every file that is another than at the look before was moved into place, and so is whole. */
  readonly isMoved: boolean
  /** Wall-clock milliseconds at which one of them was written last. */
  readonly writtenAt: number
  /** Somebody has one of them open for writing. */
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

  /** `digest`: what is known already; whether somebody writes is of no interest then. */
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
        // What was read before is kept: it counts once the file can be read again.
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

/** Null where there is no such file. The mark is taken before the content, and kept only with it. */
function lookAt(path: string, before: Known | undefined): { known: Known; isMoved: boolean } | null {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (!found) return null
  const { dev, ino, size, mtimeNs, ctimeNs } = found
  const mark = `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
  if (mark === before?.mark) return { known: before, isMoved: true }
  const inode = `${dev} ${ino}`
  // A name that is given after the last writing changes the inode, and not the content.
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
