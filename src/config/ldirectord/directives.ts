/**
 * Every directive of ldirectord: where it may stand, how its value reads, what it becomes here. A row that
 * changes nothing here says so; none is ignored in silence.
 */
import { didYouMean } from '../../util/closest-match.js'
import { SERVICES } from './kinds.js'
import type { Directive } from './lines.js'
import { emailStatus, mailAddresses, mailSender, mailServer } from './mail-values.js'
import { type Placed, placeOf, type Report } from './report.js'
import { digits, maybeQuoted, oneOf, quoted, restOfLine, type ValueParser, yesNo } from './values.js'
import {
  checkTypes,
  commandLine,
  httpMethods,
  load,
  netmask,
  scheduler,
  schedulerFlags,
  virtualHost,
} from './vocabulary.js'

export type Scope = 'global' | 'virtual' | 'both'

export interface Row<T> {
  readonly scope: Scope
  readonly read: ValueParser<T>
  /** What it becomes in lvsd's own configuration. */
  readonly becomes: string
  /** Why lvsd does not need it, where it does not. */
  readonly needless?: (value: T) => string | null
  /** What lvsd run does, where the directive is for the command ldirectord alone. */
  readonly commandOnly?: string
  /** Holds a password. */
  readonly secret?: true
  /** Stands without `=` too. */
  readonly bare?: true
  readonly bareValue?: T
}

function row<T>(scope: Scope, read: ValueParser<T>, becomes: string, rest: Partial<Row<T>> = {}): Row<T> {
  return { scope, read, becomes, ...rest }
}

const fallbackText = restOfLine({
  empty: true,
  tail: 'refuses the line: "forward method must be gate, masq or ipip"',
})

const seconds = (what: string) => digits(`${what}, in seconds`)

export const DIRECTIVES = {
  checktimeout: row('both', seconds('the time limit of a check'), 'check.timeout'),
  negotiatetimeout: row('both', seconds('the time limit of a negotiate check'), 'check.timeout'),
  checkinterval: row('both', seconds('the time between two checks'), 'check.interval'),
  checkcount: row('both', digits('the number of pings in one check'), 'check.count of ping'),
  failurecount: row('both', digits('the failures that take a server down', { max: 1000 }), 'check.fall'),
  fallback: row('both', fallbackText, 'fallback'),
  fallback6: row('both', fallbackText, 'fallback'),
  quiescent: row('both', yesNo, 'quiescent'),
  cleanstop: row('both', yesNo, 'cleanstop'),

  readdquiescent: row('global', yesNo, 'nothing', {
    needless: () => 'a server that has not passed a check never gets traffic',
  }),
  fork: row('global', yesNo, 'nothing', {
    needless: value => (value ? 'all checks run side by side in one process' : null),
  }),
  supervised: row('global', yesNo, 'nothing', {
    bare: true,
    bareValue: true,
    needless: value => (value ? 'lvsd run stays in the foreground anyway' : null),
  }),
  autoreload: row('global', yesNo, 'settings.autoreload'),
  callback: row('global', quoted({ empty: true }), 'settings.callback'),
  logfile: row('global', quoted(), 'nothing', {
    commandOnly: 'the log of lvsd run goes to its own output, which systemd keeps',
  }),
  execute: row('global', restOfLine(), 'nothing', {
    commandOnly: 'lvsd run starts nobody else',
  }),
  emailalertfrom: row('global', mailSender, 'mail.from'),
  maintenancedir: row('global', restOfLine({ plain: true, exact: true }), 'settings.maintenancedir'),
  fallbackcommand: row('both', commandLine, 'fallbackcommand'),
  emailalert: row('both', mailAddresses, 'mail.to'),
  emailalertfreq: row(
    'both',
    digits('the time between two mails, in seconds', { min: 0, first: true }),
    'mail.repeat',
  ),
  emailalertstatus: row('both', emailStatus, 'mail.during'),
  smtp: row('both', mailServer, 'mail.server'),

  real: row('virtual', restOfLine(), 'reals'),
  real6: row('virtual', restOfLine(), 'reals'),
  checktype: row('virtual', checkTypes, 'check.kind'),
  service: row('virtual', oneOf(SERVICES), 'check.kind'),
  checkcommand: row('virtual', maybeQuoted({ exact: true }), 'check.checkcommand'),
  checkport: row('virtual', digits('a port', { max: 65_535 }), 'check.checkport'),
  request: row('virtual', quoted(), 'check.request'),
  receive: row('virtual', quoted(), 'check.receive'),
  httpmethod: row('virtual', httpMethods, 'check.httpmethod'),
  virtualhost: row('virtual', virtualHost, 'check.virtualhost'),
  login: row('virtual', quoted(), 'check.login'),
  passwd: row('virtual', quoted({ secret: true }), 'check.passwd', { secret: true }),
  database: row('virtual', quoted(), 'check.database'),
  secret: row('virtual', quoted({ secret: true }), 'check.secret', { secret: true }),
  load: row('virtual', load, 'nothing', {
    needless: () => 'ldirectord reads it and never uses it',
  }),
  scheduler: row('virtual', scheduler, 'scheduler'),
  schedflags: row('virtual', schedulerFlags, 'scheduler-flags'),
  persistent: row(
    'virtual',
    // ipvsadm and the kernel take 31 days.
    digits('how long a client stays, in seconds', { min: 0, max: 31 * 24 * 3600 }),
    'persistence.timeout',
  ),
  netmask: row('virtual', netmask, 'persistence.netmask or prefix'),
  protocol: row('virtual', oneOf(['tcp', 'udp', 'fwm']), 'protocol'),
  ops: row('virtual', yesNo, 'one-packet'),
  monitorfile: row('virtual', maybeQuoted(), 'monitorfile'),
  servicename: row('virtual', restOfLine({ empty: true }), "the service's name, and label"),
  comment: row('virtual', restOfLine({ empty: true }), 'comment'),
} as const

