/**
 * System calls that Node does not offer, made through koffi. A wrong pointer or length would corrupt the memory of a
 * root process. Therefore only this file and those that take `openNumericLibrary` call C. Here every pointer is a Buffer that is
 * passed with its own length.
 *
 * koffi is loaded at the first call, so commands without system calls (`lvsd validate`, the memory table) run without
 * it. The constants are those of x86, ARM, RISC-V and POWER; `load` refuses big-endian machines.
 */

import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { KoffiFunc } from 'koffi'
import { closing, opened } from './noted-descriptors.js'

/** A failed system call. `code` is the errno name, such as EPERM. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly syscall: string

  constructor(code: string, syscall: string, detail = '') {
    super(`${syscall}${detail && ` ${detail}`}: ${code}`)
    this.code = code
    this.syscall = syscall
  }
}

const SOCK_CLOEXEC = 0x80000
const O_CLOEXEC = 0x80000

const SOL_SOCKET = 1
const SO_PEERCRED = 17

const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

// <bits/waitflags.h>
const WNOHANG = 1
// <linux/prctl.h>
const PR_SET_PDEATHSIG = 1
const PR_SET_CHILD_SUBREAPER = 36
const SIGKILL = 9
// <linux/memfd.h>
const MFD_CLOEXEC = 1
// <fcntl.h>
const F_SETFD = 2
const FD_CLOEXEC = 1

const LOCK_EX = 2
const LOCK_NB = 4

interface Libc {
  errno(): number
  socket: KoffiFunc<(domain: number, type: number, protocol: number) => number>
  bind: KoffiFunc<(fd: number, address: Uint8Array, length: number) => number>
  send: KoffiFunc<(fd: number, data: Uint8Array, length: number, flags: number) => number>
  sendto: KoffiFunc<
    (fd: number, data: Uint8Array, length: number, flags: number, to: Uint8Array, toLength: number) => number
  >
  recv: KoffiFunc<(fd: number, into: Uint8Array, length: number, flags: number) => number>
  setsockopt: KoffiFunc<
    (fd: number, level: number, name: number, value: Uint8Array, length: number) => number
  >
  getsockopt: KoffiFunc<
    (fd: number, level: number, name: number, into: Uint8Array, length: Uint8Array) => number
  >
  dup3: KoffiFunc<(from: number, to: number, flags: number) => number>
  close: KoffiFunc<(fd: number) => number>
  _exit: KoffiFunc<(code: number) => void>
  flock: KoffiFunc<(fd: number, operation: number) => number>
  waitpid: KoffiFunc<(pid: number, status: null, options: number) => number>
  prctl: KoffiFunc<(option: number, ...typesAndValues: (string | number)[]) => number>
  fcntl: KoffiFunc<(fd: number, command: number, ...typesAndValues: (string | number)[]) => number>
  memfd_create: KoffiFunc<(name: string, flags: number) => number>
  poll: KoffiFunc<(fds: Uint8Array, count: number, timeout: number) => number>
  adjtimex: KoffiFunc<(timex: Uint8Array) => number>
  mkfifo: KoffiFunc<(path: string, mode: number) => number>
}

let loaded: Libc | undefined

function load(): Libc {
  if (loaded) return loaded
  if (process.platform !== 'linux' || endianness() !== 'LE')
    throw new Error(`lvsd supports Linux on little-endian machines, not ${machine()}`)
  const koffi = requireKoffi()
  const lib = koffi.load(null)
  loaded = {
    errno: () => koffi.errno(),
    socket: lib.func('int socket(int, int, int)') as Libc['socket'],
    bind: lib.func('int bind(int, const void *, uint32_t)') as Libc['bind'],
    send: lib.func('intptr_t send(int, const void *, size_t, int)') as Libc['send'],
    sendto: lib.func(
      'intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)',
    ) as Libc['sendto'],
    recv: lib.func('intptr_t recv(int, void *, size_t, int)') as Libc['recv'],
    setsockopt: lib.func('int setsockopt(int, int, int, const void *, uint32_t)') as Libc['setsockopt'],
    getsockopt: lib.func('int getsockopt(int, int, int, void *, void *)') as Libc['getsockopt'],
    dup3: lib.func('int dup3(int, int, int)') as Libc['dup3'],
    close: lib.func('int close(int)') as Libc['close'],
    _exit: lib.func('void _exit(int)') as Libc['_exit'],
    flock: lib.func('int flock(int, int)') as Libc['flock'],
    waitpid: lib.func('int waitpid(int, void *, int)') as Libc['waitpid'],
    prctl: lib.func('int prctl(int, ...)') as Libc['prctl'],
    fcntl: lib.func('int fcntl(int, int, ...)') as Libc['fcntl'],
    memfd_create: lib.func('int memfd_create(const char *, unsigned int)') as Libc['memfd_create'],
    poll: lib.func('int poll(void *, unsigned long, int)') as Libc['poll'],
    adjtimex: lib.func('int adjtimex(void *)') as Libc['adjtimex'],
    mkfifo: lib.func('int mkfifo(const char *, uint32_t)') as Libc['mkfifo'],
  }
  return loaded
}

/** The C library for files that pass numbers only. */
export interface NumericLibrary {
  /** Returns the function of this C prototype. Its pointers are `int64_t`. */
  func(prototype: string): (...values: number[]) => number
  /** Returns the address of memory that is never moved: that of `Buffer.allocUnsafeSlow`. */
  address(memory: Buffer): number
  /** Must be called directly after the failed call. */
  errno(): number
}

