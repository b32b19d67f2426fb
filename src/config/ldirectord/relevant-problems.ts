/** Removes problems that are irrelevant if the configuration is an ldirectord.cf. Pure. */
import { hasErrors, type Problem } from '../problems/problem.js'

/** `heads`: the lines of the virtuals. */
export function relevantProblems(problems: readonly Problem[], heads: readonly number[]): readonly Problem[] {
  const sectionOf = ({ at }: Problem) => heads.findLast(head => head <= at.line) ?? 0
  const broken = new Set(problems.filter(({ severity }) => severity === 'error').map(sectionOf))
  const isBroken = hasErrors(problems)
  return problems.filter(problem => {
    const { code } = problem
    // Here the cause is the invalid virtual, which has its own error.
    if (code === 'NO_SERVICES') return !isBroken
    // Here the cause is the invalid real server, which has its own error.
    if (code === 'NO_REALS') return !broken.has(sectionOf(problem))
    // ldirectord's own defaults have a timeout of 30 s and an interval of 10 s.
    return code !== 'TIMEOUT_OVER_INTERVAL'
  })
}
