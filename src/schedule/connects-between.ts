/**
 * A check that does not always run: between two runs plain connects to the same port stand for it, as with ldirectord's
 * `checktype = N`. Any failure makes the next one the check itself.
 *
 *   left   this run     passes         fails
 *   0      the check    left = N       left = 0
 *   n > 0  a connect    left = n - 1   left = 0
 */
import type { Target } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import type { OnDone, Run } from '../check/run.js'
import { prepareProbe, startProbe } from '../probe/start-probe.js'

/** Begins a run of a job. */
export type BeginRun = (timeout: number, done: OnDone, traced?: boolean) => Run

/** The check with so many connects between its runs. It counts for one job. */
export function withConnectsBetween(begin: BeginRun, target: Target, connects: number): BeginRun {
  const connect = prepareProbe(connectTo(target))
  let left = 0
  return (timeout, done, traced) => {
    const turn = left
    // Until it is known that this run passes; one that is given up at the deadline never says.
    left = 0
    const settle: OnDone = answer => {
      if (answer.ok === true) left = turn > 0 ? turn - 1 : connects
      if (answer.ok === null) left = turn
      done(answer)
    }
    return turn > 0 ? startProbe(connect, timeout, settle, traced) : begin(timeout, settle, traced)
  }
}

function connectTo({ address, port }: Target): ProbeSpec {
  const judge = { kind: 'connected' } as const
  return { kind: 'tcp', address, port, send: new Uint8Array(), end: false, reset: false, judge }
}
