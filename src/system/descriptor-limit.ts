/** How many files this process may have open. */
import { readFileSync } from 'node:fs'

/** Returns the soft limit on open files of this process (getrlimit(2), RLIMIT_NOFILE); Infinity if there is none. */
export function descriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
