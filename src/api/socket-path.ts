/** Binds, checks and releases the path of the control socket. Files of other programs are not changed. */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
} from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { makeFolderSync } from '../system/make-folder.js'

/** The path cannot be used for a socket. The message says why and what to do. */
export class SocketUnusable extends Error {}

/** Another lvsd serves this socket. */
export class SocketInUse extends SocketUnusable {}

/** Connections that the kernel accepts before lvsd does; it takes no more than net.core.somaxconn. Above it: EAGAIN. */
const BACKLOG = 4096

/** Size of sun_path in <sys/un.h> in bytes, without the final NUL. A longer path would be truncated silently. */
const LONGEST_PATH = 107

/**
 * What exists at the path: the socket of `held`, nothing, an abandoned socket, a served socket, or another kind of
 * file.
 */
export type Found = 'ours' | 'nothing' | 'abandoned' | 'served' | 'no socket'

/** Device and inode number of a bound socket. */
export type Held = string

/**
 * Binds the server to the path. Throws SocketUnusable if no socket can be created there, SocketInUse if another lvsd
 * serves it.
 */
export async function takePlace(server: Server, path: string): Promise<Held> {
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new SocketUnusable(
      `the path of a control socket has at most ${LONGEST_PATH} bytes; this one is too long: ${path}`,
    )
  if ((await look(path, null)) === 'served')
    throw new SocketInUse(`another lvsd serves ${path}; stop it, or give this one its own --socket`)
  prepare(path)
  return bind(server, path)
}

/** Removes the socket if it is still the one that was bound. */
export function leavePlace(path: string, held: Held): void {
  if (identityOf(path) === held) unlinkSync(path)
}

/** Flag of open(2), in <asm-generic/fcntl.h>: the descriptor only names the file. */
const O_PATH = 0o10_000_000

/**
 * Opens the socket to a group, or with null to its owner alone. Throws if another file is at the path meanwhile, or if
 * the user of this process may not give files to the group.
 */
export function shareWith(gid: number | null, path: string, held: Held): void {
  // Through a descriptor, so that a user who may write to the folder cannot redirect the change to another file.
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true })
    if (`${dev} ${ino}` !== held) throw new Error('another file is at its path')
    const file = `/proc/self/fd/${fd}`
    chmodSync(file, 0o600)
    chownSync(file, -1, gid ?? process.getgid?.() ?? -1)
    if (gid !== null) chmodSync(file, 0o660)
  } finally {
    closeSync(fd)
  }
}

export async function look(path: string, held: Held | null): Promise<Found> {
  const found = identityOf(path)
  if (found === null) return 'nothing'
  if (found === held) return 'ours'
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return 'no socket'
  return (await isServed(path)) ? 'served' : 'abandoned'
}

/** Any outcome except a refused connection counts as served: a stopped or very busy process still has its socket. */
function isServed(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true))
    socket.once('connect', () => socket.destroy())
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    )
  })
}

/** Creates the folder. Throws SocketUnusable if something other than a socket exists at the path. */
function prepare(path: string): void {
  try {
    makeFolderSync(dirname(path))
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found && !found.isSocket() && found.size > 0) throw new Error('the path exists and is not a socket')
    if (found?.isDirectory()) throw new Error('the path is a folder')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw error
    throw new SocketUnusable(
      `lvsd cannot create its control socket at ${path} (${message}); give another path with --socket`,
    )
  }
}

/**
 * Binds under a temporary name and renames the socket: a server that closes unlinks the name that it was bound to, which
 * may belong to another lvsd by then. The umask is set during the bind, so that other users never have access.
 */
async function bind(server: Server, path: string): Promise<Held> {
  const hidden = join(dirname(path), `.lvsd-${process.pid}`)
  const first = Buffer.byteLength(hidden) > LONGEST_PATH ? path : hidden
  remove(first)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen({ path: first, backlog: BACKLOG }, resolve),
    )
  } finally {
    process.umask(mask)
  }
  chmodSync(first, 0o600)
  if (first !== path) renameSync(first, path)
  return identityOf(path) ?? ''
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function identityOf(path: string): Held | null {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
    return found ? `${found.dev} ${found.ino}` : null
  } catch {
    return null
  }
}
