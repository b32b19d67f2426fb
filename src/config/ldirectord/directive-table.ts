/**
 * Table of all directives of ldirectord: where each may occur, how its value is parsed, and which keys of lvsd's
 * configuration it sets, in the order of the rows. A directive without effect in lvsd says so in its row, so none is
 * ignored silently.
 */
import { checkPort, connects, count, interval, kind, timeout } from './check-keys.js'
import { login, password, questionType, receive, request, transport } from './check-options.js'
import { type DirectiveRow, derived, directive, NOTHING, option, path, type Target } from './directive-row.js'
import { fallback } from './fallbacks.js'
import { SERVICES } from './kinds.js'
import { emailStatus, mailAddresses, mailSender, mailServer } from './mail-values.js'
import { realServers } from './real-servers.js'
import {
  family,
  firewallMark,
  onePacket,
  persistence,
  protocol,
  schedulerFlags,
  virtualAddress,
} from './service-keys.js'
import type { Located } from './text-span.js'
import { texts } from './tree.js'
import { digits, maybeQuoted, oneOf, quoted, restOfLine, yesNo } from './values.js'
import type { Values } from './virtual.js'
import {
  checkTypes,
  commandLine,
  httpMethods,
  load,
  netmask,
  scheduler,
  schedulerFlagWords,
  virtualHost,
} from './vocabulary.js'

type RowOf<V> = V extends Located<infer T> | undefined ? DirectiveRow<T> : never
/** Rows of directives whose values are needed by others. */
type NamedRows = { readonly [N in keyof Values as string extends N ? never : N]-?: RowOf<Values[N]> }

const fallbackText = restOfLine({
  empty: true,
  tail: 'refuses the line: "forward method must be gate, masq or ipip"',
})

const seconds = (what: string) => digits(`${what}, in seconds`)

/** Targets of several directives. */
const KIND = derived('check.kind', kind)
const TIMEOUT = derived('check.timeout', timeout)
const PERSISTENCE = derived('persistence', persistence)
const REALS = derived('reals', realServers)
const FALLBACK = derived('fallback', fallback)
const PROTOCOL = derived('protocol', protocol)

/** Keys set by the line of a virtual. They precede those set by its section. */
export const VIRTUAL_LINE: readonly Target[] = [
  derived('virtual', virtualAddress),
  derived('fwmark', firewallMark),
  derived('family', family),
  PROTOCOL,
]

