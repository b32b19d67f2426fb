/** Finds files by patterns. It imports little, because a thread of the daemon does nothing else. */
import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { globPattern } from './glob.js'

/** Limit of included files, against patterns that match too much. */
export const MOST_FILES = 1000

/**
 * Returns the matching paths, sorted. A hidden file or folder matches only if its part of the pattern begins with a
 * dot.
 */
export function matching(base: string, pattern: string): readonly string[] {
  const parts = pattern.split('/').filter((part, i) => part !== '' || i === 0)
  let found = ['']
  for (const [i, part] of parts.entries()) {
    const isLast = i === parts.length - 1
    found = found.flatMap(path => {
      const join = (name: string) => (path === '' && i === 0 ? name : `${path}/${name}`)
      if (!/[*?[]/.test(part)) return [join(part)]
      return namesIn(resolve(base, path === '' && i > 0 ? '/' : path), isLast)
        .filter(globPattern(part))
        .map(join)
    })
  }
  return found.slice(0, MOST_FILES + 1)
}

function namesIn(folder: string, wantsFiles: boolean): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter(entry => (wantsFiles ? !entry.isDirectory() : !entry.isFile()))
      .map(({ name }) => name)
      .sort()
  } catch {
    return []
  }
}
