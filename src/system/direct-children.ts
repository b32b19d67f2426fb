/**
 * Children that `posix-spawn.ts` has started: their output and their end. Node does not know them. SIGCHLD says that some child
 * has ended; every 20 ms all are looked at in any case, and what they have printed is read. A pipe holds 64 kB, so a
 * command that prints more waits for the next look, and endless output needs little time.
 */

import { Socket } from 'node:net'
import { type Child, collect } from './node-children.js'
import { closeDescriptor, type FixedMemory, fixedMemory } from './numeric-calls.js'
import { type Exit, exitOfChild, type Program, readPipe, spawnProgram } from './posix-spawn.js'

/** Milliseconds between two looks. */
const LOOK_EVERY = 20
/** Bytes of one read, and the maximum of one look at one child. */
const CHUNK = 65_536
const GULP = 1 << 20

interface Watched {
  readonly pid: number
  look(): void
}

const watched = new Set<Watched>()
let timer: NodeJS.Timeout | undefined
let hearsSignal = false
let room: FixedMemory | undefined

/** What happens around each start, which blocks the thread. */
let around = <T>(spawn: () => T): T => spawn()

export function wrapSpawns(wrapper: typeof around): void {
  around = wrapper
}

/**
 * Starts a program; see `spawnProgram`. `kept`: bytes of its output that are returned. `begun` is called as soon as
 * it has a process. For the main thread. Throws a SystemError.
 */
export function startDirectly(program: Program, kept: number, begun: (pid: number) => void): Child {
  const { pid, output } = around(() => spawnProgram(program))
  begun(pid)
  const reader = new OutputReader(output, kept)
  const exit = new Promise<Exit>(resolve => {
    const child: Watched = {
      pid,
      look: () => {
        const ended = exitOfChild(pid)
        if (!ended) {
          reader.read()
          return
        }
        watched.delete(child)
        resolve(ended)
      },
    }
    watched.add(child)
  })
  watch()
  return { pid, exit, finish: isLeft => reader.finish(isLeft) }
}

function watch(): void {
  timer ??= setTimeout(lookAgain, LOOK_EVERY)
  if (hearsSignal) return
  hearsSignal = true
  process.on('SIGCHLD', lookAtAll)
}

function lookAgain(): void {
  timer = undefined
  lookAtAll()
  if (watched.size > 0) timer ??= setTimeout(lookAgain, LOOK_EVERY)
}

function lookAtAll(): void {
  for (const child of [...watched]) child.look()
  if (watched.size > 0) return
  clearTimeout(timer)
  timer = undefined
}

/** Reads a pipe, keeps the beginning, and discards the rest: an unread pipe would block the child. */
class OutputReader {
  #fd: number
  #text = ''
  /** Bytes that are still kept. */
  #left: number
  #decoder = new TextDecoder()

  constructor(fd: number, kept: number) {
    this.#fd = fd
    this.#left = kept
  }

  /** Returns true if no process can print any more. */
  read(): boolean {
    room ??= fixedMemory(CHUNK)
    for (let gulp = 0; gulp < GULP && this.#fd >= 0; ) {
      const length = readPipe(this.#fd, room)
      if (length <= 0) return length === 0
      gulp += length
      this.#keep(room.bytes.subarray(0, length))
    }
    return this.#fd < 0
  }

  /** `isLeft`: as `Child.finish`. */
  finish(isLeft: boolean): string {
    const isOver = this.read()
    const fd = this.#fd
    this.#fd = -1
    if (fd >= 0 && isLeft && !isOver) discard(fd)
    else if (fd >= 0) closeDescriptor(fd)
    return this.#text
  }

  #keep(bytes: Uint8Array): void {
    if (this.#left === 0) return
    const kept = bytes.subarray(0, this.#left)
    this.#left -= kept.length
    // A character that is cut at the limit is not returned.
    this.#text += this.#decoder.decode(kept, { stream: true })
  }
}

/** Reads what processes that stay print, so that none waits for its pipe. It does not keep this process alive. */
function discard(fd: number): void {
  const stream = new Socket({ fd, readable: true, writable: false })
  void collect(stream, { text: '', left: 0 })
  stream.unref()
}
