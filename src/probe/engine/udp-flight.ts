/** A probe over UDP on epoll: the same answers and phases as `probe/udp.ts`. */
import { type Answer, up } from '../../check/check.js'
import { answerFromError, timedOut } from '../../check/error-to-answer.js'
import type { OnDone, Run } from '../../check/run.js'
import { EPOLLIN } from '../../system/epoll.js'
import { callError, closeDescriptor, EAGAIN, EINTR, fixedMemory } from '../../system/numeric-calls.js'
import { connectSocket, markSocket, openDatagram, receiveBytes, sendBytes } from '../../system/sockets.js'
import { counted } from '../../util/plural.js'
import type { ResponseParser } from '../response-parser.js'
import { NO_PROOF } from '../udp.js'
import { bindTo } from './local-ports.js'
import { PhaseTimes } from './phase-times.js'
import type { NativeUdp } from './prepared.js'
import type { ProbeLoop } from './reactor.js'
import type { Watcher } from './watchers.js'

/** Bytes of the largest datagram. */
const DATAGRAM = 64 * 1024
let buffer: ReturnType<typeof fixedMemory> | undefined

export class NativeUdpFlight extends PhaseTimes implements Run, Watcher {
  readonly wakeAt: number
  readonly #reactor: ProbeLoop
  readonly #prepared: NativeUdp
  readonly #done: OnDone
  readonly #hearing: ResponseParser | null
  #fd = -1
  #place = -1
  #over = false

  constructor(reactor: ProbeLoop, prepared: NativeUdp, timeout: number, done: OnDone) {
    super('send')
    this.#reactor = reactor
    this.#prepared = prepared
    this.#done = done
    this.#hearing = prepared.hear?.() ?? null
    // Without a judge the wait may be shorter than the deadline, because silence is the best possible outcome.
    this.wakeAt = prepared.hear ? Number.POSITIVE_INFINITY : Math.min(prepared.probe.patience, timeout)
    const failed = this.#send()
    if (!failed) return
    const answer = answerFromError(callError(...failed))
    // `done` must not be called before the run is returned.
    reactor.afterReading(() => this.#over || this.#finish(answer))
  }

  wake(): void {
    if (!this.#over && this.#hearing === null) this.#finish(up(NO_PROOF))
  }

  expire(timeout: number): Answer {
    const isSilent = this.#hearing === null && this.phase !== 'send'
    const answer = isSilent ? up(NO_PROOF) : timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (!this.#over) this.#land()
  }

  /** A datagram is a complete answer; no further data follows. */
  ready(): void {
    buffer ??= fixedMemory(DATAGRAM)
    const length = receiveBytes(this.#fd, buffer)
    if (length !== EAGAIN && length !== EINTR) this.#finish(this.#judge(length, buffer.bytes))
  }

  #judge(length: number, bytes: Buffer): Answer {
    if (length < 0) return answerFromError(callError(length, 'recvmsg'))
    const hearing = this.#hearing
    if (!hearing) return up(`answered ${counted(length, 'byte')}`)
    return hearing.push(bytes.subarray(0, length)) ?? hearing.end()
  }

  /** Returns what failed at once, a negative errno and its call; null: nothing. */
  #send(): readonly [number, string] | null {
    const { family, to, from, mark, ports, data } = this.#prepared
    this.#fd = openDatagram(family)
    if (this.#fd < 0) return [this.#fd, 'socket']
    const marked = mark === 0 ? 0 : markSocket(this.#fd, mark)
    if (marked < 0) return [marked, 'setsockopt']
    const bound = from ? bindTo(this.#fd, from, ports) : 0
    if (bound < 0) return [bound, 'bind']
    const connected = connectSocket(this.#fd, to)
    if (connected < 0) return [connected, 'connect']
    // Level-triggered: one datagram is read for each event.
    this.#place = this.#reactor.watch(this.#fd, EPOLLIN, this)
    if (this.#place < 0) return [this.#place, 'epoll_ctl']
    this.enter('first byte')
    const sent = sendBytes(this.#fd, data)
    return sent < 0 ? [sent, 'send'] : null
  }

  #finish(answer: Answer): void {
    this.#land()
    this.#done(answer)
  }

  #land(): void {
    this.#over = true
    this.note()
    if (this.#place >= 0) this.#reactor.unwatch(this.#place)
    if (this.#fd >= 0) closeDescriptor(this.#fd)
  }
}
