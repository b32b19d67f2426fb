/** A probe that may leave the verdict to the code of its check. */
import { noVerdict } from '../check/check.js'
import type { ProbeSpec } from '../check/probe-spec.js'

/** What such a probe answers then; told by identity. */
export const NEEDS_CODE = noVerdict("left to the check's own code")

/** True where a run of this probe may end with `DEFERRED`. */
export function mayNeedCode(probe: ProbeSpec): boolean {
  if (probe.kind !== 'tcp' || probe.judge.kind !== 'http') return false
  const { defer = [], deferCoded = false, match } = probe.judge
  return defer.length > 0 || (deferCoded && match !== null)
}
