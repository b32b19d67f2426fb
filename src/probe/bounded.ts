/** Decides which probes may run in the core: those where no answer can cause a long computation. */

import type { Match, ProbeSpec } from '../check/probe-spec.js'
import { compileMatch } from './match-text.js'

/**
 * True if each step on the bytes of an answer has a small bound, whatever the server sends: under 1 ms for one read (64
 * KB). The match must be plain text or an expression with a small automaton.
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