/** Throws if the machine is none that lvsd supports, or koffi does not load. */
export function openNumericLibrary(): NumericLibrary {
  load()
  const koffi = requireKoffi()
  const lib = koffi.load(null)
  return {
    func: prototype => lib.func(prototype) as unknown as (...values: number[]) => number,
    address: memory => Number(koffi.address(memory)),
    errno: () => koffi.errno(),
  }
}

/** Ends the process immediately, without waiting for threads. */
export function exitNow(code: number): void {
  load()._exit(code)
}

type Koffi = typeof import('koffi')

/** Loads koffi by the package of its binary. Through its own files, which look for the binary, each thread needs 3 ms more. */
function requireKoffi(): Koffi {
  const require = createRequire(import.meta.url)
  try {
    return require(`@koromix/koffi-${process.platform}-${process.arch}`) as Koffi
  } catch {
    return requireBy(require)
  }
}

/** koffi may find its binary elsewhere, and else says why it does not. */
function requireBy(require: NodeJS.Require): Koffi {
  try {
    return require('koffi') as Koffi
  } catch (cause) {
    throw new Error(
      `the package koffi, through which lvsd reaches the kernel, does not load on ${machine()}: ` +
        'install it again with its optional dependencies (npm ci, without --omit=optional)',
      { cause },
    )
  }
}

function machine(): string {
  return `${process.platform} ${process.arch}`
}

/** Must be called directly after the failed call: any other call may change errno. */
function fail(libc: Libc, syscall: string, detail = ''): SystemError {
  return new SystemError(errorName(libc.errno()), syscall, detail)
}

/** Returns `ENOENT` for 2. `os.constants.errno` has two names for some numbers and cannot be inverted. */
export function errorName(errno: number): string {
  return getSystemErrorName(-errno)
}

// ---------------------------------------------------------------- sockets

/** Opens a socket that children do not inherit; see socket(2). Throws a SystemError. */
export function openSocket(domain: number, type: number, protocol: number): number {
  const libc = load()
  const fd = libc.socket(domain, type | SOCK_CLOEXEC, protocol)
  if (fd < 0) throw fail(libc, 'socket')
  return opened(fd)
}

/** `address`: a struct sockaddr. Throws a SystemError. */
export function bindSocket(fd: number, address: Uint8Array): void {
  const libc = load()
  if (libc.bind(fd, address, address.byteLength) < 0) throw fail(libc, 'bind')
}

/** Sets an option of a socket; see setsockopt(2). Throws a SystemError. */
export function setOption(fd: number, level: number, name: number, value: Uint8Array): void {
  const libc = load()
  if (libc.setsockopt(fd, level, name, value, value.byteLength) < 0) throw fail(libc, 'setsockopt')
}

/** Sends one datagram on a connected socket or a netlink socket. */
export function send(fd: number, data: Uint8Array): void {
  const libc = load()
  if (libc.send(fd, data, data.byteLength, MSG_NOSIGNAL) < 0) throw fail(libc, 'send')
}

/** Sends one datagram to `to`, a struct sockaddr, without waiting. Throws a SystemError that names `path`. */
export function sendTo(fd: number, data: Uint8Array, to: Uint8Array, path: string): void {
  const libc = load()
  if (libc.sendto(fd, data, data.byteLength, MSG_DONTWAIT | MSG_NOSIGNAL, to, to.byteLength) < 0)
    throw fail(libc, 'sendto', path)
}

/** Receives one datagram into `into`. Returns its length in bytes, or null if none is available. */
export function receive(fd: number, into: Uint8Array): number | null {
  const libc = load()
  const length = libc.recv(fd, into, into.byteLength, MSG_DONTWAIT)
  if (length >= 0) return length
  const error = fail(libc, 'recv')
  if (error.code === 'EAGAIN') return null
  throw error
}

// ---------------------------------------------------------------- locks

/** The process behind a connected Unix socket. */
export interface Peer {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** Who connected to this end of a Unix socket: `struct ucred` of SO_PEERCRED, unix(7). Throws a SystemError. */
export function peerOf(fd: number): Peer {
  const libc = load()
  const found = Buffer.alloc(12)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(found.length)
  if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, found, length) < 0) throw fail(libc, 'getsockopt')
  return { pid: found.readInt32LE(0), uid: found.readUInt32LE(4), gid: found.readUInt32LE(8) }
}

