/** Probes that may defer the verdict to the code of their check. */
import { noVerdict } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'

/** The answer of a probe that defers; compare it by identity. */
export const NEEDS_CODE = noVerdict("left to the check's own code")

/** True if a run of this probe may end with `NEEDS_CODE`. */
export function mayNeedCode(probe: ProbeSpec): boolean {
  if (probe.kind !== 'tcp' || probe.judge.kind !== 'http') return false
  const { defer = [], deferCoded = false, match } = probe.judge
  return defer.length > 0 || (deferCoded && match !== null)
}
