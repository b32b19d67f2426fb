/** Reads the files of a configuration: regular files of limited size, without waiting for other processes. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Maximum size in bytes. A larger file is not a configuration. */
export const MAX_BYTES = 16 * 2 ** 20

/**
 * Returns the file's text (UTF-8). Throws an Error with a sentence for people. Synchronous: the daemon calls it in a
 * separate thread, because a file server may hang; commands have nothing else to do.
 */
export function readText(path: string, most = MAX_BYTES): string {
  try {
    return read(path, most)
  } catch (error) {
    throw new Error(whyUnreadable(error as NodeJS.ErrnoException))
  }
}

/** Milliseconds after which a file server counts as hanging. */
const PATIENCE = 5000

type Read = (path: string, most: number) => Promise<string>

/**
 * Returns `read` with a time limit of `patience` milliseconds. A read that is late keeps one of libuv's four threads, so until
 * it ends, no other read of its path begins: each one fails at once.
 */
export function withPatience(read: Read, patience: number): Read {
  const hanging = new Set<string>()
  return async (path, most) => {
    const why = `the file cannot be read within ${patience / 1000} s`
    if (hanging.has(path)) throw new Error(`${why}: an earlier attempt has not ended yet`)
    const reading = read(path, most)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        hanging.add(path)
        void reading.catch(() => {}).finally(() => hanging.delete(path))
        reject(new Error(why))
      }, patience)
    })
    try {
      return await Promise.race([reading, late])
    } catch (error) {
      throw new Error(whyUnreadable(error as NodeJS.ErrnoException))
    } finally {
      clearTimeout(timer)
    }
  }
}

const readInTime = withPatience(readSoon, PATIENCE)

/** The same without blocking the thread, within five seconds. No pipe is read. */
export function readTextSoon(path: string, most = MAX_BYTES): Promise<string> {
  return readInTime(path, most)
}

async function readSoon(path: string, most: number): Promise<string> {
  // Non-blocking: opening a FIFO would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = await file.stat()
    if (!found.isFile()) throw new Error(sortOf(found))
    return await contentSoonOf(file, most)
  } finally {
    await file.close()
  }
}

/** Returns a sentence if the file cannot be read, else null. The content is not read. */
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
  // Opening a FIFO waits for a writer. A pipe that a shell passes has one.
  if (isPipe && !isHandedOver(path)) throw new Error('this is a pipe (FIFO), not a file')
  // Non-blocking: regular files never wait, and endless files of /proc such as kmsg must not.
  const file = openSync(path, constants.O_RDONLY | (isPipe ? 0 : constants.O_NONBLOCK))
  try {
    const found = fstatSync(file)
    if (!found.isFile() && !(isPipe && found.isFIFO())) throw new Error(sortOf(found))
    return use(file)
  } finally {
    closeSync(file)
  }
}

/** True for a descriptor that a shell has opened: `/dev/stdin`, `/dev/fd/63`. */
export function isHandedOver(path: string): boolean {
  return /^\/(dev|proc)\//.test(path)
}

function sortOf(found: Stats): string {
  if (found.isFIFO()) return 'this is a pipe (FIFO), not a file'
  if (found.isDirectory()) return 'this is a folder, not a file'
  return found.isCharacterDevice() || found.isBlockDevice()
    ? 'this is a device, not a file'
    : 'this is not a readable file'
}

const PIECE = 65_536

async function contentSoonOf(file: FileHandle, most: number): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE))
    if (bytesRead === 0) return Buffer.concat(pieces).toString('utf8')
    pieces.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > most) throw tooLarge(most)
  }
}

function contentOf(file: number, most: number): string {
  const pieces: Buffer[] = []
  let length = 0
  for (;;) {
    const piece = Buffer.allocUnsafe(PIECE)
    const got = readSync(file, piece)
    if (got === 0) return Buffer.concat(pieces).toString('utf8')
    pieces.push(piece.subarray(0, got))
    length += got
    if (length > most) throw tooLarge(most)
  }
}

function tooLarge(most: number): Error {
  return new Error(`the file has more than ${inWords(most)}; is it the right one?`)
}

function inWords(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1024} KiB`
}

/** Explains an error of the file system to people. */
export function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EACCES') return 'this user is not permitted to read the file'
  if (code === 'EISDIR') return 'this is a folder, not a file'
  if (code === 'EAGAIN') return 'this file has no end'
  return code === undefined ? message : `the file cannot be read: ${message}`
}
