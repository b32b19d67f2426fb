/** Judges facts by all hazards. Pure. */
import type { Facts } from './facts.js'
import { type Finding, SEVERITIES, type Severity } from './finding.js'
import { HAZARDS } from './hazards.js'

/** Returns the findings, the worst first; in the order of the hazards within a severity. */
export function examine(facts: Facts): readonly Finding[] {
  const findings = HAZARDS.flatMap(({ id, judge }) => judge(facts).map(judgement => ({ id, ...judgement })))
  return findings.sort((a, b) => rank(a.severity) - rank(b.severity))
}

/** True if something must be done: an error or a warning. */
export function isSerious({ severity }: Pick<Finding, 'severity'>): boolean {
  return severity === 'error' || severity === 'warning'
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity)
}
