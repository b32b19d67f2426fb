/** Finds the positions of problems with the options of a check, and tests the files that options name. */

import type { OptionShape } from '../../check/option-kit.js'
import type { OptionProblem } from '../../check/option-problem.js'
import { markOf } from '../../check/option-types.js'
import { whyNoFile } from '../../system/read-file.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import { placeOf } from '../problems/report-issue.js'
import type { RawEntry } from '../raw.js'

/** Returns the position of the value at the path, or else `at`, the position of the check. */
export function placeOfOption(
  [option, ...inner]: OptionProblem['path'],
  entries: readonly RawEntry[],
  at: Position,
): Position {
  const entry = entries.find(({ key }) => key === option)
  return entry ? placeOf(entry, inner).at : at
}

/**
 * Reports each option that names an unreadable file. Returns true if there is none. Paths in `options` are absolute.
 */
export function areFilesThere(
  entries: readonly RawEntry[],
  options: Readonly<Record<string, unknown>>,
  shape: OptionShape,
  report: Report,
): boolean {
  const lacking = entries.flatMap(({ key, value: { at } }) => {
    const path = options[key]
    if (markOf(shape[key]).path !== 'file' || typeof path !== 'string') return []
    const why = path === '' ? 'a path is missing' : whyNoFile(path)
    return why === null ? [] : [{ key, at, path, why }]
  })
  for (const { key, at, path, why } of lacking)
    report.error(
      'OPTION_FILE',
      at,
      `"${key}" names ${path || 'nothing'}: ${why}; expected: ${shape[key]?.description}`,
    )
  return lacking.length === 0
}
