/** Judges facts by all hazards. Pure. */
import type { Facts } from './facts.js'
import { type Finding, SEVERITIES, type Severity } from './finding.js'
import { HAZARDS, HAZARDS_IN_MEMORY } from './hazards.js'

/** Returns the findings, the worst first; in the order of the hazards within a severity. */
export function examine(facts: Facts): readonly Finding[] {
  const { daemon } = facts.machine
  const hazards = daemon.state === 'running' && daemon.isInMemory ? HAZARDS_IN_MEMORY : HAZARDS
  const findings = hazards.flatMap(({ id, judge }) => judge(facts).map(judgement => ({ id, ...judgement })))
  return findings.sort((a, b) => rank(a.severity) - rank(b.severity))
}

/** True if something must be done: an error or a warning. */
export function isSerious({ severity }: Pick<Finding, 'severity'>): boolean {
  return severity === 'error' || severity === 'warning'
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
