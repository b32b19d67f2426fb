/** A small file of the system (/etc/hosts, /etc/resolv.conf) as a value that is read again when the file changes. */
import { readFileSync, statSync } from 'node:fs'

/** Milliseconds between two looks at the file; a round over thousands of names makes one look. */
const LOOK_EVERY = 200
/** A longer file is taken as absent: reading it would stop everything else. */
const MOST_BYTES = 8 << 20

/** Gives what `parse` makes of the file now; a file that is absent or cannot be read counts as empty. */
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
