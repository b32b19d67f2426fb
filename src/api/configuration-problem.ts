import type { Problem } from '../config/problems/problem.js'
import type { RequestProblem } from './problem-types.js'

/** Returns a problem of a configuration as the API tells it. */
export function configurationProblem({ severity, code, message, file, at }: Problem): RequestProblem {
  const { line, column } = at
  return { in: 'configuration', path: at.file ?? file, line, column, message, severity, code }
}