export type DirectiveName = keyof typeof DIRECTIVES
type ValueOf<N extends DirectiveName> = (typeof DIRECTIVES)[N] extends Row<infer T> ? T : never

/** The last value of each directive. */
export type Values = { readonly [N in DirectiveName]?: Placed<ValueOf<N>> }

/** The directives that stand once for each of several things. */
const REPEATED: ReadonlySet<string> = new Set(['real', 'real6', 'execute'])

/** Old names, and what replaced them. */
export const DEPRECATED: Readonly<Record<string, string>> = {
  timeout: 'checktimeout and negotiatetimeout',
  connecttimeout: 'negotiatetimeout',
}

export function scopeOf(key: string): Scope | 'virtual line' | 'unknown' {
  if (key === 'virtual' || key === 'virtual6') return 'virtual line'
  return Object.hasOwn(DIRECTIVES, key) ? DIRECTIVES[key as DirectiveName].scope : 'unknown'
}

/** Reads the values of one scope; of a directive that stands several times the last counts. */
export function readValues(directives: readonly Directive[], inVirtual: boolean, report: Report): Values {
  const values = new Map<string, Placed<unknown>>()
  for (const directive of directives) {
    const placed = readOne(directive, inVirtual, report)
    if (placed && !REPEATED.has(directive.key)) {
      tellRepeated(directive, values.get(directive.key), placed, report)
      values.set(directive.key, placed)
    }
  }
  return Object.fromEntries(values) as Values
}

function readOne(directive: Directive, inVirtual: boolean, report: Report): Placed<unknown> | null {
  const row = DIRECTIVES[directive.key as DirectiveName] as Row<unknown>
  const { value, key, keyAt } = directive
  if (!value) {
    if (!row.bare) {
      report.error('NO_VALUE', keyAt, `${key} needs a value: ${key} = …`)
      return null
    }
    report.warn('NO_VALUE', keyAt, `write ${key} = yes; ldirectord accepts the bare word with a warning`)
    return { value: row.bareValue, at: keyAt }
  }
  const read = row.read({ directive, value, report, inVirtual })
  if (read === undefined) return null
  tellBuilt(row, read, directive, report)
  return { value: read, at: placeOf(value) }
}

function tellBuilt(row: Row<unknown>, value: unknown, { key, keyAt }: Directive, report: Report): void {
  const needless = row.needless?.(value)
  if (needless) report.note('NEEDLESS', keyAt, `${key} has no effect: ${needless}`)
  if (row.commandOnly)
    report.warn(
      'COMMAND_ONLY',
      keyAt,
      `${key} counts for the command ldirectord (deploy/README.md): ${row.commandOnly}`,
    )
  if (key === 'checkcount')
    report.warn(
      'DEPRECATED',
      keyAt,
      'checkcount counts the requests of one ping check only; failurecount is for the others',
    )
}

function tellRepeated(
  { key, keyAt }: Directive,
  before: Placed<unknown> | undefined,
  now: Placed<unknown>,
  report: Report,
): void {
  if (before && JSON.stringify(before.value) !== JSON.stringify(now.value))
    report.warn(
      'REPEATED',
      keyAt,
      `${key} stands in line ${before.at.line} already; the last one counts, as with ldirectord`,
    )
}

/** Whether a directive of this name holds a password. */
export function isSecretDirective(key: keyof typeof DIRECTIVES): boolean {
  return DIRECTIVES[key].secret === true
}

/** Says why a word is no directive here. */
export function tellUnknown({ key, keyAt }: Directive, inVirtual: boolean, report: Report): void {
  const replaced = DEPRECATED[key]
  if (replaced !== undefined) {
    report.error('DEPRECATED', keyAt, `${key} is no longer a directive: write ${replaced} instead`)
    return
  }
  const words = ['virtual', 'virtual6', ...Object.keys(DIRECTIVES)].filter(word => {
    const scope = scopeOf(word)
    return scope === 'both' || scope === 'virtual line' || scope === (inVirtual ? 'virtual' : 'global')
  })
  const other = () => didYouMean(key, words) || didYouMean(key, Object.keys(DIRECTIVES))
  report.error('UNKNOWN_DIRECTIVE', keyAt, () => `"${key}" is not a directive of ldirectord${other()}`)
}
