/** The path of the control socket: taken, watched, and given back, without touching what belongs to somebody else. */
import { chmodSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'

/** The place of the socket cannot be used: a sentence that says why, and what to do. */
export class SocketUnusable extends Error {}

/** Another lvsd serves this socket. */
export class SocketInUse extends SocketUnusable {}

/** Bytes of sun_path in <sys/un.h>, without the last. A longer path would be cut off, without a word. */
const LONGEST_PATH = 107

/** What is at the path: the socket of `held`, nothing, a socket that nobody serves, or something of others. */
export type Found = 'ours' | 'nothing' | 'abandoned' | 'served' | 'no socket'

/** Device and inode of a socket that was bound. */
export type Held = string

/** Throws a SocketUnusable where no socket can be made at this path, or where another lvsd serves it. */
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

/** Removes the socket where it is still the one that was bound. */
export function leavePlace(path: string, held: Held): void {
  if (identityOf(path) === held) unlinkSync(path)
}

export async function look(path: string, held: Held | null): Promise<Found> {
  const found = identityOf(path)
  if (found === null) return 'nothing'
  if (found === held) return 'ours'
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSocket()) return 'no socket'
  return (await isServed(path)) ? 'served' : 'abandoned'
}

/** Everything but a refusal counts as served: a process that is stopped or very busy has its socket still. */
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

/** Makes the folder; tells what stands in the way and is no socket. */
function prepare(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const found = lstatSync(path, { throwIfNoEntry: false })
    if (found && !found.isSocket() && found.size > 0) throw new Error('what is there is no socket')
    if (found?.isDirectory()) throw new Error('what is there is a folder')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES') throw error
    throw new SocketUnusable(
      `no control socket can be made at ${path} (${message}); name another place with --socket`,
    )
  }
}

/**
 * Bound under another name and moved into place: a server unlinks the name that it was bound to when it is closed, and
 * that must not be the socket of another lvsd. Closed to others from its first moment: the mask is set around the bind.
 */
async function bind(server: Server, path: string): Promise<Held> {
  const hidden = join(dirname(path), `.lvsd-${process.pid}`)
  const first = Buffer.byteLength(hidden) > LONGEST_PATH ? path : hidden
  remove(first)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(first, resolve))
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
