/** Which probes may run beside what judges health: those of which no answer can make a step long. */

import type { Match, ProbeSpec } from '../check/probe-spec.js'
import { compileMatch } from './match-text.js'

/**
 * True where each step on the bytes of an answer has a small bound, whatever a server sends: under a millisecond for what
 * is read at once, 64 KB. What is matched must be plain text or an expression whose automaton is small.
 */
export function isBounded(probe: ProbeSpec): boolean {
  if (probe.kind === 'icmp' || probe.kind === 'fixed' || probe.judge === null) return true
  const { judge } = probe
  if (judge.kind === 'connected' || judge.kind === 'any') return true
  return judge.match === null || isBoundedMatch(judge.match)
}

function isBoundedMatch(match: Match): boolean {
  const { way } = compileMatch(match)
  return way === 'text' || way === 'table'
}
