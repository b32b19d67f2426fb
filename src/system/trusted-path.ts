/**
 * What lvsd executes must be out of other people's reach: the file, each folder on the way to it, and each symbolic link
 * on that way with the folders of its own. Whoever owns one of them could put something else in its place between the
 * look and the start.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'

const OTHERS_WRITE = 0o022
const WORLD_WRITES = 0o002
const STICKY = 0o1000
/** The kernel's MAXSYMLINKS. */
const MOST_LINKS = 40

/** Somebody else could change what lies behind a path; the message says who, and what to do. */
export class UntrustedPath extends Error {
  override readonly name = 'UntrustedPath'
}

/**
 * Follows an absolute path as the kernel does and returns the file or folder behind it, without links. Throws
 * `UntrustedPath` where anybody but root and lvsd's own user could change any part of the way, and the error of the
 * system where there is nothing. After this the path and the result lead to the same place until root or lvsd's user
 * changes that. Synchronous: the looks follow each other closely, and no thread of libuv's pool is needed.
 */
export function trustedPath(path: string): string {
  const steps = stepsOf(path)
  let links = 0
  let here = '/'
  look(here, lstatSync(here), steps.length > 0)
  for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
    if (step === '..') {
      here = dirname(here)
      continue
    }
    const place = join(here, step)
    const stat = lstatSync(place)
    if (!stat.isSymbolicLink()) {
      look(place, stat, steps.length > 0)
      here = place
      continue
    }
    if (++links > MOST_LINKS) throw tooManyLinks(path)
    lookAtOwner(place, stat)
    const target = readlinkSync(place)
    if (target.startsWith('/')) here = '/'
    steps.push(...stepsOf(target))
  }
  return here
}

/** Why `path` must not be executed or loaded, as a sentence, or null. Throws where there is nothing. */
export function whyUntrusted(path: string): string | null {
  try {
    trustedPath(path)
    return null
  } catch (error) {
    if (error instanceof UntrustedPath) return error.message
    throw error
  }
}

/** The names on a path, the first one last. */
function stepsOf(path: string): string[] {
  return path
    .split('/')
    .filter(step => step !== '' && step !== '.')
    .reverse()
}

/** In a sticky folder such as /tmp others may add entries but not replace ours, which does for a folder on the way. */
function look(path: string, stat: Stats, onTheWay: boolean): void {
  lookAtOwner(path, stat)
  if ((stat.mode & WORLD_WRITES) === 0 && isStaffs(path, stat.gid)) return
  if ((stat.mode & OTHERS_WRITE) === 0 || (onTheWay && (stat.mode & STICKY) !== 0)) return
  throw new UntrustedPath(`${path} may be written by others (mode ${octal(stat.mode)}): chmod go-w ${path}`)
}

/** The owner of a file may change its mode, and the owner of a link in /tmp may replace it. */
function lookAtOwner(path: string, stat: Stats): void {
  const uid = process.getuid?.() ?? 0
  if (stat.uid === 0 || stat.uid === uid) return
  const chown = stat.isSymbolicLink() ? 'chown -h' : 'chown'
  throw new UntrustedPath(
    `${path} belongs to user ${stat.uid}, not to root or to lvsd's own user ${uid}: ${chown} it`,
  )
}

function tooManyLinks(path: string): Error {
  return Object.assign(new Error(`ELOOP: too many symbolic links, '${path}'`), { code: 'ELOOP' })
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
