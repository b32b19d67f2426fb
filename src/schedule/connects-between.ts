/**
 * Replaces most runs of a check by plain TCP connects to the same port, as in ldirectord's `checktype = N`. After a
 * failure the next run is the check itself.
 *
 *   left   this run     passes         fails
 *   0      the check    left = N       left = 0
 *   n > 0  a connect    left = n - 1   left = 0
 */
import type { Target } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'
import type { OnDone, Run } from '../check/run.js'
import type { Address } from '../core/address.js'
import { prepareProbe, startFrom } from '../probe/start-probe.js'

/** Starts a run of a job. */
export type BeginRun = (timeout: number, done: OnDone, traced?: boolean) => Run

/** Returns a job that runs the check once and then `connects` connects, in turn. */
export function withConnectsBetween(
  begin: BeginRun,
  target: Target,
  connects: number,
  sourceOf: () => Address | null = () => null,
): BeginRun {
  return alternating(begin, startFrom(prepareProbe(connectTo(target)), sourceOf), connects)
}

/** Returns a job that runs `begin` once and then `connect` `connects` times, in turn. */
export function alternating(begin: BeginRun, connect: BeginRun, connects: number): BeginRun {
  let left = 0
  return (timeout, done, traced) => {
    const turn = left
    // Default for a run that ends at the deadline, because it does not call `done`.
    left = 0
    const settle: OnDone = answer => {
      if (answer.ok === true) left = turn > 0 ? turn - 1 : connects
      if (answer.ok === null) left = turn
      done(answer)
    }
    return turn > 0 ? connect(timeout, settle, traced) : begin(timeout, settle, traced)
  }
}

export function connectTo(
  { address, port }: Pick<Target, 'address' | 'port'>,
  mark?: number,
): Extract<ProbeSpec, { kind: 'tcp' }> {
  const judge = { kind: 'connected' } as const
  const probe = {
    kind: 'tcp',
    address,
    port,
    send: new Uint8Array(),
    end: false,
    reset: false,
    judge,
  } as const
  return mark === undefined ? probe : { ...probe, mark }
}
