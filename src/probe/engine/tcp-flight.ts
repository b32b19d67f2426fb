/** A probe over TCP on epoll: the same answers and phases as `probe/tcp.ts`. */
import { type Answer, down } from '../../check/check.js'
import { answerFromError, timedOut } from '../../check/error-to-answer.js'
import type { OnDone, Run } from '../../check/run.js'
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDHUP } from '../../system/epoll.js'
import {
  callError,
  closeDescriptor,
  EAGAIN,
  ECONNRESET,
  EINPROGRESS,
  EINTR,
  EPIPE,
  type FixedMemory,
  fixedMemory,
} from '../../system/numeric-calls.js'
import {
  connectSocket,
  endSending,
  isConnectedToItself,
  markSocket,
  openStream,
  pendingError,
  receiveBytes,
  resetSocket,
  sendBytes,
} from '../../system/sockets.js'
import { Pace, REST } from '../pace.js'
import type { ResponseParser } from '../response-parser.js'
import { SELF_CONNECTED } from '../tcp.js'
import { bindTo } from './local-ports.js'
import { PhaseTimes } from './phase-times.js'
import type { NativeTcp } from './prepared.js'
import type { Looker, ProbeLoop } from './reactor.js'
import type { Watcher } from './watchers.js'

/** Bytes of one read, as on Node's sockets; the data is judged, or copied by the parser, before the next read. */
const READ = 64 * 1024
/** Maximum number of bytes that are read of one connection before others have their turn. */
const MOST_READ = 4 * READ
/** The first look is at once, for servers of this machine, the second one a millisecond later. */
const LOOKS = 2
const ENDED = EPOLLRDHUP | EPOLLHUP | EPOLLERR
/** An unsigned number: JavaScript's `|` would make EPOLLET negative. */
const EVENTS = EPOLLET + (EPOLLIN | EPOLLOUT | EPOLLRDHUP)

/** A negative errno, and the call that returned it. */
type Failed = readonly [negative: number, call: string]

function failure([negative, call]: Failed): Answer {
  return answerFromError(callError(negative, call))
}

function isReset(negative: number): boolean {
  return negative === ECONNRESET || negative === EPIPE
}

let buffer: ReturnType<typeof fixedMemory> | undefined
/** The part of the buffer that the last read has filled: many answers have the same length. */
let filled: Buffer | undefined

export class NativeTcpFlight extends PhaseTimes implements Run, Watcher, Looker {
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #reactor: ProbeLoop
  readonly #prepared: NativeTcp
  readonly #done: OnDone
  #fd = -1
  #place = -1
  #isConnected = false
  #hearing: ResponseParser | null = null
  #sent = 0
  #hasSent = false
  /** The negative errno of a connection that was reset before this run heard that it was open. */
  #reset = 0
  #pace: Pace | null = null
  #cancelRest: (() => void) | null = null
  /** How often it may still look for an open connection before it watches for one. */
  #looks = LOOKS
  #over = false

