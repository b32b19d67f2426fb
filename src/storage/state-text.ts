/**
 * Reads files of the state folder. Anything may be in the place of such a file: a pipe, a folder, a device, a socket, a
 * file of any size. None of them stops or blocks lvsd.
 */
import { constants, copyFileSync, renameSync, rmSync, type Stats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { judge, judgeOwn, OPEN, readBytesSync } from './own-file.js'

export { MOST_BYTES } from './own-file.js'

/**
 * Resolves to the text of a regular file; null if there is none. Rejects if something else is there, or if it cannot be
 * read. A device is not opened, because that may have effects.
 */
export function readText(path: string): Promise<string | null> {
  return readJudged(path, judge)
}

/** Like `readText`. Also rejects if another user than root and that of this process may have written the file. */
export function readOwnText(path: string): Promise<string | null> {
  return readJudged(path, judgeOwn)
}

async function readJudged(path: string, judge: (found: Stats) => void): Promise<string | null> {
  try {
    judge(await stat(path))
    const file = await open(path, OPEN)
    try {
      // Another file may be there by now.
      judge(await file.stat())
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    return nullIfAbsent(error)
  }
}

/** Like `readText`. */
export function readTextSync(path: string): string | null {
  try {
    return readBytesSync(path, judge).toString()
  } catch (error) {
    return nullIfAbsent(error)
  }
}

/** Number of names that are tried for what is set aside. */
const MOST_NAMES = 9

/**
 * Renames what is at the path to `PATH.SUFFIX`, which replaces what was set aside before. If that is impossible because
 * one of them is a folder, to `PATH.SUFFIX.2` and so on. Returns the new path, or `nowhere: ` with the reason. Never throws.
 */
export function setAside(path: string, suffix: string): string {
  return put(path, suffix, aside => renameSync(path, aside))
}

/** Like `setAside`, but copies a file. */
export function copyAside(path: string, suffix: string): string {
  return put(path, suffix, aside => {
    // A pipe or a link there would block the copy or lead it elsewhere.
    rmSync(aside, { force: true })
    copyFileSync(path, aside, constants.COPYFILE_EXCL)
  })
}

function put(path: string, suffix: string, putAt: (aside: string) => void): string {
  let reason = ''
  for (let n = 1; n <= MOST_NAMES; n++) {
    const aside = n === 1 ? `${path}.${suffix}` : `${path}.${suffix}.${n}`
    try {
      putAt(aside)
      return aside
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      reason = message
      if (!IS_TAKEN.has(code)) break
    }
  }
  return `nowhere: ${reason}`
}

/** Errors if a file would replace a folder, or a folder something else. */
const IS_TAKEN: ReadonlySet<string> = new Set(['EISDIR', 'ERR_FS_EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'])

function nullIfAbsent(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}
