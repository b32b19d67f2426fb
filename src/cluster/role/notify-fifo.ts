/**
 * The FIFO to which keepalived writes the states of VRRP (`notify_fifo`). lvsd makes it, so that it stays when keepalived
 * stops, and opens it for writing too, so that it has no end. A FIFO that is removed or replaced is opened again.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { BoundedLines, readVrrpLine, type VrrpWord } from '../../core/vrrp-role.js'
import { makeFifo } from '../../system/libc.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { Poller } from '../../util/poller.js'

export interface NotifyFifoParts {
  readonly path: string
  readonly log: Pick<Log, 'error' | 'warn'>
  readonly clock?: Pick<Clock, 'alarm'>
  /** `isOld`: the word was in the FIFO when lvsd opened it. */
  onWord(word: VrrpWord, isOld: boolean): void
  /** The FIFO cannot be opened: a sentence for people. */
  onTrouble(trouble: string | null): void
}

/** Milliseconds between two looks whether the FIFO is still the same. Its lines are read when they come. */
const EVERY = 1000
/** Bytes of a line. Those of keepalived have less than 200. */
const LONGEST_LINE = 1024
/** Bytes that are read at an opening. A FIFO holds 64 KiB, unless somebody has made it larger: at most 1 MiB. */
const MOST_AT_ONCE = 1 << 20

export class NotifyFifo {
  readonly #parts: NotifyFifoParts
  readonly #looks: Poller
  readonly #lines = new BoundedLines(LONGEST_LINE)
  #stream: Socket | null = null
  #opened: Pick<Stats, 'dev' | 'ino'> | null = null
  #trouble: string | null = null
  #hasForeign = false
  #isClosed = false

  constructor(parts: NotifyFifoParts) {
    this.#parts = parts
    this.#looks = new Poller('FIFO of VRRP', () => this.#look(), parts)
    this.#look()
    this.#looks.every(EVERY)
  }

  /** Leaves the FIFO where it is: keepalived has it open. */
  close(): void {
    this.#isClosed = true
    void this.#looks.stop()
    this.#release()
  }

  #look(): void {
    if (this.#isClosed) return
    try {
      const found = this.#found()
      if (this.#stream && found.dev === this.#opened?.dev && found.ino === this.#opened.ino) return
      this.#release()
      this.#open()
      this.#tell(null)
    } catch (error) {
      this.#release()
      const { code, message } = error as NodeJS.ErrnoException
      this.#tell(`the FIFO ${this.#parts.path} cannot be read: ${code ? (WHY[code] ?? code) : message}`)
    }
  }

  #found(): Stats {
    const { path } = this.#parts
    const found = statSync(path, { throwIfNoEntry: false })
    if (!found) makeFifo(path)
    const made = found ?? statSync(path)
    if (!made.isFIFO()) throw new Error('this is not a FIFO')
    return made
  }

  #open(): void {
    const fd = openSync(this.#parts.path, constants.O_RDWR | constants.O_NONBLOCK)
    try {
      // Something else may be there by now.
      const found = fstatSync(fd)
      if (!found.isFIFO()) throw new Error('this is not a FIFO')
      this.#opened = found
      this.#lines.clear()
      this.#hasForeign = false
      this.#drain(fd)
    } catch (error) {
      closeSync(fd)
      throw error
    }
    const stream = new Socket({ fd, readable: true, writable: false })
    stream.on('data', data => this.#take(data, false))
    // The next look opens it again.
    stream.on('error', () => this.#release())
    stream.unref()
    this.#stream = stream
  }

  /** What is in the FIFO already is older than what the kernel says of the addresses. */
  #drain(fd: number): void {
    const buffer = Buffer.alloc(1 << 16)
    for (let total = 0; total < MOST_AT_ONCE; ) {
      let length: number
      try {
        length = readSync(fd, buffer)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return
        throw error
      }
      if (length === 0) return
      this.#take(buffer.subarray(0, length), true)
      total += length
    }
  }

  #take(data: Buffer, isOld: boolean): void {
    let isForeign = false
    for (const line of this.#lines.push(data)) {
      const word = line === null ? undefined : readVrrpLine(line)
      if (word === undefined) isForeign = true
      else if (word) this.#parts.onWord(word, isOld)
    }
    if (isForeign) this.#tellForeign()
  }

  #tellForeign(): void {
    if (this.#hasForeign) return
    this.#hasForeign = true
    const { path, log } = this.#parts
    const message = `the FIFO ${path} has lines that are not of keepalived: they do not count`
    log.warn('role.foreign-lines', { file: path }, message)
  }

  #release(): void {
    this.#stream?.destroy()
    this.#stream = null
    this.#opened = null
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#parts.onTrouble(trouble)
  }
}

const WHY: Readonly<Record<string, string>> = {
  EACCES: 'the user of lvsd may not open it, or may not write to its folder',
  EROFS: 'lvsd may not write to its folder',
  ENOENT: 'its folder is missing',
  ENOTDIR: 'its folder is not a folder',
}
