/** A probe over TCP on node:net: connect, send, judge. Uses callbacks, for thousands of runs per second. */
import { Socket } from 'node:net'
import { type Answer, down } from '../check/check.js'
import { answerFromError, timedOut } from '../check/error-to-answer.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import { NO_PHASES, type OnDone, type Run } from '../check/run.js'
import type { Address } from '../core/address.js'
import type { Phase, PhaseTime } from '../core/model.js'
import { compileJudge } from './matcher.js'
import { Pace, REST } from './pace.js'
import type { ResponseParser } from './response-parser.js'

export type TcpProbe = Extract<ProbeSpec, { kind: 'tcp' }>

/** The part that all runs of one probe share. */
export interface PreparedTcp {
  readonly probe: TcpProbe
  readonly hear: () => ResponseParser
  readonly destination: { readonly host: string; readonly port: number; readonly localAddress?: string }
}

export function prepareTcp(probe: TcpProbe): PreparedTcp {
  return { probe, hear: compileJudge(probe.judge), destination: destinationOf(probe) }
}

function destinationOf({ address, port, source }: TcpProbe): PreparedTcp['destination'] {
  return { host: address.text, port, ...(source && { localAddress: source.text }) }
}

/** Returns the same probe, bound to another source. */
export function tcpFrom(prepared: PreparedTcp, source: Address | null): PreparedTcp {
  const probe = { ...prepared.probe, source }
  return { ...prepared, probe, destination: destinationOf(probe) }
}

export function startTcp(prepared: PreparedTcp, done: OnDone, traced: boolean): Run {
  return new TcpFlight(prepared, done, traced)
}

/** Shared by all sockets: the data of a read is judged, or copied by the parser, before the next read. */
const READ_BUFFER = Buffer.alloc(64 * 1024)

class TcpFlight implements Run {
  phase: Phase = 'connect'
  readonly phases: PhaseTime[] | typeof NO_PHASES
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #prepared: PreparedTcp
  readonly #done: OnDone
  readonly #startedAt: number
  readonly #socket: Socket
  #hearing: ResponseParser | null = null
  #over = false
  #rest: NodeJS.Timeout | undefined
  readonly #pace = new Pace()

  constructor(prepared: PreparedTcp, done: OnDone, traced: boolean) {
    this.#prepared = prepared
    this.#done = done
    this.phases = traced ? [] : NO_PHASES
    this.#startedAt = traced ? performance.now() : 0
    const onread = { buffer: READ_BUFFER, callback: (length: number) => this.#read(length) }
    this.#socket = new Socket({ onread } as ConstructorParameters<typeof Socket>[0])
    this.#socket.on('connect', () => this.#connected())
    this.#socket.on('end', () => this.#ended())
    this.#socket.on('error', error => this.#failed(error))
    this.#socket.connect(prepared.destination)
  }

  wake(): void {}

  expire(timeout: number): Answer {
    const answer = timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (this.#over) return
    this.#land()
    this.#hangUp()
  }

  #connected(): void {
    if (this.#over) return
    const { probe, hear } = this.#prepared
    const hearing = hear()
    if (isOwnEcho(this.#socket, probe)) this.#finish(down('refused', SELF_CONNECTED))
    else if (probe.judge.kind === 'connected') this.#finish(hearing.end())
    else this.#send(hearing)
  }

  #send(hearing: ResponseParser): void {
    const { probe } = this.#prepared
    this.#hearing = hearing
    this.#enter(hearing.phase)
    if (probe.end) this.#socket.end(probe.send)
    else if (probe.send.length > 0) this.#socket.write(probe.send)
  }

  /** Handles one read. Returning false stops reading. */
  #read(length: number): boolean {
    if (this.#over || this.#hearing === null) return false
    const answer = this.#hearing.push(READ_BUFFER.subarray(0, length))
    this.#enter(this.#hearing.phase)
    if (answer !== null) {
      this.#finish(answer)
      return false
    }
    const mustRest = this.#pace.mustRest(length)
    if (mustRest) this.#rest = setTimeout(() => this.#socket.resume(), REST)
    return !mustRest
  }

  #ended(): void {
    if (!this.#over) this.#finish(this.#hearing?.end() ?? down('closed', 'closed at once'))
  }

  #failed(error: Error): void {
    if (this.#over) return
    this.#finish(
      (this.phase === 'connect' && wasOpen(error) && this.#openedBefore()) || answerFromError(error),
    )
  }

  /**
   * The connection was open before this run heard of it, and was reset. What has come is lost to Node. Returns the answer of a plain
   * connect, for which it was enough that something listens; else null.
   */
  #openedBefore(): Answer | null {
    const { probe, hear } = this.#prepared
    const hearing = hear()
    if (probe.judge.kind === 'connected') return hearing.end()
    this.#enter(hearing.phase)
    return null
  }

  #finish(answer: Answer): void {
    this.#land()
    this.#hangUp()
    this.#done(answer)
  }

  #hangUp(): void {
    const isReset = this.#prepared.probe.reset && !this.#socket.connecting && !this.#socket.destroyed
    if (isReset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #land(): void {
    this.#over = true
    clearTimeout(this.#rest)
    this.#note()
  }

  #enter(phase: Phase): void {
    if (phase === this.phase) return
    this.#note()
    this.phase = phase
  }

  #note(): void {
    if (this.phases === NO_PHASES) return
    const times = this.phases as PhaseTime[]
    times.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}

/** True if only a connection that was open ends with this error: one that never was is refused. */
function wasOpen(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE'
}

export const SELF_CONNECTED = 'no server listens on the port (TCP self-connect)'

/**
 * True if the connection is connected to itself. A connect to a closed port of this machine can get that port as its
 * own local port; TCP's simultaneous open (RFC 9293) then succeeds without a server. With an HTTP judge this test is
 * not needed: the echoed request is not an HTTP response.
 */
function isOwnEcho(socket: Socket, probe: TcpProbe): boolean {
  if (!canBeOwnEcho(probe)) return false
  return socket.localPort === probe.port && socket.localAddress === socket.remoteAddress
}

/** False if no self-connect is possible, or it cannot be taken for an answer. */
export function canBeOwnEcho({ port, judge }: TcpProbe): boolean {
  return judge.kind !== 'http' && port >= 1024
}
