/** Starts probes of every kind on Node's sockets. */
import type { Answer } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import { NO_PHASES, type OnDone, type Run, runOnce, type StartRun } from '../check/run.js'
import { groundedBy } from '../check/zone.js'
import type { Address } from '../core/address.js'
import type { CheckResult, Phase } from '../core/model.js'
import { type PreparedIcmp, startIcmp } from './icmp.js'
import { type PreparedTcp, prepareTcp, startTcp, tcpFrom } from './tcp.js'
import { type PreparedUdp, prepareUdp, startUdp } from './udp.js'

/** A probe, with the part that is computed once for all its runs. */
export type PreparedProbe = PreparedTcp | PreparedUdp | PreparedIcmp | PreparedFixed

interface PreparedFixed {
  readonly probe: Extract<ProbeSpec, { kind: 'fixed' }>
}

export function prepareProbe(probe: ProbeSpec): PreparedProbe {
  switch (probe.kind) {
    case 'tcp':
      return prepareTcp(probe)
    case 'udp':
      return prepareUdp(probe)
    case 'icmp':
      return { probe }
    case 'fixed':
      return { probe }
  }
}

/** Returns the same probe, bound to another source; null: the kernel chooses. */
export function probeFrom(prepared: PreparedProbe, source: Address | null): PreparedProbe {
  const { probe } = prepared
  if (probe.kind === 'fixed') return prepared
  if (probe.kind === 'tcp') return tcpFrom(prepared as PreparedTcp, source)
  return { ...prepared, probe: { ...probe, source } } as PreparedProbe
}

/** Starts a probe from the source that `sourceOf` returns at that time. */
export function startFrom(prepared: PreparedProbe, sourceOf: () => Address | null): Begin {
  let current = prepared
  let bound: string | null = null
  return (timeout, done, traced) => {
    const source = sourceOf()
    const text = source?.text ?? null
    if (text !== bound) {
      current = probeFrom(prepared, source)
      bound = text
    }
    return startProbe(current, timeout, done, traced)
  }
}

type Begin = (timeout: number, done: OnDone, traced?: boolean) => Run

export const startProbe: StartRun<PreparedProbe> = (prepared, timeout, done, traced = false): Run => {
  if (prepared.probe.kind === 'fixed') return new Grounded(prepared.probe.answer, null, done)
  const grounded = groundedBy(prepared.probe.address)
  if (grounded) return new Grounded(grounded, 'connect', done)
  switch (prepared.probe.kind) {
    case 'tcp':
      return startTcp(prepared as PreparedTcp, done, traced)
    case 'udp':
      return startUdp(prepared as PreparedUdp, timeout, done, traced)
    case 'icmp':
      return startIcmp(prepared as PreparedIcmp, timeout, done, traced)
  }
}

/** A run that sends nothing, because its answer is known. Like every run, it calls `done` asynchronously. */
class Grounded implements Run {
  readonly phase: Phase | null
  readonly phases = NO_PHASES
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #answer: Answer
  readonly #immediate: NodeJS.Immediate

  constructor(answer: Answer, phase: Phase | null, done: OnDone) {
    this.#answer = answer
    this.phase = phase
    this.#immediate = setImmediate(() => done(answer))
  }

  wake(): void {}

  expire(): Answer {
    this.cancel()
    return this.#answer
  }

  cancel(): void {
    clearImmediate(this.#immediate)
  }
}

/** Runs a probe once, with timed phases, for `lvsd probe` and tests. Never rejects. */
export function runProbe(probe: ProbeSpec, timeout: number): Promise<CheckResult> {
  return runOnce(startProbe, prepareProbe(probe), timeout)
}