/**
 * Locks an open file until it is closed. Returns false if another process holds the lock. The kernel releases the lock
 * when the process ends for any reason.
 */
export function lockFile(fd: number): boolean {
  const libc = load()
  if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return true
  const error = fail(libc, 'flock')
  if (error.code === 'EAGAIN') return false
  throw error
}

// ---------------------------------------------------------------- children

/** Reaps a child, so that no zombie remains. Returns false while the child runs. */
export function reap(pid: number): boolean {
  return load().waitpid(pid, null, WNOHANG) !== 0
}

/** Makes this process the parent of descendants whose own parent ends. */
export function becomeSubreaper(): void {
  control(PR_SET_CHILD_SUBREAPER, 1)
}

/** The kernel kills this process when its parent thread ends. */
export function dieWithParent(): void {
  control(PR_SET_PDEATHSIG, SIGKILL)
}

function control(option: number, value: number): void {
  const libc = load()
  const values = ['unsigned long', value, 'unsigned long', 0, 'unsigned long', 0, 'unsigned long', 0] as const
  if (libc.prctl(option, ...values) < 0) throw fail(libc, 'prctl')
}

/** Prevents children from inheriting a descriptor. */
export function closeOnExec(fd: number): void {
  const libc = load()
  if (libc.fcntl(fd, F_SETFD, 'int', FD_CLOEXEC) < 0) throw fail(libc, 'fcntl')
}

/** Makes a named pipe that only its owner may open. Throws a SystemError. */
export function makeFifo(path: string): void {
  const libc = load()
  if (libc.mkfifo(path, 0o600) < 0) throw fail(libc, 'mkfifo', path)
}

// ---------------------------------------------------------------- memory

/** Creates an anonymous file in memory, which a child can inherit by descriptor. `name` is shown in /proc for debugging. */
export function openMemoryFile(name: string): number {
  const libc = load()
  const fd = libc.memfd_create(name, MFD_CLOEXEC)
  if (fd < 0) throw fail(libc, 'memfd_create')
  return fd
}

// ---------------------------------------------------------------- the clock

/** <sys/timex.h>: the return value of adjtimex while nothing keeps the clock in step. */
const TIME_ERROR = 5

/** True if a program such as chrony keeps this machine's clock in step. Null if the kernel does not tell. */
export function isClockSynchronised(): boolean | null {
  try {
    // struct timex, 208 bytes; its first field, modes, is 0: nothing is set.
    const state = load().adjtimex(Buffer.alloc(256))
    return state < 0 ? null : state !== TIME_ERROR
  } catch {
    return null
  }
}

// ---------------------------------------------------------------- leases

/** <fcntl.h> */
const F_SETSIG = 10
const F_SETLEASE = 1024
const F_RDLCK = 0
const F_UNLCK = 2
/** The signal sent to lvsd if another process opens the file during the test. It is ignored by default. */
const SIGURG = 23

/**
 * True if another process has this file open for writing. Null if unknown: the kernel reveals it only to the file's
 * owner and to root, on most local file systems. `fd` must be open read-only.
 */
export function isOpenForWriting(fd: number): boolean | null {
  try {
    const libc = load()
    if (libc.fcntl(fd, F_SETSIG, 'int', SIGURG) < 0) return null
    if (libc.fcntl(fd, F_SETLEASE, 'int', F_RDLCK) < 0)
      return errorName(libc.errno()) === 'EAGAIN' ? true : null
    libc.fcntl(fd, F_SETLEASE, 'int', F_UNLCK)
    return false
  } catch {
    return null
  }
}

// ---------------------------------------------------------------- descriptors

/** Makes the descriptor `to` refer to the socket of `from`, and closes `from`. */
export function replaceDescriptor(from: number, to: number): void {
  copyDescriptor(from, to)
  close(from)
}

/** Makes the descriptor `to` refer to what `from` refers to, too. Throws a SystemError. */
export function copyDescriptor(from: number, to: number): void {
  const libc = load()
  // dup2 would clear the close-on-exec flag, and every external check would inherit a raw socket.
  if (libc.dup3(from, to, O_CLOEXEC) < 0) throw fail(libc, 'dup3')
}

// <poll.h>
const POLLERR = 0x008
const POLLHUP = 0x010

/** True if a pipe or socket has no reader left. Does not write to it. */
export function isReaderGone(fd: number): boolean {
  // struct pollfd { int fd; short events; short revents; }
  const asked = Buffer.alloc(8)
  asked.writeInt32LE(fd)
  return load().poll(asked, 1, 0) > 0 && (asked.readInt16LE(6) & (POLLERR | POLLHUP)) !== 0
}

export function close(fd: number): void {
  closing(fd)
  load().close(fd)
}
