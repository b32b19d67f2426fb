/**
 * Protects the files that lvsd executes. Nobody but root and lvsd's user may be able to change the file, any folder on
 * its path, or any symbolic link on the path with its folders. Otherwise that user could replace the file between the
 * check and the start.
 */
import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'

const OTHERS_WRITE = 0o022
const WORLD_WRITES = 0o002
const STICKY = 0o1000
/** The kernel's MAXSYMLINKS. */
const MOST_LINKS = 40

/** Another user could change the file at a path. The message says who, and what to do. */
export class UntrustedPath extends Error {
  override readonly name = 'UntrustedPath'
}

/**
 * Resolves an absolute path as the kernel does, and returns the path of the file or folder without links. Throws
 * `UntrustedPath` if a user other than root and lvsd's own could change any part of the path, and the system's error if
 * it does not exist. Afterwards only root or lvsd's user can change where the path leads. Synchronous: the steps follow
 * each other closely, and no thread of libuv's pool is needed.
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

/** Returns a sentence if the file at `path` must not be executed or loaded, else null. Throws if it does not exist. */
export function whyUntrusted(path: string): string | null {
  try {
    trustedPath(path)
    return null
  } catch (error) {
    if (error instanceof UntrustedPath) return error.message
    throw error
  }
}

/** Returns the names on a path in reverse order. */
function stepsOf(path: string): string[] {
  return path
    .split('/')
    .filter(step => step !== '' && step !== '.')
    .reverse()
}

/**
 * Checks owner and mode. In a sticky folder such as /tmp, other users can add entries but not replace them, which
 * suffices for a folder on the path.
 */
function look(path: string, stat: Stats, onTheWay: boolean): void {
  lookAtOwner(path, stat)
  if ((stat.mode & WORLD_WRITES) === 0 && isStaffs(path, stat.gid)) return
  if ((stat.mode & OTHERS_WRITE) === 0 || (onTheWay && (stat.mode & STICKY) !== 0)) return
  throw new UntrustedPath(`${path} may be written by others (mode ${octal(stat.mode)}): chmod go-w ${path}`)
}

/** Checks the owner, who could change the mode of a file or replace a link in a sticky folder. */
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

/** True for group staff in /usr/local. Debian allows its members to write there without root (Debian Policy 9.1.2). */
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
