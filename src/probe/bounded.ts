/** Which probes may run beside what judges health: those of which no answer can make a step long. */
import type { Match, Probe } from './probe.js'

/** True where each step on the bytes of an answer has a small bound, whatever a server sends. */
export function isBounded(probe: Probe): boolean {
  if (probe.kind === 'icmp' || probe.judge === null) return true
  const { judge } = probe
  return (
    judge.kind === 'connected' || judge.kind === 'any' || judge.match === null || isBoundedMatch(judge.match)
  )
}

function isBoundedMatch(match: Match): boolean {
  return match.kind === 'text' || isLiteral(match.source)
}

/** True where an expression is plain text: no character in it has a meaning. */
function isLiteral(source: string): boolean {
  return /^[^\\^$.*+?()[\]{}|]*$/.test(source)
}
