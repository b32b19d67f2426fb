/** The directives that are the command's own business: what to log where, stay in the foreground, whom to start too. */
import { readFileSync } from 'node:fs'
import { splitLines } from '../config/ldirectord/lines.js'
import { readValues } from '../config/ldirectord/read-directives.js'
import { readSections } from '../config/ldirectord/sections.js'
import { newReport } from '../config/problems/report.js'

export interface Directives {
  /** A path, a syslog facility, or null where the file does not say. */
  readonly logfile: string | null
  readonly supervised: boolean
  /** As written: the shell takes the quotes off. */
  readonly execute: readonly string[]
}

export const NO_DIRECTIVES: Directives = { logfile: null, supervised: false, execute: [] }

/** Reads them as far as the file can be read. Mistakes are told by those who load all of it. */
export function readDirectives(file: string): Directives {
  try {
    return directivesOf(readFileSync(file, 'utf8'))
  } catch {
    return NO_DIRECTIVES
  }
}

/** Without what stands in virtuals, which may be thousands of lines. */
function withoutSections(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex(line => line.startsWith('virtual'))
  return first < 0
    ? text
    : [...lines.slice(0, first), ...lines.slice(first).filter(line => /^\S/.test(line))].join('\n')
}

/** No name is looked up, no check is loaded. */
export function directivesOf(text: string): Directives {
  const report = newReport('')
  const { globals } = readSections(splitLines(withoutSections(text), report), report)
  const { logfile, supervised } = readValues(globals, false, report)
  const execute = globals.flatMap(({ key, value }) => (key === 'execute' && value?.text ? [value.text] : []))
  return {
    logfile: logfile?.value ?? null,
    supervised: supervised?.value ?? false,
    execute: [...new Set(execute)],
  }
}
