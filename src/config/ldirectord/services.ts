/** One section of an ldirectord.cf as one service of the raw tree. */
import { type Family, parseAddress } from '../../core/address.js'
import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import type { RawMap } from '../raw.js'
import { readVirtual } from './addresses.js'
import { type CheckChoice, type CheckContext, chooseCheck } from './checks.js'
import { readValues, type Values } from './directives.js'
import { effectiveValue } from './effective-value.js'
import { fallbackEntry, type Globals } from './fallbacks.js'
import { rowOf } from './kinds.js'
import type { Directive } from './lines.js'
import { mailEntry } from './mail.js'
import { realNodes } from './real-nodes.js'
import type { RealLine } from './reals.js'
import type { Placed, Report } from './report.js'
import type { Section } from './sections.js'
import { BEGINNING, type Entry, entry, list, map, scalar } from './tree.js'
import { type Read, readReals, settle } from './virtuals.js'

export interface ServiceContext extends CheckContext {
  readonly ports: PortLookup
  readonly globals: Globals
}

/** The service's entry, or null where its virtual line is wrong; all that is wrong in the section has been told. */
export function readService(section: Section, context: ServiceContext): { read: Read; entry: Entry } | null {
  const { head, directives } = section
  const { report } = context
  const own = readValues(directives, true, report)
  const virtual = head.value
    ? readVirtual(head.value, head.key === 'virtual6', report)
    : tellNoValue(head, report)
  const reals = readReals(directives, virtual?.family ?? null, head, context)
  const read = virtual && settle(virtual, head, own, context)
  if (!read) return null
  const choice = chooseCheck(
    { own, globals: context.globals.values, protocol: read.protocol, port: read.port, at: read.at },
    context,
  )
  return { read, entry: serviceEntry(read, directives, reals, choice, context) }
}

function tellNoValue(head: Directive, report: Report): null {
  report.error('NO_VALUE', head.keyAt, `${head.key} needs an address and a port, or a firewall mark`)
  return null
}

// ---------------------------------------------------------------- the tree

function serviceEntry(
  read: Read,
  directives: readonly Directive[],
  reals: readonly RealLine[],
  choice: CheckChoice,
  context: ServiceContext,
): Entry {
  const { own, at } = read
  const fields: (Entry | null)[] = [
    ...virtualFields(read),
    placed('label', own.servicename),
    placed('comment', own.comment),
    entry('scheduler', own.scheduler?.value ?? 'wrr', own.scheduler?.at ?? at),
    schedulerFlags(read, context.report),
    persistence(read, context.report),
    onePacket(read, context.report),
    own.quiescent ? entry('quiescent', own.quiescent.value, own.quiescent.at) : null,
    own.cleanstop ? entry('cleanstop', own.cleanstop.value, own.cleanstop.at) : null,
    own.fallbackcommand ? entry('fallbackcommand', own.fallbackcommand.value, own.fallbackcommand.at) : null,
    own.monitorfile ? entry('monitorfile', own.monitorfile.value, own.monitorfile.at) : null,
    mailEntry(own),
    entry('check', checkMap(read, choice, context), choice.at),
    entry('reals', list(realNodes(reals, read, choice, context), at), at),
    fallbackEntry(read, directives, context),
  ]
  return { key: read.name, keyAt: own.servicename?.at ?? read.head.keyAt, value: map(fields, at) }
}

function virtualFields({ virtual, protocol, port, at, own }: Read): Entry[] {
  if (virtual.kind === 'fwmark')
    return [entry('fwmark', virtual.fwmark, at), entry('family', virtual.family, at)]
  const isName = virtual.host.address === null
  return [
    entry('virtual', `${virtual.host.text}:${port}`, at),
    ...(isName ? [entry('family', virtual.family, at)] : []),
    entry('protocol', protocol, own.protocol?.at ?? at),
  ]
}

/** A flag of another scheduler is a bit that the kernel keeps and this scheduler never reads. */
function schedulerFlags({ own }: Read, report: Report): Entry | null {
  if (!own.schedflags) return null
  const { value: words, at } = own.schedflags
  const scheduler = own.scheduler?.value ?? 'wrr'
  const strangers = words.filter(word => !word.startsWith('flag-') && !word.startsWith(`${scheduler}-`))
  if (strangers.length > 0)
    report.warn('SCHEDULER_FLAG', at, `${strangers.join(', ')} means nothing to the scheduler ${scheduler}`)
  const flags = words.map(word => (strangers.includes(word) ? bitOf(word) : word))
  return entry(
    'scheduler-flags',
    list(
      flags.map(word => scalar(word, at)),
      at,
    ),
    at,
  )
}

/** sh-fallback and mh-fallback are the first bit, sh-port and mh-port the second. */
function bitOf(word: string): string {
  return word.endsWith('-fallback') ? 'flag-1' : 'flag-2'
}

