/** The parsed content of a small system file (/etc/hosts, /etc/resolv.conf), read again when the file changes. */
import { readFileSync, statSync } from 'node:fs'

/** Minimum milliseconds between two stat calls, so that a round over thousands of names makes one call. */
const LOOK_EVERY = 200
/** A larger file is treated as absent, because reading it would block the process. */
const MOST_BYTES = 8 << 20

/** Returns a function that returns the parsed content. A file that is absent or unreadable counts as empty. */
export function systemFile<T>(path: string, parse: (text: string) => T): () => T {
  let mark = 'none'
  let value = parse('')
  let lookedAt = Number.NEGATIVE_INFINITY
  return () => {
    const now = performance.now()
    if (now - lookedAt < LOOK_EVERY) return value
    lookedAt = now
    const found = markOf(path)
    if (found === mark) return value
    mark = found
    value = parse(found === 'none' ? '' : textOf(path))
    return value
  }
}

function markOf(path: string): string {
  try {
    const found = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (!found?.isFile() || found.size > MOST_BYTES) return 'none'
    return `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`
  } catch {
    return 'none'
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