export const DIRECTIVES = {
  servicename: directive('virtual', restOfLine({ empty: true }), path('label')),
  comment: directive('virtual', restOfLine({ empty: true }), path('comment')),
  scheduler: directive('virtual', scheduler, path('scheduler'), { default: 'wrr' }),
  schedflags: directive('virtual', schedulerFlagWords, derived('scheduler-flags', schedulerFlags)),
  persistent: directive(
    'virtual',
    // ipvsadm and the kernel accept 31 days.
    digits('how long a client stays, in seconds', { min: 0, max: 31 * 24 * 3600 }),
    PERSISTENCE,
  ),
  netmask: directive('virtual', netmask, PERSISTENCE),
  ops: directive('virtual', yesNo, derived('one-packet', onePacket)),
  quiescent: directive('both', yesNo, path('quiescent'), { default: false }),
  cleanstop: directive('both', yesNo, path('cleanstop'), { default: true }),
  fallbackcommand: directive('both', commandLine, path('fallbackcommand')),
  monitorfile: directive('virtual', maybeQuoted(), path('monitorfile')),

  emailalert: directive(
    'both',
    mailAddresses,
    path('mail.to', ({ value, at }) => texts(value, at)),
  ),
  emailalertfrom: directive('global', mailSender, path('mail.from')),
  emailalertfreq: directive(
    'both',
    digits('the time between two mails, in seconds', { min: 0, first: true }),
    path('mail.repeat', ({ value }) => (value === 0 ? 'none' : `${value}s`)),
  ),
  emailalertstatus: directive(
    'both',
    emailStatus,
    // With "all", the other words have no effect.
    path('mail.during', ({ value, at }) => value.find(word => /^(all|none)$/.test(word)) ?? texts(value, at)),
  ),
  smtp: directive('both', mailServer, path('mail.server')),

  service: directive('virtual', oneOf(SERVICES), KIND),
  checkinterval: directive(
    'both',
    seconds('the time between two checks'),
    path(['check.interval', 'check.fastinter'], interval),
    { default: 10 },
  ),
  checktimeout: directive('both', seconds('the time limit of a check'), TIMEOUT),
  negotiatetimeout: directive('both', seconds('the time limit of a negotiate check'), TIMEOUT),
  failurecount: directive(
    'both',
    digits('the failures that take a server down', { max: 1000 }),
    path('check.fall'),
    { default: 1 },
  ),
  checkport: directive('virtual', digits('a port', { max: 65_535 }), derived('check.checkport', checkPort)),
  checktype: directive('virtual', checkTypes, [KIND, derived('check.connects', connects)]),
  checkcount: directive('both', digits('the number of pings in one check'), derived('check.count', count), {
    deprecated: 'counts the requests of one ping check only; failurecount is for the others',
  }),
  checkcommand: directive('virtual', maybeQuoted({ exact: true }), option('checkcommand')),
  protocol: directive('virtual', oneOf(['tcp', 'udp', 'fwm']), [
    PROTOCOL,
    derived('check.transport', transport),
  ]),
  request: directive('virtual', quoted(), [
    option('request', { of: request }),
    derived('check.type', questionType),
  ]),
  receive: directive('virtual', quoted(), option('receive', { of: receive })),
  virtualhost: directive('virtual', virtualHost, option('virtualhost')),
  httpmethod: directive('virtual', httpMethods, option('httpmethod')),
  login: directive('virtual', quoted(), option('login', { of: login })),
  passwd: directive('virtual', quoted({ secret: true }), option('passwd', { of: password, isSecret: true })),
  database: directive('virtual', quoted(), option('database')),
  secret: directive('virtual', quoted({ secret: true }), option('secret', { isSecret: true })),
  load: directive('virtual', load, NOTHING, { needless: () => 'ldirectord reads it and never uses it' }),

  real: directive('virtual', restOfLine(), REALS),
  real6: directive('virtual', restOfLine(), REALS),
  fallback: directive('both', fallbackText, FALLBACK),
  fallback6: directive('both', fallbackText, FALLBACK),

  maintenancedir: directive(
    'global',
    restOfLine({ plain: true, exact: true }),
    path('settings.maintenancedir'),
  ),
  autoreload: directive('global', yesNo, path('settings.autoreload')),
  callback: directive('global', quoted({ empty: true }), path('settings.callback')),
  logfile: directive('global', quoted(), NOTHING, {
    commandOnly: 'the log of lvsd run goes to its own output, which systemd keeps',
  }),
  execute: directive('global', restOfLine(), NOTHING, { commandOnly: 'lvsd run starts no other process' }),
  readdquiescent: directive('global', yesNo, NOTHING, {
    needless: () => 'a server that has not passed a check never gets traffic',
  }),
  fork: directive('global', yesNo, NOTHING, {
    needless: value => (value ? 'all checks run side by side in one process' : null),
  }),
  supervised: directive('global', yesNo, NOTHING, {
    bareValue: true,
    needless: value => (value ? 'lvsd run stays in the foreground anyway' : null),
  }),
} as const satisfies NamedRows & Readonly<Record<string, DirectiveRow<unknown>>>

/** The rows by the name of the directive. Unlike `DIRECTIVES`, it accepts any name. */
export const ROWS: ReadonlyMap<string, DirectiveRow<unknown>> = new Map(Object.entries(DIRECTIVES))

/** Removed directives and their replacements. */
export const DEPRECATED: Readonly<Record<string, string>> = {
  timeout: 'checktimeout and negotiatetimeout',
  connecttimeout: 'negotiatetimeout',
}
