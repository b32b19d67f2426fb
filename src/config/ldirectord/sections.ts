/**
 * Splits an ldirectord.cf into sections: which directive belongs to which virtual. Lines that ldirectord refuses
 * because of their indentation or blank lines are accepted with a warning if their meaning is clear.
 */

import type { Report } from '../problems/report.js'
import type { Directive, Line, Lines } from './lines.js'
import { reportUnknown, scopeOf } from './read-directives.js'

export interface Section {
  /** The line `virtual` or `virtual6`. */
  readonly head: Directive
  readonly directives: readonly Directive[]
}

export interface Sections {
  readonly globals: readonly Directive[]
  readonly virtuals: readonly Section[]
}

/** The current section. */
interface Open {
  readonly head: Directive
  readonly directives: Directive[]
  /** Line at which ldirectord ends the section. */
  ended: { readonly line: number; readonly by: 'an empty line' | 'a line in column 1' } | null
  /** True if one of its directives is in column 1. */
  flat: boolean
}

type Placement = 'global' | 'section' | 'nowhere'

export function readSections({ lines }: Lines, report: Report): Sections {
  const globals: Directive[] = []
  const virtuals: Open[] = []
  for (const line of lines) {
    const open = virtuals.at(-1) ?? null
    if (line.kind === 'blank') reportBlank(line, open, report)
    if (line.kind === 'junk') reportJunk(line, report)
    if (line.kind !== 'directive') continue
    const { directive, indent } = line
    const scope = scopeOf(directive.key)
    if (scope === 'virtual line') {
      if (indent > 0) reportIndent(directive, 'begins a virtual, which stands in column 1', report)
      virtuals.push({ head: directive, directives: [], ended: null, flat: false })
    } else if (scope === 'unknown') {
      reportUnknown(directive, open !== null && indent > 0, report)
    } else {
      const placement = place(line, open, scope, report)
      if (placement === 'global') globals.push(directive)
      if (placement === 'section') open?.directives.push(directive)
      if (placement === 'global' && open) open.ended ??= { line: line.line, by: 'a line in column 1' }
    }
  }
  reportLast(lines.at(-1), report)
  return { globals, virtuals }
}

function reportLast(last: Line | undefined, report: Report): void {
  if (last?.kind === 'directive' && scopeOf(last.directive.key) === 'virtual line')
    report.warn(
      'LAST_LINE',
      last.directive.keyAt,
      'nothing follows this virtual; ldirectord reads the last line twice then, and refuses the file: "duplicate virtual server"',
    )
}

function place(
  { directive, indent, line }: Extract<Line, { kind: 'directive' }>,
  open: Open | null,
  scope: 'global' | 'virtual' | 'both',
  report: Report,
): Placement {
  if (!open) return placeBeforeVirtuals(directive, indent, scope, report)
  if (indent === 0) return placeInColumnOne(directive, open, scope, report)
  if (scope === 'global') {
    reportScope(
      directive,
      'belongs in the global part, in column 1; it cannot be set for one virtual',
      report,
    )
    return 'nowhere'
  }
  if (open.ended) {
    reportEnded(open.ended, line, open.head, report)
    open.ended = null
  } else if (indent < 4)
    report.warn(
      'INDENT',
      directive.keyAt,
      `indented by ${indent}, and taken as part of the virtual of line ${open.head.keyAt.line}; ldirectord wants a tab or four blanks and refuses the line`,
    )
  return 'section'
}

function placeBeforeVirtuals(directive: Directive, indent: number, scope: string, report: Report): Placement {
  if (scope === 'virtual') {
    reportScope(directive, 'belongs to a virtual, and none has begun', report)
    return 'nowhere'
  }
  if (indent > 0) reportIndent(directive, 'is taken as a global directive, which stands in column 1', report)
  return 'global'
}

function placeInColumnOne(directive: Directive, open: Open, scope: string, report: Report): Placement {
  if (scope === 'global' || (scope === 'both' && !open.flat)) return 'global'
  open.flat = true
  report.warn(
    'INDENT',
    directive.keyAt,
    `${directive.key} is not indented, and taken as part of the virtual of line ${open.head.keyAt.line}; ldirectord takes it for a global directive${scope === 'virtual' ? ' and refuses it' : ''}`,
  )
  return 'section'
}

function reportEnded(ended: NonNullable<Open['ended']>, line: number, head: Directive, report: Report): void {
  const at = { line: ended.line, column: 1, length: 1 }
  report.warn(
    'SECTION_INTERRUPTED',
    at,
    `${ended.by} inside the virtual of line ${head.keyAt.line}, which goes on in line ${line}; ldirectord ends it here and refuses what follows`,
  )
}

function reportBlank(line: Extract<Line, { kind: 'blank' }>, open: Open | null, report: Report): void {
  if (!open || open.ended) return
  if (line.wide)
    report.warn(
      'INVISIBLE_BLANKS',
      { line: line.line, column: 1, length: 1 },
      'nothing but blanks; ldirectord takes them for a directive and refuses the line',
    )
  else open.ended = { line: line.line, by: 'an empty line' }
}

function reportJunk({ at, text }: Extract<Line, { kind: 'junk' }>, report: Report): void {
  const comment = /^(;|\/\/|\\\\)/.test(text) ? '; a comment begins with #' : ''
  const heading = /^\[.*\]$/.test(text) ? '; ldirectord has no headings in brackets: leave the line out' : ''
  report.error('NO_DIRECTIVE', at, `expected "directive = value"${comment}${heading}`)
}

function reportIndent(directive: Directive, what: string, report: Report): void {
  report.warn('INDENT', directive.keyAt, `${directive.key} is indented; it ${what}. ldirectord refuses it`)
}

function reportScope(directive: Directive, why: string, report: Report): void {
  report.error('WRONG_PLACE', directive.keyAt, `${directive.key} ${why}`)
}
