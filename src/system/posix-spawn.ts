/**
 * Starts programs with posix_spawn(3): the child borrows the memory of this process until it has become the program
 * (CLONE_VM and CLONE_VFORK), so its page tables are not copied, whatever their size. The calls pass numbers only, as in
 * `numeric-calls.ts`.
 */
import { constants } from 'node:os'
import { errorName, SystemError } from './libc.js'
import {
  calls,
  closeDescriptor,
  type FixedMemory,
  fixedMemory,
  isEpollSupported,
  type NumericCall,
  outcome,
} from './numeric-calls.js'

// <fcntl.h>, <sys/wait.h>
const O_RDONLY = 0
const O_NONBLOCK = 0x800
const O_CLOEXEC = 0x80000
const F_SETFL = 4
const WNOHANG = 1

// <spawn.h>
const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
const POSIX_SPAWN_SETSID = 0x80

/** More than the structures of the C libraries have: glibc 336, 80 and 128 bytes, musl 336, 80 and 128. */
const ATTRIBUTES_SIZE = 1024
const ACTIONS_SIZE = 512
const SIGNALS_SIZE = 256

export interface Program {
  readonly file: string
  /** Without the name of the program. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface Spawned {
  readonly pid: number
  /** Descriptor of its standard output and standard error, one pipe; reads of it do not block. */
  readonly output: number
}

/** How a child ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface SpawnCalls {
  readonly spawn: NumericCall
  readonly waitpid: NumericCall
  readonly pipe2: NumericCall
  readonly fcntl: NumericCall
  readonly initActions: NumericCall
  readonly addOpen: NumericCall
  readonly addDuplicate: NumericCall
  readonly addFolder: NumericCall
  readonly destroyActions: NumericCall
}

interface Prepared {
  readonly c: SpawnCalls
  readonly attributes: FixedMemory
  readonly actions: FixedMemory
  /** For results of calls. */
  readonly result: FixedMemory
  readonly nothing: FixedMemory
  readonly root: FixedMemory
}

let prepared: Prepared | null | undefined

function ready(): Prepared | null {
  if (prepared === undefined) prepared = prepare()
  return prepared
}

/** False where the C library lacks something; programs have to be started otherwise there. */
export function isSpawnSupported(): boolean {
  return ready() !== null
}

/**
 * Starts a program in a session of its own, in the folder /, with nothing to read, and with default signal handlers.
 * Blocks until the kernel has replaced the program. Throws a SystemError.
 */
export function spawnProgram({ file, argv, env }: Program): Spawned {
  const parts = ready()
  if (!parts) throw new SystemError('ENOSYS', 'posix_spawn')
  const words = stringArray([file, ...argv])
  const path = cString(file)
  const variables = stringArray(Object.entries(env).map(([name, value]) => `${name}=${value}`))
  const [output, end] = openPipe(parts)
  inUse = [path, words, variables]
  try {
    return { pid: spawn(parts, inUse, end), output }
  } catch (error) {
    closeDescriptor(output)
    throw error
  } finally {
    inUse = null
    closeDescriptor(end)
  }
}

type Texts = readonly [file: FixedMemory, words: FixedMemory, variables: FixedMemory]

/** Held here during the call, because V8 does not know that the C library reads them. */
let inUse: Texts | null = null

function spawn(
  { c, actions, attributes, result, nothing, root }: Prepared,
  [file, words, variables]: Texts,
  end: number,
): number {
  c.initActions(actions.address)
  try {
    const failed =
      c.addOpen(actions.address, 0, nothing.address, O_RDONLY, 0) ||
      c.addDuplicate(actions.address, end, 1) ||
      c.addDuplicate(actions.address, end, 2) ||
      c.addFolder(actions.address, root.address) ||
      c.spawn(
        result.address,
        file.address,
        actions.address,
        attributes.address,
        words.address,
        variables.address,
      )
    // These functions return the error number; errno is not set. Node has no name for ENOEXEC.
    if (failed !== 0)
      throw new SystemError(failed === constants.errno.ENOEXEC ? 'ENOEXEC' : errorName(failed), 'spawn')
    return result.bytes.readInt32LE(0)
  } finally {
    c.destroyActions(actions.address)
  }
}

/** Returns how a child of this process has ended, and reaps it; null while it runs. */
export function exitOfChild(pid: number): Exit | null {
  const parts = ready()
  if (!parts) return null
  const { c, result } = parts
  const found = c.waitpid(pid, result.address, WNOHANG)
  if (found === 0) return null
  // Somebody else has reaped it.
  if (found < 0) return { code: null, signal: null }
  // <bits/waitstatus.h>: the lower seven bits are the signal, the next byte is the exit code.
  const status = result.bytes.readInt32LE(0)
  const signal = status & 0x7f
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: null, signal: SIGNALS.get(signal) ?? (`SIG${signal}` as NodeJS.Signals) }
}

