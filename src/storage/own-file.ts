/**
 * What lvsd takes for a file of its state folder, and how it reads one at once. Imports next to nothing, since all commands load
 * it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs'

/** Maximum bytes of a file. Files of lvsd are smaller; a text of 512 MiB cannot be a string. */
export const MOST_BYTES = 256 << 20

/** A pipe without a writer would block without O_NONBLOCK. */
export const OPEN = constants.O_RDONLY | constants.O_NONBLOCK

/** Throws if something else than a regular file of such a size is there. */
export function judge(found: Stats): void {
  if (!found.isFile()) throw new Error(`it is ${kindOf(found)}, not a file`)
  if (found.size > MOST_BYTES)
    throw new Error(`it has ${found.size} bytes; files of lvsd have at most ${MOST_BYTES}`)
}

/** Writable by the group or by others. */
const BY_OTHERS = 0o022

/** Throws if another user than root and that of this process may have written the file. */
function judgeWriters({ uid, mode }: Stats): void {
  if (uid !== 0 && uid !== process.geteuid?.()) throw new Error(`it belongs to another user (${uid})`)
  if ((mode & BY_OTHERS) !== 0) throw new Error('other users may write to it')
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return 'a device'
}

/** Both. */
export function judgeOwn(found: Stats): void {
  judge(found)
  judgeWriters(found)
}

/** Returns the bytes of a file that `may` allows. Throws what `may` throws, and errors of the file system. */
export function readBytesSync(path: string, may: (found: Stats) => void): Buffer {
  may(statSync(path))
  const fd = openSync(path, OPEN)
  try {
    // Another file may be there by now.
    may(fstatSync(fd))
    return readFileSync(fd)
  } finally {
    closeSync(fd)
  }
}