function persistence({ own, family }: Read, report: Report): Entry | null {
  const { persistent, netmask } = own
  const group = netmask ? mask(netmask, family, report) : null
  if (netmask && !persistent)
    report.note('UNUSED', netmask.at, 'netmask has no effect without persistent, with ldirectord either')
  if (!persistent) return null
  if (persistent.value === 0) {
    report.warn(
      'NO_PERSISTENCE',
      persistent.at,
      'persistent = 0 is read as no persistence; ipvsadm refuses it, and ldirectord then has no such service',
    )
    return null
  }
  const timeout = entry('timeout', `${persistent.value}s`, persistent.at)
  return entry('persistence', map([timeout, group], persistent.at), persistent.at)
}

function mask({ value, at }: { value: string; at: Position }, family: Family, report: Report): Entry | null {
  if (family === 'ipv6') {
    if (/^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= 128)
      return entry('prefix', Number(value), at)
    report.error(
      'BAD_VALUE',
      at,
      `netmask of an IPv6 service is a prefix length from 1 to 128, not "${value}"`,
    )
    return null
  }
  if (parseAddress(value)?.family === 'ipv4') return entry('netmask', value, at)
  report.error(
    'BAD_VALUE',
    at,
    `netmask of an IPv4 service is a dotted quad such as 255.255.255.0, not "${value}"`,
  )
  return null
}

/** Only udp services have it; ldirectord leaves it out elsewhere. */
function onePacket({ own, protocol }: Read, report: Report): Entry | null {
  if (!own.ops) return null
  if (protocol === 'udp') return entry('one-packet', own.ops.value, own.ops.at)
  if (own.ops.value)
    report.warn(
      'UNUSED',
      own.ops.at,
      `ops has no effect on ${protocol === 'fwm' ? 'a firewall mark' : 'tcp'}, with ldirectord either`,
    )
  return null
}

function checkMap({ own, at }: Read, choice: CheckChoice, { globals, report }: ServiceContext): RawMap {
  const fork = globals.values.fork?.value ?? false
  if (own.checkinterval && !fork)
    report.warn(
      'INTERVAL_IGNORED',
      own.checkinterval.at,
      'counts only with fork = yes, as with ldirectord; the global checkinterval is used',
    )
  const interval = fork ? own.checkinterval : undefined
  const fall = own.failurecount
  const { isCommand, isIdle } = rowOf(choice.kind)
  if (own.checkport && isCommand)
    report.note(
      'UNUSED',
      own.checkport.at,
      'checkport has no effect: external commands are told the port of the real server, with ldirectord too',
    )
  return map(
    [
      entry('kind', choice.kind, choice.at),
      interval ? entry('interval', `${interval.value}s`, interval.at) : null,
      interval ? entry('fastinter', `${interval.value}s`, interval.at) : null,
      isIdle ? null : entry('timeout', `${choice.timeout.value}s`, choice.timeout.at),
      fall ? entry('fall', fall.value, fall.at) : null,
      own.checkport && !isCommand ? entry('checkport', own.checkport.value, own.checkport.at) : null,
      choice.connects > 0 ? entry('connects', choice.connects, choice.at) : null,
      ...choice.options,
    ],
    choice.at ?? at,
  )
}

/** The settings that ldirectord has, where the file has any of them. */
export function settingsEntry(globals: Values): Entry | null {
  const settings = (['maintenancedir', 'autoreload', 'callback'] as const).map(name =>
    placed(name, globals[name]),
  )
  const given = settings.filter(setting => setting !== null)
  return given.length > 0 ? entry('settings', map(given, BEGINNING), BEGINNING) : null
}

/** The entry of a directive that the file has. An empty text is none. */
function placed(name: string, directive: Placed<string | boolean> | undefined): Entry | null {
  return directive && directive.value !== '' ? entry(name, directive.value, directive.at) : null
}

/** What all services share. */
export function defaultsEntry(globals: Values): Entry {
  const at = BEGINNING
  const quiescent = effectiveValue('quiescent', {}, globals, false, at)
  const cleanstop = effectiveValue('cleanstop', {}, globals, true, at)
  const interval = effectiveValue('checkinterval', {}, globals, 10, at)
  const fall = effectiveValue('failurecount', {}, globals, 1, at)
  const check = map(
    [
      entry('interval', `${interval.value}s`, interval.at),
      entry('fastinter', `${interval.value}s`, interval.at),
      entry('fall', fall.value, fall.at),
      entry('rise', 1, fall.at),
    ],
    interval.at,
  )
  return entry(
    'defaults',
    map(
      [
        entry('quiescent', quiescent.value, quiescent.at),
        entry('cleanstop', cleanstop.value, cleanstop.at),
        placed('fallbackcommand', globals.fallbackcommand),
        mailEntry(globals),
        entry('check', check, at),
      ],
      at,
    ),
    at,
  )
}
