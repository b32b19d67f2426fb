/** Answers for targets that do not exist, shared by routes. */
import type { Control, Missing } from '../control.js'
import type { TargetName } from '../override-types.js'
import { Refusal } from '../problem-document.js'
import type { RequestProblem } from '../problem-types.js'

/**
 * Throws a Refusal if a target does not exist. `pointer` returns its place in the request; `outcome` what the answer would
 * be.
 */
export function needTargets(
  { missing }: Pick<Control, 'missing'>,
  targets: readonly TargetName[],
  where: RequestProblem['in'],
  { pointer, outcome }: { pointer?: (one: Missing) => string; outcome?: (message: string) => unknown } = {},
): void {
  const one = missing(targets)
  if (!one) return
  const { part, message, nearest } = one
  const problem = {
    in: where,
    path: pointer?.(one) ?? `/${part}`,
    message,
    ...(nearest !== null && { nearest }),
    code: part === 'service' ? 'NO_SUCH_SERVICE' : 'NO_SUCH_REAL',
  }
  throw new Refusal('not-found', message, {
    problems: [problem],
    ...(outcome && { outcome: outcome(message) }),
  })
}

/** The place of a target in a body with `targets`. */
export function inTargets({ index, part }: Missing): string {
  return `/targets/${index}/${part}`
}
