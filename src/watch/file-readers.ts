/** Two ways to read the files of a configuration: with libuv's threads, or blocking the thread that asks. */
import { type BigIntStats, closeSync, openSync, statSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { matching, matchingSoon } from '../config/matching.js'
import { isOpenForWriting } from '../system/libc.js'
import { readText, readTextSoon } from '../system/read-file.js'

export type FileStatus = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>

export interface FileReader {
  /** Returns null if the file does not exist. */
  status(path: string): Soon<FileStatus | null>
  /** Throws an Error with a sentence for people. */
  text(path: string): Soon<string>
  /** Returns the paths that match an absolute path with `*` and `?`. */
  matching(pattern: string): Soon<readonly string[]>
  /** True if another process has the file open for writing. */
  isBeingWritten(path: string): Soon<boolean>
}

type Soon<T> = T | Promise<T>

/** Uses one of libuv's threads at a time. */
export const pooled: FileReader = {
  status: path =>
    stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
      throw error
    }),
  text: path => readTextSoon(path),
  matching: pattern => matchingSoon('/', pattern),
  async isBeingWritten(path) {
    const file = await open(path, 'r').catch(() => null)
    if (!file) return false
    try {
      return isOpenForWriting(file.fd) === true
    } finally {
      await file.close()
    }
  },
}

/** For a thread that does nothing else. */
export const blocking: FileReader = {
  status: path => statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null,
  text: path => readText(path),
  matching: pattern => matching('/', pattern),
  isBeingWritten(path) {
    let fd: number | undefined
    try {
      fd = openSync(path, 'r')
      return isOpenForWriting(fd) === true
    } catch {
      return false
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  },
}
