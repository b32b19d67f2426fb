/**
 * Passes the frames of an HTTP/2 connection (RFC 9113) to Node one at a time, within limits. In Node 20, nghttp2 aborts
 * the process if a session is ended during a read and an invalid frame follows. Therefore it reads one frame at a time,
 * and none after its session has ended.
 */

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { counted } from '../../src/util/plural.js'
import { CheckFailure } from './failure.js'
import { Heard } from './heard.js'

/** Frame header in bytes: length, type, flags and stream. */
const HEAD = 9
/** Maximum frame size in bytes. A client may allow more; this one does not. */
const LONGEST = 16_384
const GOAWAY = 7
/** Maximum number of frames: MOST_FRAMES, and one per SMALL bytes. A frame costs as much as some thousand bytes. */
const MOST_FRAMES = 1024
const SMALL = 128
/** Bytes allowed in addition to the body: headers, settings, pings. */
const ASIDE = 1_048_576

export class Frames extends Duplex {
  readonly #socket: Socket
  readonly #limit: number
  readonly #heard = new Heard()
  #bytes = 0
  #count = 0
  #isCut = false
  #isReading = false

  /** `limit` is the maximum size of the body in bytes. */
  constructor(socket: Socket, limit: number) {
    super({ allowHalfOpen: true, autoDestroy: true })
    this.#socket = socket
    this.#limit = limit
    socket.on('data', chunk => this.#take(chunk))
    socket.on('end', () => this.#isCut || this.push(null))
    socket.on('error', error => this.destroy(error))
    socket.on('close', () => this.destroy())
    socket.pause()
  }

  /** Stops passing frames. */
  cut(): void {
    this.#isCut = true
  }

  override _read(): void {
    this.#pass()
    if (this.#heard.length < HEAD || !this.#isWhole()) this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isCut = true
    this.#socket.destroy()
    done(error)
  }

  #take(chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#heard.push(chunk)
    this.#pass()
  }

  #isWhole(): boolean {
    return this.#heard.length >= HEAD + this.#heard.peek(3).readUIntBE(0, 3)
  }

  /** Passes complete frames as long as the reader wants them. */
  #pass(): void {
    if (this.#isReading) return
    this.#isReading = true
    try {
      for (let frame = this.#next(); frame && !this.#isCut; frame = this.#next()) {
        const isWanted = this.push(frame)
        // After an error GOAWAY the session ends itself with that error; later frames are dropped.
        if (isFarewell(frame)) this.cut()
        if (isWanted) continue
        this.#socket.pause()
        break
      }
    } finally {
      this.#isReading = false
    }
  }

  #next(): Buffer | null {
    if (this.#isCut || this.#heard.length < HEAD) return null
    const head = this.#heard.peek(HEAD)
    const length = head.readUIntBE(0, 3)
    const problem = this.#problem(length)
    if (problem) {
      this.cut()
      setImmediate(() => this.destroy(problem))
      return null
    }
    const frame = this.#heard.take(HEAD + length)
    if (!frame) return null
    this.#count++
    return frame
  }

  #problem(length: number): CheckFailure | null {
    if (length > LONGEST)
      return new CheckFailure(
        'garbage',
        `a frame of ${counted(length, 'byte')}, at most ${LONGEST} are allowed`,
      )
    if (this.#bytes > this.#limit + ASIDE)
      return new CheckFailure('too-big', `more than ${this.#limit} bytes of a body and ${ASIDE} beside it`)
    return this.#count > MOST_FRAMES + this.#bytes / SMALL
      ? new CheckFailure('too-big', `${this.#count} frames in ${this.#bytes} bytes`)
      : null
  }
}

/** True for a GOAWAY with an error code. */
function isFarewell(frame: Buffer): boolean {
  return frame[3] === GOAWAY && frame.length >= HEAD + 8 && frame.readUInt32BE(HEAD + 4) !== 0
}
