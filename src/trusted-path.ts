/** What lvsd executes as root must be out of other people's reach: the file, and every folder on the way to it. */
import { readFileSync, type Stats } from 'node:fs'
import { lstat, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'

const OTHERS_WRITE = 0o022
const WORLD_WRITES = 0o002
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
  if ((stat.mode & WORLD_WRITES) === 0 && isStaffs(path, stat.gid)) return null
  const open = (stat.mode & OTHERS_WRITE) !== 0 && !(onTheWay && (stat.mode & STICKY) !== 0)
  return open ? `${path} may be written by others (mode ${octal(stat.mode)}): chmod go-w ${path}` : null
}

/** Debian gives /usr/local to the group staff, whose members may do without root there (Debian Policy 9.1.2). */
function isStaffs(path: string, gid: number): boolean {
  return /^\/usr\/local(\/|$)/.test(path) && gid === groupId('staff')
}

function groupId(name: string): number | null {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find(entry => entry.startsWith(`${name}:`))
    return line ? Number(line.split(':')[2]) : null
  } catch {
    return null
  }
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}
