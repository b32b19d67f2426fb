/** Parses the directives of one part of the file by their rows, and reports what is unusual. */
import { didYouMean } from '../../util/closest-match.js'
import type { Report } from '../problems/report.js'
import type { DirectiveRow, Scope } from './directive-row.js'
import { DEPRECATED, ROWS } from './directive-table.js'
import type { Directive } from './lines.js'
import { type Located, positionOf } from './text-span.js'
import type { Values } from './virtual.js'

/** Directives that may occur several times, with one value each. */
const REPEATABLE: ReadonlySet<string> = new Set(['real', 'real6', 'execute'])

export function scopeOf(key: string): Scope | 'virtual line' | 'unknown' {
  if (key === 'virtual' || key === 'virtual6') return 'virtual line'
  return ROWS.get(key)?.scope ?? 'unknown'
}

/** Parses the values of one part. If a directive occurs several times, the last one is used. */
export function readValues(directives: readonly Directive[], inVirtual: boolean, report: Report): Values {
  const values = new Map<string, Located<unknown>>()
  for (const directive of directives) {
    const row = ROWS.get(directive.key)
    const read = row && readDirective(row, directive, inVirtual, report)
    if (!read || REPEATABLE.has(directive.key)) continue
    reportRepeated(directive, values.get(directive.key), read, report)
    values.set(directive.key, read)
  }
  return Object.fromEntries(values)
}

function readDirective(
  row: DirectiveRow<unknown>,
  directive: Directive,
  inVirtual: boolean,
  report: Report,
): Located<unknown> | null {
  const { value, key, keyAt } = directive
  if (!value && row.bareValue === undefined) {
    report.error('NO_VALUE', keyAt, `${key} needs a value: ${key} = …`)
    return null
  }
  if (!value) {
    report.warn('NO_VALUE', keyAt, `write ${key} = yes; ldirectord accepts the bare word with a warning`)
    return { value: row.bareValue, at: keyAt }
  }
  const read = row.read({ directive, value, report, inVirtual })
  if (read === undefined) return null
  reportUse(row, read, directive, report)
  return { value: read, at: positionOf(value) }
}

/** Reports what the row says about each use of the directive. */
function reportUse(
  row: DirectiveRow<unknown>,
  value: unknown,
  { key, keyAt }: Directive,
  report: Report,
): void {
  const needless = row.needless?.(value)
  if (needless) report.note('NEEDLESS', keyAt, `${key} has no effect: ${needless}`)
  if (row.commandOnly)
    report.warn(
      'COMMAND_ONLY',
      keyAt,
      `${key} counts for the command ldirectord (deploy/README.md): ${row.commandOnly}`,
    )
  if (row.deprecated) report.warn('DEPRECATED', keyAt, `${key} ${row.deprecated}`)
}

function reportRepeated(
  { key, keyAt }: Directive,
  before: Located<unknown> | undefined,
  now: Located<unknown>,
  report: Report,
): void {
  if (before && JSON.stringify(before.value) !== JSON.stringify(now.value))
    report.warn(
      'REPEATED',
      keyAt,
      `${key} stands in line ${before.at.line} already; the last one counts, as with ldirectord`,
    )
}

/** Reports why a word is no directive at this place. */
export function reportUnknown({ key, keyAt }: Directive, inVirtual: boolean, report: Report): void {
  const replaced = DEPRECATED[key]
  if (replaced !== undefined) {
    report.error('DEPRECATED', keyAt, `${key} is no longer a directive: write ${replaced} instead`)
    return
  }
  const here = ['virtual', 'virtual6', ...ROWS.keys()].filter(word => {
    const scope = scopeOf(word)
    return scope === 'both' || scope === 'virtual line' || scope === (inVirtual ? 'virtual' : 'global')
  })
  const other = () => didYouMean(key, here) || didYouMean(key, ROWS.keys())
  report.error('UNKNOWN_DIRECTIVE', keyAt, () => `"${key}" is not a directive of ldirectord${other()}`)
}
