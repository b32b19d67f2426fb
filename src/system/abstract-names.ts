/**
 * Abstract names of Unix sockets (unix(7)). A name belongs to a network namespace, one socket holds it, and the kernel
 * frees it when the process ends, however it ends.
 */

import { opened } from './noted-descriptors.js'
import { callError, calls, closeDescriptor, EADDRINUSE, fixedMemory, outcome } from './numeric-calls.js'
import { readProcFile } from './process-files.js'

// <sys/socket.h>
const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0x80000

/** Returns a descriptor that holds the name until it is closed; null: another socket has the name. Throws a SystemError. */
export function holdAbstractName(name: string): number | null {
  const c = calls()
  const fd = opened(outcome(c, c.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)))
  if (fd < 0) throw callError(fd, 'socket')
  const text = Buffer.from(name)
  // struct sockaddr_un: family, a null byte, the name without an end.
  const address = fixedMemory(3 + text.length)
  address.bytes.writeUInt16LE(AF_UNIX, 0)
  address.bytes.set(text, 3)
  const bound = outcome(c, c.bind(fd, address.address, address.bytes.length))
  if (bound === 0) return fd
  closeDescriptor(fd)
  if (bound === EADDRINUSE) return null
  throw callError(bound, 'bind')
}

/** Returns the abstract names in this network namespace that begin with `prefix`; null: they cannot be read. */
export function abstractNames(prefix: string): readonly string[] | null {
  const text = readProcFile('/proc/net/unix')
  if (text === null) return null
  // The name is the eighth field, with @ for each null byte (unix_seq_show, net/unix/af_unix.c).
  return text.split('\n').flatMap(line => {
    const at = line.indexOf(` @${prefix}`)
    return at < 0 ? [] : [line.slice(at + 2)]
  })
}
