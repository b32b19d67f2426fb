/** A probe that may leave the verdict to the code of its check. */
import { noVerdict } from '../check.js'
import type { Probe } from './probe.js'

/** What such a probe answers then; told by identity. */
export const DEFERRED = noVerdict("left to the check's own code")

/** True where a run of this probe may end with `DEFERRED`. */
export function mayDefer(probe: Probe): boolean {
  return probe.kind === 'tcp' && probe.judge.kind === 'http' && (probe.judge.defer?.length ?? 0) > 0
}
