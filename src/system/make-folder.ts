/**
 * Makes a folder and those above it. Not by `recursive` of Node's mkdir, which never returns where a folder exists and nothing can be made
 * in it with ENOENT, as in /proc: it makes the folder above again and again.
 */
import { mkdirSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Does nothing if the folder is there. Rejects with the error of the file system. */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (await isFolder(path)) return
    if (!isAbsence(error) || (await isFolder(dirname(path)))) throw error
    await makeFolder(dirname(path), mode)
    await mkdir(path, { mode }).catch(async again => {
      if (!(await isFolder(path))) throw again
    })
  }
}

/** Like `makeFolder`. */
export function makeFolderSync(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (isFolderSync(path)) return
    if (!isAbsence(error) || isFolderSync(dirname(path))) throw error
    makeFolderSync(dirname(path), mode)
    try {
      mkdirSync(path, { mode })
    } catch (again) {
      if (!isFolderSync(path)) throw again
    }
  }
}

function isAbsence(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
}

function isFolderSync(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