/** Some numbers have two names, of which the first is the usual one. Those of real-time signals have none. */
const SIGNALS = new Map(
  (Object.entries(constants.signals) as [NodeJS.Signals, number][])
    .reverse()
    .map(([name, number]) => [number, name]),
)

function openPipe({ c, result }: Prepared): [number, number] {
  const failed = outcome(calls(), c.pipe2(result.address, O_CLOEXEC))
  if (failed < 0) throw new SystemError(errorName(-failed), 'pipe2')
  const [output, end] = [result.bytes.readInt32LE(0), result.bytes.readInt32LE(4)]
  // The program's side blocks, as programs expect it.
  c.fcntl(output, F_SETFL, O_NONBLOCK)
  return [output, end]
}

/** Reads what a pipe has. 0: it has no writer left. Negative: it is empty (EAGAIN), or another errno. */
export function readPipe(fd: number, into: FixedMemory): number {
  const c = calls()
  return outcome(c, c.read(fd, into.address, into.bytes.length))
}

// ---------------------------------------------------------------- memory

function cString(text: string): FixedMemory {
  const bytes = Buffer.from(`${text}\0`)
  const memory = fixedMemory(bytes.length)
  memory.bytes.set(bytes)
  return memory
}

/** An array as `argv` has it: pointers to strings, a null pointer; the strings follow. Throws for a NUL in a text. */
function stringArray(texts: readonly string[]): FixedMemory {
  if (texts.some(text => text.includes('\0'))) throw new Error('arguments and variables cannot contain a NUL')
  const strings = Buffer.from(texts.map(text => `${text}\0`).join(''))
  const start = POINTER * (texts.length + 1)
  const memory = fixedMemory(start + strings.length)
  memory.bytes.set(strings, start)
  let at = start
  texts.forEach((text, i) => {
    memory.bytes.writeBigUInt64LE(BigInt(memory.address + at), POINTER * i)
    at += Buffer.byteLength(text) + 1
  })
  return memory
}

const POINTER = 8

// ---------------------------------------------------------------- preparation

function prepare(): Prepared | null {
  try {
    return isEpollSupported() ? prepareCalls() : null
  } catch {
    // koffi does not load, or the C library has not all of the functions.
    return null
  }
}

function prepareCalls(): Prepared {
  const { lib } = calls()
  const c: SpawnCalls = {
    spawn: lib.func('int posix_spawn(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)'),
    waitpid: lib.func('int waitpid(int, int64_t, int)'),
    pipe2: lib.func('int pipe2(int64_t, int)'),
    fcntl: lib.func('int fcntl(int, int, int)'),
    initActions: lib.func('int posix_spawn_file_actions_init(int64_t)'),
    addOpen: lib.func('int posix_spawn_file_actions_addopen(int64_t, int, int64_t, int, uint32_t)'),
    addDuplicate: lib.func('int posix_spawn_file_actions_adddup2(int64_t, int, int)'),
    addFolder: lib.func('int posix_spawn_file_actions_addchdir_np(int64_t, int64_t)'),
    destroyActions: lib.func('int posix_spawn_file_actions_destroy(int64_t)'),
  }
  const attributes = fixedMemory(ATTRIBUTES_SIZE)
  const signals = fixedMemory(SIGNALS_SIZE)
  lib.func('int posix_spawnattr_init(int64_t)')(attributes.address)
  // No signal is blocked, and each one has its default effect: Node ignores SIGPIPE, for example.
  lib.func('int sigemptyset(int64_t)')(signals.address)
  lib.func('int posix_spawnattr_setsigmask(int64_t, int64_t)')(attributes.address, signals.address)
  lib.func('int sigfillset(int64_t)')(signals.address)
  lib.func('int posix_spawnattr_setsigdefault(int64_t, int64_t)')(attributes.address, signals.address)
  const flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
  const failed = lib.func('int posix_spawnattr_setflags(int64_t, int16_t)')(attributes.address, flags)
  // A C library without POSIX_SPAWN_SETSID refuses it.
  if (failed !== 0) throw new SystemError(errorName(failed), 'posix_spawnattr_setflags')
  return {
    c,
    attributes,
    actions: fixedMemory(ACTIONS_SIZE),
    result: fixedMemory(16),
    nothing: cString('/dev/null'),
    root: cString('/'),
  }
}
