/** What is said of the options of a check stands at the option that it speaks of. */

import type { OptionShape } from '../../check/option-kit.js'
import { markOf } from '../../check/option-types.js'
import { whyNoFile } from '../../system/read-file.js'
import type { Code } from '../problems/codes.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import type { RawEntry } from '../raw.js'

/** Where the option stands with whose name a sentence begins: `ca needs verify: true`; else where the check does. */
export function placeOfSentence(sentence: string, entries: readonly RawEntry[], at: Position): Position {
  return optionIn(sentence, entries)?.value.at ?? at
}

/** `ca: …` speaks of the file that the option names, which may come to be right without a change of the configuration. */
export function codeOfSentence(sentence: string, entries: readonly RawEntry[], shape: OptionShape): Code {
  const key = optionIn(sentence, entries)?.key
  const isOfFile = key !== undefined && sentence.startsWith(`${key}: `) && markOf(shape[key]).path === 'file'
  return isOfFile ? 'OPTION_FILE' : 'CHECK_OPTIONS'
}

function optionIn(sentence: string, entries: readonly RawEntry[]): RawEntry | undefined {
  const [word] = /^[a-z][\w-]*/i.exec(sentence) ?? []
  return entries.find(({ key }) => key === word)
}

/** Tells each option that names a file which cannot be read. Paths in `options` are whole. True where there is none. */
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
