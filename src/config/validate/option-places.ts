/** Finds the positions of messages about the options of a check. */

import type { OptionShape } from '../../check/option-kit.js'
import { markOf } from '../../check/option-types.js'
import { whyNoFile } from '../../system/read-file.js'
import type { Code } from '../problems/codes.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import type { RawEntry } from '../raw.js'

/**
 * Returns the position of the option whose name begins the sentence (`ca needs verify: true`), or else `at`, the
 * position of the check.
 */
export function placeOfSentence(sentence: string, entries: readonly RawEntry[], at: Position): Position {
  return optionIn(sentence, entries)?.value.at ?? at
}

/**
 * Returns OPTION_FILE for `ca: …`, a message about the content of the file that the option names, or else
 * CHECK_OPTIONS. The file can be corrected without a change of the configuration.
 */
export function codeOfSentence(sentence: string, entries: readonly RawEntry[], shape: OptionShape): Code {
  const key = optionIn(sentence, entries)?.key
  const isOfFile = key !== undefined && sentence.startsWith(`${key}: `) && markOf(shape[key]).path === 'file'
  return isOfFile ? 'OPTION_FILE' : 'CHECK_OPTIONS'
}

function optionIn(sentence: string, entries: readonly RawEntry[]): RawEntry | undefined {
  const [word] = /^[a-z][\w-]*/i.exec(sentence) ?? []
  return entries.find(({ key }) => key === word)
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
