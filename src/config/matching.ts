/** Finds files by patterns. It imports little, because a thread of the daemon does nothing else. */
import { type Dirent, readdirSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { globPattern } from './glob.js'

/** Limit of included files, against patterns that match too much. */
export const MOST_FILES = 1000

/**
 * Returns the matching paths, sorted. A hidden file or folder matches only if its part of the pattern begins with a
 * dot.
 */
export function matching(base: string, pattern: string): readonly string[] {
  const walk = walking(base, pattern)
  let step = walk.next()
  while (!step.done) step = walk.next(entriesOf(step.value))
  return step.value
}

/** The same without blocking the thread. Folders are read one after the other. */
export async function matchingSoon(base: string, pattern: string): Promise<readonly string[]> {
  const walk = walking(base, pattern)
  let step = walk.next()
  while (!step.done) step = walk.next(await readdir(step.value, { withFileTypes: true }).catch(() => []))
  return step.value
}

/** Yields folders, and takes their entries; none if the folder cannot be read. */
function* walking(base: string, pattern: string): Generator<string, readonly string[], readonly Dirent[]> {
  const parts = pattern.split('/').filter((part, i) => part !== '' || i === 0)
  let found = ['']
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1
    const next: string[] = []
    for (const path of found) {
      const join = (name: string) => (path === '' && i === 0 ? name : `${path}/${name}`)
      if (!/[*?[]/.test(part)) next.push(join(part))
      else {
        const entries = yield resolve(base, path === '' && i > 0 ? '/' : path)
        next.push(...namesIn(entries, isLast).filter(globPattern(part)).map(join))
      }
    }
    found = next
  }
  return found.slice(0, MOST_FILES + 1)
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function namesIn(entries: readonly Dirent[], wantsFiles: boolean): readonly string[] {
  return entries
    .filter(entry => (wantsFiles ? !entry.isDirectory() : !entry.isFile()))
    .map(({ name }) => name)
    .sort()
}
