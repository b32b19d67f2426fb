/** Reads the files of a configuration, and compares them with those of the last look. */
import { resolve } from 'node:path'
import { digestOfHashes, type Hashed, hashOf } from './digest.js'
import type { FileReader, FileStatus } from './file-readers.js'

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
  /** Those that it is of; empty if it is null. */
  readonly files: readonly Hashed[]
  /** Why a file cannot be read, or null. */
  readonly fault: string | null
  /** True if every file that differs from the known content was moved into place, and is therefore complete; a file that is gone was not. */
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
  readonly hash: string
  /** True if two looks found this mark. Until then a further change may leave it as it is. */
  readonly isSure: boolean
}

export class Looker {
  readonly #files: FileReader
  #known = new Map<string, Known>()
  /** Files that were not moved into place at their last change, and those that are gone; none once the known content is found. */
  readonly #unmoved = new Set<string>()

  constructor(files: FileReader) {
    this.#files = files
  }

  /** Reads the files. `digest` is the known digest; for an equal one, open writers are not looked for. */
  async look(places: Places, digest: string | null): Promise<Look> {
    const nothing = { digest: null, files: [], writtenAt: 0, isMoved: false, isWritten: false }
    const files: Hashed[] = []
    const next = new Map<string, Known>()
    const included = new Set(places.included.map(path => resolve(path)))
    for (const path of await this.#pathsOf(places)) {
      try {
        const before = this.#known.get(path)
        const now = await this.#lookAt(path, before)
        if (now === null) {
          if (included.has(path)) this.#unmoved.add(path)
          continue
        }
        next.set(path, now.known)
        files.push({ path, hash: now.known.hash })
        if (now.known.hash !== before?.hash) this.#unmoved[now.isMoved ? 'delete' : 'add'](path)
      } catch (error) {
        // Keeps the previous content, which is compared again when the file is readable.
        return { ...nothing, fault: `${path}: ${(error as Error).message}` }
      }
    }
    this.#known = next
    if (!next.has(resolve(places.file))) return { ...nothing, fault: null }
    const found = digestOfHashes(files)
    if (found === digest) this.#unmoved.clear()
    const isMoved = this.#unmoved.size === 0
    const isWritten = found !== digest && (await this.#areWritten(next.keys()))
    const writtenAt = Math.max(...[...next.values()].map(known => known.writtenAt))
    return { digest: found, files, fault: null, writtenAt, isMoved, isWritten }
  }

  async #pathsOf({ file, included, patterns }: Places): Promise<ReadonlySet<string>> {
    const found: string[] = []
    for (const pattern of patterns) found.push(...(await this.#files.matching(pattern)))
    return new Set([file, ...included, ...found].map(path => resolve(path)))
  }

  /**
   * Returns null if the file does not exist. The file status is read before the content, and stored only with it. The clock of a file
   * system has steps of some milliseconds, or of a second: within one, a file may be read and written again with the same status.
   * So the next look, which is in another step, reads it again.
   */
  async #lookAt(path: string, before: Known | undefined): Promise<{ known: Known; isMoved: boolean } | null> {
    const found = await this.#files.status(path)
    if (!found) return null
    const mark = markOf(found)
    const isSure = mark === before?.mark
    if (isSure && before.isSure) return { known: before, isMoved: true }
    const { dev, ino, mtimeNs, ctimeNs } = found
    const inode = `${dev} ${ino}`
    // If a file was renamed after its last write, the inode changes and ctime is later than mtime.
    const isMoved = before !== undefined && inode !== before.inode && ctimeNs > mtimeNs
    const writtenAt = Number(mtimeNs / 1_000_000n)
    const hash = hashOf(await this.#files.text(path))
    return { known: { mark, inode, writtenAt, hash, isSure }, isMoved }
  }

  async #areWritten(paths: Iterable<string>): Promise<boolean> {
    for (const path of paths) if (await this.#files.isBeingWritten(path)) return true
    return false
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: FileStatus): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`
}
