/** Files that a configuration is made of: regular files of bounded length, read without waiting for anybody. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'

/** A configuration of more is none. Bytes. */
export const MAX_BYTES = 16 * 2 ** 20

/**
 * The file's text in UTF-8. Throws an error with a sentence for people. Reads at once: the daemon calls it in a thread of
 * its own, which a file server that hangs may keep, and the commands have nothing else to do.
 */
export function readText(path: string, most = MAX_BYTES): string {
  try {
    return read(path, most)
  } catch (error) {
    throw new Error(whyUnreadable(error as NodeJS.ErrnoException))
  }
}

/** Why a text cannot be read from a file, as a sentence; null where it can. What stands in it is not looked at. */
export function whyNoFile(path: string): string | null {
  try {
    opened(path, () => {})
    return null
  } catch (error) {
    return whyUnreadable(error as NodeJS.ErrnoException)
  }
}

function read(path: string, most: number): string {
  return opened(path, file => contentOf(file, most))
}

function opened<T>(path: string, use: (file: number) => T): T {
  const isPipe = statSync(path).isFIFO()
  // A pipe at a place for files would be waited for without end; one that a shell hands over has its writer.
  if (isPipe && !isHandedOver(path)) throw new Error('this is a pipe (FIFO), not a file')
  // Of a regular file one waits for nothing; of those of /proc that have no end, such as kmsg, neither.
  const file = openSync(path, constants.O_RDONLY | (isPipe ? 0 : constants.O_NONBLOCK))
  try {
    const found = fstatSync(file)
    if (!found.isFile() && !(isPipe && found.isFIFO())) throw new Error(sortOf(found))
    return use(file)
  } finally {
    closeSync(file)
  }
}

/** `/dev/stdin`, `/dev/fd/63`: what a shell has opened. */
export function isHandedOver(path: string): boolean {
  return /^\/(dev|proc)\//.test(path)
}

function sortOf(found: ReturnType<typeof fstatSync>): string {
  if (found.isDirectory()) return 'this is a folder, not a file'
  return found.isCharacterDevice() || found.isBlockDevice()
    ? 'this is a device, not a file'
    : 'this is no file that can be read'
}

const PIECE = 65_536

function contentOf(file: number, most: number): string {
  const pieces: Buffer[] = []
  let length = 0
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE)
    const got = readSync(file, piece)
    if (got === 0) return Buffer.concat(pieces).toString('utf8')
    pieces.push(piece.subarray(0, got))
    length += got
    if (length > most) throw new Error(`the file has more than ${inWords(most)}; is it the right one?`)
  }
}

function inWords(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`
}

/** What an error of the file system says, for people. */
export function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES') return 'this user may not read the file'
  if (code === 'EISDIR') return 'this is a folder, not a file'
  if (code === 'EAGAIN') return 'this file has no end'
  return code === undefined ? message : `the file cannot be read: ${message}`
}