  constructor(reactor: ProbeLoop, prepared: NativeTcp, done: OnDone) {
    super('connect')
    this.#reactor = reactor
    this.#prepared = prepared
    this.#done = done
    const failed = this.#connect()
    // `done` must not be called before the run is returned.
    if (failed) reactor.afterReading(() => this.#over || this.#finish(failure(failed)))
  }

  wake(): void {}

  expire(timeout: number): Answer {
    const answer = timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (!this.#over) this.#land()
  }

  ready(flags: number): void {
    if (!this.#isConnected && !this.#connected(flags)) return
    if (this.#over) return
    if (flags & EPOLLOUT && this.#mustSend) this.#send()
    if (flags & (EPOLLIN | ENDED) && !this.#over && !this.#cancelRest) this.#read((flags & ENDED) !== 0)
  }

  /** Returns what failed at once; null: nothing. */
  #connect(): Failed | null {
    const { family, to, from, mark, ports, data, isConnect } = this.#prepared
    this.#fd = openStream(family)
    if (this.#fd < 0) return [this.#fd, 'socket']
    const marked = mark === 0 ? 0 : markSocket(this.#fd, mark)
    if (marked < 0) return [marked, 'setsockopt']
    const bound = from ? bindTo(this.#fd, from, ports) : 0
    if (bound < 0) return [bound, 'bind']
    const connected = connectSocket(this.#fd, to)
    if (connected < 0 && connected !== EINPROGRESS) return [connected, 'connect']
    if (data !== null && !isConnect && this.#reactor.lookSoon(this)) return null
    return this.#watch()
  }

  #watch(): Failed | null {
    this.#place = this.#reactor.watch(this.#fd, EVENTS, this)
    return this.#place < 0 ? [this.#place, 'epoll_ctl'] : null
  }

  /** Sends if the connection is open, and reads if the request has been sent; watches what is not there yet. */
  look(): void {
    if (this.#over) return
    if (this.#isConnected) this.#read(false)
    else {
      this.#sendFirst()
      this.#looks--
      const maySoon = this.#isConnected ? this.#hasSent : this.#looks > 0
      if (this.#over || (maySoon && this.#reactor.lookSoon(this))) return
    }
    const failed = this.#over ? null : this.#watch()
    if (failed) this.#finish(failure(failed))
  }

  /** A connection that is not open refuses to send, with the error of its end if it has ended. */
  #sendFirst(): void {
    const sent = sendBytes(this.#fd, this.#prepared.data as FixedMemory)
    if (sent === EAGAIN || sent === EINTR) return
    if (isReset(sent)) this.#reset = sent
    else if (sent < 0) {
      this.#finish(failure([sent, 'connect']))
      return
    }
    if (!this.#open() || sent < 0) return
    this.#sent = sent
    this.#send()
  }

  /** Returns false if the connection is not open, or the run has ended. */
  #connected(flags: number): boolean {
    if (flags & (EPOLLERR | EPOLLHUP)) {
      const error = pendingError(this.#fd)
      // Only a connection that was open ends in this way: a plain connect has passed, and what the server has sent can be read.
      if (isReset(error)) this.#reset = error
      else if (error < 0) {
        this.#finish(failure([error, 'connect']))
        return false
      }
    }
    return (flags & EPOLLOUT) !== 0 && this.#open()
  }

  /** The connection is open. Returns false if that ends the run. */
  #open(): boolean {
    this.#isConnected = true
    const { canBeOwnEcho, isConnect, judge } = this.#prepared
    if (canBeOwnEcho && isConnectedToItself(this.#fd)) this.#finish(down('refused', SELF_CONNECTED))
    else if (isConnect) this.#finish(judge.hear().end())
    else {
      this.enter(judge.first)
      return true
    }
    return false
  }

  get #mustSend(): boolean {
    return !this.#hasSent && this.#reset === 0
  }

  #send(): void {
    const { data, end } = this.#prepared
    while (data && this.#sent < data.bytes.length) {
      const sent = sendBytes(this.#fd, data, this.#sent)
      if (sent === EAGAIN) return
      if (isReset(sent)) {
        // A server may answer before it has the whole request, and close: the answer can be read.
        this.#reset = sent
        if (!this.#cancelRest) this.#read(true)
        return
      }
      if (sent < 0 && sent !== EINTR) {
        this.#finish(failure([sent, 'write']))
        return
      }
      if (sent > 0) this.#sent += sent
    }
    this.#hasSent = true
    if (end) endSending(this.#fd)
  }

  /** `isEnding`: the kernel has reported the end or an error, which is read too. Otherwise a short read was the last. */
  #read(isEnding: boolean): void {
    const answer = this.#readOn(isEnding)
    if (answer) this.#finish(answer)
  }

  /** Returns null if more has to come. */
  #readOn(isEnding: boolean): Answer | null {
    buffer ??= fixedMemory(READ)
    for (let total = 0; total < MOST_READ; ) {
      const length = receiveBytes(this.#fd, buffer)
      if (length === EINTR) continue
      if (length <= 0) return this.#endOf(length)
      if (filled?.length !== length) filled = buffer.bytes.subarray(0, length)
      const answer = this.#judge(filled)
      if (answer) return answer
      this.#pace ??= new Pace()
      if (this.#pace.mustRest(length)) return this.#readIn(REST)
      if (length < READ && !isEnding) return null
      total += length
    }
    return this.#readIn(0)
  }

  /** Returns null if more has to come. The first piece is looked up first. */
  #judge(bytes: Buffer): Answer | null {
    const { hear, recall } = this.#prepared.judge
    if (this.#hearing !== null) return this.#push(this.#hearing, bytes)
    const known = recall.answerTo(bytes)
    if (known) {
      this.enter(recall.phase)
      return known
    }
    this.#hearing = hear()
    const answer = this.#push(this.#hearing, bytes)
    if (answer) recall.keep(bytes, answer, this.#hearing.phase)
    return answer
  }

  #push(hearing: ResponseParser, bytes: Buffer): Answer | null {
    const answer = hearing.push(bytes)
    this.enter(hearing.phase)
    return answer
  }

  /** Returns the answer where there is nothing to read; null if more has to come. */
  #endOf(length: number): Answer | null {
    if (length === 0 || length === EAGAIN)
      if (this.#reset < 0) return failure([this.#reset, 'read'])
      else return length === 0 ? (this.#hearing ?? this.#prepared.judge.hear()).end() : null
    return failure([length, 'read'])
  }

  #readIn(ms: number): null {
    this.#cancelRest = this.#reactor.alarm(ms, () => {
      this.#cancelRest = null
      // What has come meanwhile was not reported again.
      this.#read(true)
    })
    return null
  }

  #finish(answer: Answer): void {
    this.#land()
    this.#done(answer)
  }

  #land(): void {
    this.#over = true
    this.#cancelRest?.()
    this.note()
    if (this.#place >= 0) this.#reactor.unwatch(this.#place)
    if (this.#fd < 0) return
    if (this.#prepared.reset && this.#isConnected) resetSocket(this.#fd)
    else closeDescriptor(this.#fd)
  }
}
