/** What lvsd executes as root must be out of other people's reach: the file, and every folder on the way to it. */
import type { Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'

const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/** Why `path` must not be executed or loaded, as a sentence, or null where only root and lvsd's user can change it. */
export async function whyUntrusted(path: string): Promise<string | null> {
  const real = await realpath(path)
  const problem = whyChangeable(real, await lstat(real), false)
  if (problem !== null) return problem
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    const above = whyChangeable(folder, await lstat(folder), true)
    if (above !== null) return above
    if (folder === dirname(folder)) return null
  }
}

/** In a sticky folder such as /tmp others may add entries but not replace ours, which does for a folder on the way. */
function whyChangeable(path: string, stat: Stats, onTheWay: boolean): string | null {
  const uid = process.getuid?.() ?? 0
  if (stat.uid !== 0 && stat.uid !== uid)
    return `${path} belongs to user ${stat.uid}, not to root or to lvsd's own user ${uid}: chown it`
  const open = (stat.mode & OTHERS_WRITE) !== 0 && !(onTheWay && (stat.mode & STICKY) !== 0)
  return open ? `${path} may be written by others (mode ${octal(stat.mode)}): chmod go-w ${path}` : null
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
