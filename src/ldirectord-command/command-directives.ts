/** Reads the directives that only the command uses: log destination, foreground mode, other instances to start. */
import { readFileSync } from 'node:fs'
import { splitLines } from '../config/ldirectord/lines.js'
import { readValues } from '../config/ldirectord/read-directives.js'
import { readSections } from '../config/ldirectord/sections.js'
import { newReport } from '../config/problems/report.js'

export interface Directives {
  /** A path, a syslog facility, or null if the file does not set it. */
  readonly logfile: string | null
  readonly supervised: boolean
  /** As written, with quotes: the shell removes them. */
  readonly execute: readonly string[]
}

export const NO_DIRECTIVES: Directives = { logfile: null, supervised: false, execute: [] }

/** Reads the directives as far as the file can be read. Errors are reported when the whole file is loaded. */
export function readDirectives(file: string): Directives {
  try {
    return directivesOf(readFileSync(file, 'utf8'))
  } catch {
    return NO_DIRECTIVES
  }
}

/** Removes the content of the `virtual` sections, which may be thousands of lines. */
function withoutSections(text: string): string {
  const lines = text.split('\n')
  const first = lines.findIndex(line => line.startsWith('virtual'))
  return first < 0
    ? text
    : [...lines.slice(0, first), ...lines.slice(first).filter(line => /^\S/.test(line))].join('\n')
}

/** Returns the directives of a text. Looks up no names and loads no checks. */
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
