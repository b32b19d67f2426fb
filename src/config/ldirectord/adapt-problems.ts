/** What lvsd finds wrong with a configuration of its own, as those are told whose file is an ldirectord.cf. Pure. */
import { hasErrors, type Problem } from '../problems/problem.js'
import { rowOf } from './kinds.js'

/**
 * Without what ldirectord's users need not be told, and with what ldirectord does where lvsd refuses. `heads`: the lines
 * in which virtuals begin.
 */
export function adaptProblems(problems: readonly Problem[], heads: readonly number[]): readonly Problem[] {
  const sectionOf = (line: number) => heads.findLast(head => head <= line) ?? 0
  const broken = new Set(
    problems.filter(({ severity }) => severity === 'error').map(({ at }) => sectionOf(at.line)),
  )
  return problems
    .filter(problem => isRelevant(problem, problems, line => broken.has(sectionOf(line))))
    .map(inItsWords)
}

/** False for what ldirectord's users need not be told, or are told in ldirectord's words already. */
function isRelevant(
  { code, at }: Problem,
  problems: readonly Problem[],
  isBroken: (line: number) => boolean,
): boolean {
  const isToldAs = (other: string) =>
    problems.some(each => each.code === other && each.at.line === at.line && each.at.column === at.column)
  if (code === 'SCHEDULER_FLAG') return !isToldAs('STRANGE_FLAG')
  // The virtual that cannot be read is what is wrong.
  if (code === 'NO_SERVICES') return !hasErrors(problems)
  // So is the real server that is left out.
  if (code === 'NO_REALS') return !isBroken(at.line)
  // ldirectord's own defaults are 30 s of patience every 10 s.
  return code !== 'TIMEOUT_OVER_INTERVAL'
}

function inItsWords(problem: Problem): Problem {
  const { code, message } = problem
  if (code === 'FAMILY_MISMATCH')
    return {
      ...problem,
      message: message
        .replace('write family: ipv6', 'write virtual6')
        .replace('write family: ipv4', 'write virtual'),
    }
  return addOutcome(problem)
}

/** What ldirectord makes of a check that cannot be: it starts all the same. */
function addOutcome(problem: Problem): Problem {
  const { code, message } = problem
  const kind = /^([\w-]+): /.exec(message)?.[1] ?? ''
  const isHopeless = code === 'CHECK_NEEDS_PORT' || (code === 'CHECK_OPTIONS' && rowOf(kind).question)
  return isHopeless
    ? { ...problem, message: `${message}; ldirectord takes it, and has the servers down for ever` }
    : problem
}
