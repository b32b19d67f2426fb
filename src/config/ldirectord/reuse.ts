/** Decides whether a later reading of an ldirectord.cf can take virtuals from this one (`load-changed.ts`). Pure. */
import { hasErrors, type Problem } from '../problems/problem.js'
import type { LdirectordDocument } from './read-ldirectord.js'

/** Returns what a later reading can reuse. Null if the name of a virtual follows from an earlier one. */
export function reuseOf(
  { origins, hostname }: Pick<LdirectordDocument, 'origins' | 'hostname'>,
  problems: readonly Problem[],
  plain: ReadonlySet<string>,
) {
  if (origins.isRenamed || hasErrors(problems)) return null
  return { plain: new Set([...plain].filter(name => !origins.asking.has(name))), values: 0, hostname }
}
