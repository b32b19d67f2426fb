/** Starts probes of every kind on epoll. Equal to `probe/start-probe.ts` in answers and phases. */
import type { Answer } from '../../check/check.js'
import { NO_PHASES, type OnDone, type Run } from '../../check/run.js'
import { groundedBy } from '../../check/zone.js'
import type { Address } from '../../core/address.js'
import type { Phase } from '../../core/model.js'
import { startIcmp } from '../icmp.js'
import { EchoSockets } from './echo-sockets.js'
import { type EpollProbe, type NativeProbe, nativeFrom, prepareNative } from './prepared.js'
import type { ProbeLoop } from './reactor.js'
import { NativeTcpFlight } from './tcp-flight.js'
import { NativeUdpFlight } from './udp-flight.js'

export type BeginNative = (timeout: number, done: OnDone) => Run

export class NativeProbes {
  readonly #reactor: ProbeLoop
  readonly #echoes: EchoSockets

  constructor(reactor: ProbeLoop) {
    this.#reactor = reactor
    this.#echoes = new EchoSockets(reactor)
  }

  /** Returns what starts runs of this probe, from the source that `sourceOf` returns at that time. */
  startFrom(probe: EpollProbe, sourceOf: () => Address | null): BeginNative {
    let bound: string | null = null
    let current = prepareNative(probe)
    // The probe itself is not kept.
    const { address } = probe
    const hasZone = address.zone !== null
    return (timeout, done) => {
      const source = sourceOf()
      const text = source?.text ?? null
      // The index of the interface of a zone may have changed.
      if (text !== bound || hasZone) current = nativeFrom(current, source)
      bound = text
      const grounded = hasZone ? groundedBy(address) : null
      if (grounded) return new GroundedRun(this.#reactor, grounded, done)
      return this.#start(current, timeout, done)
    }
  }

  #start(prepared: NativeProbe, timeout: number, done: OnDone): Run {
    switch (prepared.kind) {
      case 'tcp':
        return new NativeTcpFlight(this.#reactor, prepared, done)
      case 'udp':
        return new NativeUdpFlight(this.#reactor, prepared, timeout, done)
      case 'icmp':
        return startIcmp(prepared, timeout, done, true, {
          echoerOf: (family, source) => this.#echoes.of(family, source),
          later: call => this.#reactor.afterReading(call),
        })
    }
  }

  close(): void {
    this.#echoes.close()
  }
}

/** A run that sends nothing, because its answer is known. */
class GroundedRun implements Run {
  readonly phase: Phase = 'connect'
  readonly phases = NO_PHASES
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #answer: Answer
  #isOver = false

  constructor(reactor: ProbeLoop, answer: Answer, done: OnDone) {
    this.#answer = answer
    reactor.afterReading(() => {
      if (!this.#isOver) done(answer)
    })
  }

  wake(): void {}

  expire(): Answer {
    this.cancel()
    return this.#answer
  }

  cancel(): void {
    this.#isOver = true
  }
}
