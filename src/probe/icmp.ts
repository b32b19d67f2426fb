/** A probe by ICMP echo: sends several requests over the deadline; one reply suffices. */
import { type Answer, noVerdict, up } from '../check/check.js'
import { answerFromError, timedOut } from '../check/error-to-answer.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import { NO_PHASES, type OnDone, type Run } from '../check/run.js'
import type { Address, Family } from '../core/address.js'
import type { Phase, PhaseTime } from '../core/model.js'
import type { Echoes, EchoListener, Request } from './icmp-echoes.js'
import { echoerOf } from './icmp-socket.js'

export type IcmpProbe = Extract<ProbeSpec, { kind: 'icmp' }>

/** The part that all runs of one probe share. */
export interface PreparedIcmp {
  readonly probe: IcmpProbe
}

/** How requests are sent. */
export interface EchoWay {
  /** Returns the socket that all requests of the family and source share. Throws a SystemError. */
  echoerOf(family: Family, source: Address | null): Pick<Echoes, 'request' | 'send' | 'forget'>
  /** Calls after the function that calls it has returned. */
  later(call: () => void): void
}

const NODE: EchoWay = { echoerOf, later: call => void setImmediate(call) }

export function startIcmp(
  { probe }: PreparedIcmp,
  timeout: number,
  done: OnDone,
  traced: boolean,
  way = NODE,
): Run {
  return new IcmpRun(probe, timeout, done, traced, way)
}

class IcmpRun implements Run, EchoListener {
  phase: Phase = 'send'
  readonly phases: PhaseTime[] | typeof NO_PHASES
  wakeAt = 0
  readonly #done: OnDone
  readonly #startedAt: number
  readonly #every: number
  readonly #count: number
  #echoer: ReturnType<EchoWay['echoerOf']> | null = null
  #request: Request | null = null
  #sent = 0
  #isOver = false

  constructor(
    { address, size, count, source = null }: IcmpProbe,
    timeout: number,
    done: OnDone,
    traced: boolean,
    way: EchoWay,
  ) {
    this.#done = done
    this.#count = count
    this.#every = timeout / count
    this.phases = traced ? [] : NO_PHASES
    this.#startedAt = traced ? performance.now() : 0
    try {
      this.#echoer = way.echoerOf(address.family, source)
      this.#request = this.#echoer.request(address, size, this)
      this.#send()
    } catch (error) {
      this.wakeAt = Number.POSITIVE_INFINITY
      way.later(() => this.#finish(notOpened(error)))
    }
  }

  wake(): void {
    if (!this.#isOver) this.#send()
  }

  expire(timeout: number): Answer {
    const answer = timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (!this.#isOver) this.#land()
  }

  heard(bytes: number): void {
    this.#finish(up(`answered ${bytes} bytes`))
  }

  failed(error: Error): void {
    this.#finish(answerFromError(error))
  }

  #send(): void {
    if (!this.#request) return
    this.#echoer?.send(this.#request)
    this.#sent++
    this.wakeAt = this.#sent < this.#count ? this.#sent * this.#every : Number.POSITIVE_INFINITY
    if (this.phase === 'send') this.#note()
    this.phase = 'first byte'
  }

  #finish(answer: Answer): void {
    if (this.#isOver) return
    this.#land()
    this.#done(answer)
  }

  #land(): void {
    this.#isOver = true
    this.#note()
    if (this.#request) this.#echoer?.forget(this.#request)
  }

  #note(): void {
    if (this.phases === NO_PHASES) return
    const times = this.phases as PhaseTime[]
    times.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}

/** Without a socket there is no verdict about the server. */
function notOpened(error: unknown): Answer {
  const { code, syscall, message } = error as NodeJS.ErrnoException
  if (syscall === 'bind') return answerFromError(error)
  if (code !== 'EPERM' && code !== 'EACCES')
    return noVerdict(`lvsd cannot open a socket for ping: ${message}`)
  return noVerdict(
    `lvsd is not permitted to send pings (${code}): grant it CAP_NET_RAW (AmbientCapabilities= of its unit), ` +
      'or permit its group to send pings: sysctl net.ipv4.ping_group_range="0 2147483647"',
  )
}
