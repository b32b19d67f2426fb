/**
 * Calls of the C library with numbers only. A call through koffi with numbers costs 50 ns, and one with a Buffer twice as much.
 *
 * Each call returns what the C function returns, or the negative errno; none throws. Memory whose address is passed is
 * made by `fixedMemory`, is held by its owner as long as the kernel may use it, and is never resized.
 */
import { errorName, type NumericLibrary, openNumericLibrary, SystemError } from './libc.js'
import { closing } from './noted-descriptors.js'

/** Memory that does not move, with its address. */
export interface FixedMemory {
  readonly bytes: Buffer
  readonly address: number
}

/** errno numbers that a caller tells apart: <asm-generic/errno.h>. */
export const EINTR = -4
export const EAGAIN = -11
export const EPIPE = -32
export const EADDRINUSE = -98
export const ECONNRESET = -104
export const EINPROGRESS = -115

/** True if the constants and layouts of `sockets.ts` and `epoll.ts`, those of x86-64 and arm64, are those of this machine. */
export function isEpollSupported(): boolean {
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
}

export interface Calls {
  readonly lib: NumericLibrary
  readonly socket: NumericCall
  readonly connect: NumericCall
  readonly listen: NumericCall
  readonly bind: NumericCall
  readonly send: NumericCall
  readonly sendto: NumericCall
  readonly recv: NumericCall
  readonly shutdown: NumericCall
  readonly close: NumericCall
  readonly setsockopt: NumericCall
  readonly getsockopt: NumericCall
  readonly getsockname: NumericCall
  readonly getpeername: NumericCall
  readonly epoll_create1: NumericCall
  readonly epoll_ctl: NumericCall
  readonly epoll_wait: NumericCall
  readonly eventfd: NumericCall
  readonly read: NumericCall
  readonly write: NumericCall
  readonly usleep: NumericCall
  readonly if_nametoindex: NumericCall
}

export type NumericCall = (...values: number[]) => number

let opened: Calls | undefined

export function calls(): Calls {
  if (opened) return opened
  if (!isEpollSupported()) throw new Error(`epoll is not supported on ${process.platform} ${process.arch}`)
  const lib = openNumericLibrary()
  opened = {
    lib,
    socket: lib.func('int socket(int, int, int)'),
    connect: lib.func('int connect(int, int64_t, uint32_t)'),
    listen: lib.func('int listen(int, int)'),
    bind: lib.func('int bind(int, int64_t, uint32_t)'),
    send: lib.func('intptr_t send(int, int64_t, size_t, int)'),
    sendto: lib.func('intptr_t sendto(int, int64_t, size_t, int, int64_t, uint32_t)'),
    recv: lib.func('intptr_t recv(int, int64_t, size_t, int)'),
    shutdown: lib.func('int shutdown(int, int)'),
    close: lib.func('int close(int)'),
    setsockopt: lib.func('int setsockopt(int, int, int, int64_t, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, int64_t, int64_t)'),
    getsockname: lib.func('int getsockname(int, int64_t, int64_t)'),
    getpeername: lib.func('int getpeername(int, int64_t, int64_t)'),
    epoll_create1: lib.func('int epoll_create1(int)'),
    epoll_ctl: lib.func('int epoll_ctl(int, int, int, int64_t)'),
    epoll_wait: lib.func('int epoll_wait(int, int64_t, int, int)'),
    eventfd: lib.func('int eventfd(unsigned int, int)'),
    read: lib.func('intptr_t read(int, int64_t, size_t)'),
    write: lib.func('intptr_t write(int, int64_t, size_t)'),
    usleep: lib.func('int usleep(uint32_t)'),
    if_nametoindex: lib.func('unsigned int if_nametoindex(int64_t)'),
  }
  return opened
}

export function outcome({ lib }: Calls, returned: number): number {
  return returned >= 0 ? returned : -lib.errno()
}

/** Returns the error of a call that returned a negative errno. */
export function callError(negative: number, syscall: string): SystemError {
  return new SystemError(errorName(-negative), syscall)
}

/** Returns memory that is all 0. Small ones share a block, which lives as long as one of them. */
export function fixedMemory(bytes: number): FixedMemory {
  if (bytes > LARGEST_SHARE) return newBlock(bytes)
  const room = (bytes + 15) & ~15
  if (!block || taken + room > BLOCK) {
    block = newBlock(BLOCK)
    taken = 0
  }
  const from = taken
  taken += room
  return { bytes: block.bytes.subarray(from, from + bytes), address: block.address + from }
}

const BLOCK = 64 * 1024
const LARGEST_SHARE = 4096
let block: FixedMemory | undefined
let taken = 0

function newBlock(bytes: number): FixedMemory {
  const memory = Buffer.allocUnsafeSlow(bytes).fill(0)
  return { bytes: memory, address: calls().lib.address(memory) }
}

/** Returns a fixed copy; `null` for no bytes. */
export function fixedCopy(data: Uint8Array): FixedMemory | null {
  if (data.length === 0) return null
  const memory = fixedMemory(data.length)
  memory.bytes.set(data)
  return memory
}

export function closeDescriptor(fd: number): number {
  closing(fd)
  const c = calls()
  return outcome(c, c.close(fd))
}

export interface Scratch {
  readonly value: FixedMemory
  readonly peer: FixedMemory
  readonly length: FixedMemory
}

let made: Scratch | undefined

/** Memory that is used within one call. */
export function scratch(): Scratch {
  made ??= { value: fixedMemory(32), peer: fixedMemory(32), length: fixedMemory(8) }
  return made
}
