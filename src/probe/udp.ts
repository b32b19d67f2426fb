/** A probe over UDP. The socket is connected, because the kernel reports a closed port only to a connected socket. */

import { createSocket, type Socket } from 'node:dgram'
import { type Answer, up } from '../check/check.js'
import { answerFromError, timedOut } from '../check/error-to-answer.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import { NO_PHASES, type OnDone, type Run } from '../check/run.js'
import type { Address } from '../core/address.js'
import type { Phase, PhaseTime } from '../core/model.js'
import { counted } from '../util/plural.js'
import { compileJudge } from './matcher.js'
import type { ResponseParser } from './response-parser.js'

export type UdpProbe = Extract<ProbeSpec, { kind: 'udp' }>

/** The part that all runs of one probe share. */
export interface PreparedUdp {
  readonly probe: UdpProbe
  readonly hear: (() => ResponseParser) | null
}

export function prepareUdp(probe: UdpProbe): PreparedUdp {
  return { probe, hear: probe.judge && compileJudge(probe.judge) }
}

export function startUdp(prepared: PreparedUdp, timeout: number, done: OnDone, traced: boolean): Run {
  return new UdpFlight(prepared, timeout, done, traced)
}

class UdpFlight implements Run {
  phase: Phase = 'send'
  readonly phases: PhaseTime[] | typeof NO_PHASES
  readonly wakeAt: number
  readonly #probe: UdpProbe
  readonly #done: OnDone
  readonly #startedAt: number
  readonly #socket: Socket
  readonly #hearing: ResponseParser | null
  #over = false

  constructor({ probe, hear }: PreparedUdp, timeout: number, done: OnDone, traced: boolean) {
    this.#probe = probe
    this.#done = done
    this.#hearing = hear?.() ?? null
    // Without a judge the wait may be shorter than the deadline, because silence is the best possible outcome.
    this.wakeAt = hear ? Number.POSITIVE_INFINITY : Math.min(probe.patience, timeout)
    this.phases = traced ? [] : NO_PHASES
    this.#startedAt = traced ? performance.now() : 0
    const { address, port } = probe
    const type = address.family === 'ipv6' ? 'udp6' : 'udp4'
    // Without this function Node would look up two literals in a thread for each socket: the local `::` and the
    // destination.
    this.#socket = createSocket({ type, lookup: (host, _options, found) => found(null, host, 0) })
    this.#socket.on('error', error => this.#failed(error))
    this.#socket.on('message', bytes => this.#heard(bytes))
    const connect = () =>
      this.#socket.connect(port, address.text, (error?: Error) =>
        error ? this.#failed(error) : this.#send(),
      )
    // Later, because a bind that fails does so at once.
    if (probe.source) setImmediate(() => this.#over || this.#bind(probe.source as Address, connect))
    else connect()
  }

  wake(): void {
    if (!this.#over && this.#hearing === null) this.#finish(up(NO_PROOF))
  }

  expire(timeout: number): Answer {
    const answer =
      this.#hearing === null && this.phase !== 'send' ? up(NO_PROOF) : timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (!this.#over) this.#land()
  }

  #bind({ text }: Address, then: () => void): void {
    this.#socket.bind({ address: text, exclusive: true }, () => this.#over || then())
  }

  #send(): void {
    if (this.#over) return
    this.#note()
    this.phase = 'first byte'
    this.#socket.send(this.#probe.send, error => error && this.#failed(error))
  }

  #heard(bytes: Buffer): void {
    if (this.#over) return
    // A datagram is a complete answer; no further data follows.
    const answer = this.#hearing
      ? (this.#hearing.push(bytes) ?? this.#hearing.end())
      : up(`answered ${counted(bytes.length, 'byte')}`)
    this.#finish(answer)
  }

  #failed(error: Error): void {
    if (!this.#over) this.#finish(answerFromError(error))
  }

  #finish(answer: Answer): void {
    this.#land()
    this.#done(answer)
  }

  #land(): void {
    this.#over = true
    this.#note()
    this.#socket.close()
  }

  #note(): void {
    if (this.phases === NO_PHASES) return
    const times = this.phases as PhaseTime[]
    times.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}

export const NO_PROOF =
  'no port-unreachable error, but also no answer; to prove that the server works, expect an answer or add a ping'
