/** What lvsd finds wrong with a configuration, without what those need not be told whose file is an ldirectord.cf. Pure. */
import { hasErrors, type Problem } from '../problems/problem.js'

/** `heads`: the lines in which virtuals begin. */
export function relevantProblems(problems: readonly Problem[], heads: readonly number[]): readonly Problem[] {
  const sectionOf = ({ at }: Problem) => heads.findLast(head => head <= at.line) ?? 0
  const broken = new Set(problems.filter(({ severity }) => severity === 'error').map(sectionOf))
  const isBroken = hasErrors(problems)
  return problems.filter(problem => {
    const { code } = problem
    // The virtual that cannot be read is what is wrong.
    if (code === 'NO_SERVICES') return !isBroken
    // So is the real server that is left out.
    if (code === 'NO_REALS') return !broken.has(sectionOf(problem))
    // ldirectord's own defaults are 30 s of patience every 10 s.
    return code !== 'TIMEOUT_OVER_INTERVAL'
  })
}
