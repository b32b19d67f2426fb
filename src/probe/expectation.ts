/** Describes what a check expects, to explain why a server is down. Names no kind: the check describes itself. */
import type { Check, Target } from '../check/check.js'
import type { Judge, ProbeSpec } from '../check/probe-spec.js'
import { counted } from '../util/plural.js'
import { showMatch } from './match-text.js'

/**
 * Returns what the check expects: what it says itself, else what its probe is judged by, else its summary. A user's
 * check says nothing here, because its code does not run in this process.
 */
export function expectationOf(
  check: Check,
  target: Target,
  options: Readonly<Record<string, unknown>>,
): string {
  if (check.origin === 'user') return check.summary
  try {
    const probe = check.probe?.(target, options) ?? null
    return check.expects?.(options) ?? (probe && expectedBy(probe)) ?? check.summary
  } catch {
    return check.summary
  }
}

function expectedBy(probe: ProbeSpec): string | null {
  switch (probe.kind) {
    case 'tcp':
      return expectedAnswer(probe.judge)
    case 'udp':
      return probe.judge === null
        ? `no "port unreachable" within ${probe.patience} ms`
        : expectedAnswer(probe.judge)
    case 'icmp':
      return `an echo reply to one of ${counted(probe.count, 'request')}`
    case 'fixed':
      return null
  }
}

/** Returns the answer that passes: `status 200-299, with /ok/ in the body`. */
export function expectedAnswer(judge: Judge): string {
  switch (judge.kind) {
    case 'connected':
      return 'a connection'
    case 'any':
      return 'an answer, whatever it says'
    case 'match':
      return `${showMatch(judge.match)} in the first ${counted(judge.limit, 'byte')} of the answer`
    case 'http': {
      const body = judge.match ? `, with ${showMatch(judge.match)} in the body` : ''
      return `status ${showRanges(judge.status)}${body}`
    }
  }
}

/** Formats ranges of numbers as a configuration has them: `200-299, 304`. */
export function showRanges(ranges: readonly (readonly [number, number])[]): string {
  return ranges.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(', ')
}
