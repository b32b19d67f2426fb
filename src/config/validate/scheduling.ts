/** How a service spreads connections: scheduler, its flags, persistence, one-packet. */
import type { Family } from '../../core/address.js'
import { parseAddress } from '../../core/address.js'
import type { Persistence, SchedulerFlag, ServiceAttributes } from '../../core/model.js'
import { didYouMean } from '../../util/closest-match.js'
import type { Position } from '../problems/problem.js'
import { schedulerFor } from '../problems/synonyms.js'
import type { RawEntry } from '../raw.js'
import { isNothing, mapEntries, readFields, readValue } from '../read-fields.js'
import { defaultsFields, persistenceFields, SCHEDULERS } from '../schema/schema.js'
import {
  type Context,
  type DefaultsFields,
  type ServiceFacts,
  type ServiceFields,
  textOf,
} from './context.js'
import { defaultOf, inherit } from './layers.js'

export function readScheduling(
  own: ServiceFields,
  defaults: DefaultsFields,
  facts: ServiceFacts,
  context: Context,
): ServiceAttributes {
  const layers = [own, defaults]
  const scheduler = inherit(defaultsFields, 'scheduler', layers)
  const schedulerAt = nearestEntry('scheduler', own, defaults)?.value.at
  if (schedulerAt) judgeScheduler(scheduler, schedulerAt, context)
  const onePacket =
    inherit(defaultsFields, 'one-packet', layers) && judgeOnePacket(own, defaults, facts, context)
  return {
    scheduler,
    schedulerFlags: readFlags(scheduler, own, defaults, context),
    persistence: readPersistence(nearestEntry('persistence', own, defaults), facts, context),
    onePacket,
  }
}

function nearestEntry(
  key: 'scheduler' | 'persistence' | 'one-packet' | 'scheduler-flags',
  own: ServiceFields,
  defaults: DefaultsFields,
): RawEntry | undefined {
  return own.entry(key) ?? defaults.entry(key)
}

// ---------------------------------------------------------------- scheduler

/** IP_VS_SCHEDNAME_MAXLEN is 16, with the zero at the end. */
const SCHEDULER_NAME = /^[a-z][a-z0-9_-]{0,14}$/

function judgeScheduler(scheduler: string, at: Position, { report }: Context): void {
  if ((SCHEDULERS as readonly string[]).includes(scheduler)) return
  const other = schedulerFor(scheduler)
  const near = other === null ? didYouMean(scheduler, SCHEDULERS) : `; write ${other}`
  const known = `the kernel brings ${SCHEDULERS.join(', ')}`
  if (near || !SCHEDULER_NAME.test(scheduler))
    report.error('UNKNOWN_SCHEDULER', at, `there is no scheduler "${scheduler}"${near || `; ${known}`}`)
  else
    report.warn(
      'UNKNOWN_SCHEDULER',
      at,
      `the Linux kernel brings no scheduler "${scheduler}": the service works only where a module ip_vs_${scheduler} is installed`,
    )
}

/** Flag bits of the schedulers that have any: IP_VS_SVC_F_SCHED1 and following. */
const FLAGS: Readonly<Record<string, { readonly of: string | null; readonly bit: SchedulerFlag }>> = {
  'sh-fallback': { of: 'sh', bit: 'flag-1' },
  'sh-port': { of: 'sh', bit: 'flag-2' },
  'mh-fallback': { of: 'mh', bit: 'flag-1' },
  'mh-port': { of: 'mh', bit: 'flag-2' },
  'flag-1': { of: null, bit: 'flag-1' },
  'flag-2': { of: null, bit: 'flag-2' },
  'flag-3': { of: null, bit: 'flag-3' },
}

function readFlags(
  scheduler: string,
  own: ServiceFields,
  defaults: DefaultsFields,
  { report }: Context,
): readonly SchedulerFlag[] {
  // Flags belong to the scheduler beside which they are written; another scheduler does not inherit them.
  const inherits = own.entry('scheduler') === undefined || own.values.scheduler === defaults.values.scheduler
  const from = own.entry('scheduler-flags') || !inherits ? own : defaults
  const words = from.values['scheduler-flags'] ?? []
  const node = from.entry('scheduler-flags')?.value
  for (const [i, word] of words.entries()) {
    const at = node?.kind === 'list' ? node.items[i]?.at : node?.at
    const of = FLAGS[word]?.of
    if (of && of !== scheduler)
      report.error(
        'SCHEDULER_FLAG',
        at ?? from.at,
        `"${word}" is a flag of ${of}; the scheduler here is ${scheduler}`,
      )
    if (of === null && isFlagless(scheduler))
      report.warn(
        'SCHEDULER_FLAG',
        at ?? from.at,
        `the scheduler ${scheduler} has no flags: "${word}" does nothing`,
      )
  }
  const bits = words.flatMap(word => FLAGS[word]?.bit ?? [])
  return [...new Set(bits)].sort()
}

function isFlagless(scheduler: string): boolean {
  return scheduler !== 'sh' && scheduler !== 'mh' && (SCHEDULERS as readonly string[]).includes(scheduler)
}

function judgeOnePacket(
  own: ServiceFields,
  defaults: DefaultsFields,
  { protocol, protocols, isFwmark }: ServiceFacts,
  { report }: Context,
): boolean {
  if (protocol === 'udp' || isFwmark) return true
  // As a default it counts for the UDP services alone.
  if (!own.entry('one-packet') || protocols.includes('udp')) return false
  const at = nearestEntry('one-packet', own, defaults)?.keyAt ?? own.at
  report.error('ONE_PACKET_NOT_UDP', at, `one-packet is for UDP; this service is ${protocol}`)
  return true
}

// ---------------------------------------------------------------- persistence

function readPersistence(
  entry: RawEntry | undefined,
  facts: ServiceFacts,
  context: Context,
): Persistence | null {
  if (!entry || textOf(entry.value) === 'none') return null
  if (facts.family === null && facts.port !== null && !facts.isFwmark)
    context.report.error(
      'FAMILY_NEEDED',
      entry.keyAt,
      `persistence counts in bits of one family, and a name may have either: add family: ipv6 (or ipv4) to "${facts.name}"`,
    )
  if (entry.value.kind === 'scalar') {
    const timeout = readValue(entry, persistenceFields.timeout, context.report)
    return { timeout: timeout?.value ?? 1, prefix: allBits(facts.family), engine: null }
  }
  const entries = mapEntries(entry, 'a timeout, or a mapping with timeout and prefix', context.report)
  if (!entries) return null
  const how = { what: 'persistence', at: entry.keyAt }
  const right = entries.filter(one => !tellPrefixAsNetmask(one, context))
  const fields = readFields(right, persistenceFields, how, context.report)
  const { values } = fields
  const twice = fields.entry('prefix') && fields.entry('netmask')
  if (twice)
    context.report.error('PREFIX_TWICE', fields.keyAt('netmask'), 'give either prefix or netmask, not both')
  if (values.prefix !== undefined) judgePrefix(values.prefix, fields.valueAt('prefix'), facts, context)
  const netmask =
    values.netmask === undefined
      ? undefined
      : readNetmask(values.netmask, fields.valueAt('netmask'), facts, context)
  if (values.engine && !facts.protocols.includes('udp') && !facts.isFwmark)
    context.report.error(
      'SIP_NOT_UDP',
      fields.valueAt('engine'),
      `the engine sip reads SIP over UDP; this service is ${facts.protocol}`,
    )
  return {
    timeout: values.timeout ?? defaultOf(persistenceFields.timeout),
    prefix: values.prefix ?? netmask ?? allBits(facts.family),
    // Of several protocols it counts for UDP alone.
    engine: (facts.protocol === 'udp' || facts.isFwmark ? values.engine : null) ?? null,
  }
}

/** `netmask: 64`: the length of a prefix in the place of a netmask. */
function tellPrefixAsNetmask({ key, value }: RawEntry, { report }: Context): boolean {
  const bits = value.kind === 'scalar' ? /^\/?(\d{1,3})$/.exec(String(value.value))?.[1] : undefined
  if (key !== 'netmask' || bits === undefined) return false
  report.error(
    'BAD_NETMASK',
    value.at,
    `a netmask is of the form 255.255.255.0; for ${bits} bits write prefix: ${bits}`,
  )
  return true
}

/** Clients are told apart by their whole address. */
function allBits(family: Family | null): number {
  return family === 'ipv4' ? 32 : 128
}

function judgePrefix(prefix: number, at: Position, { family }: ServiceFacts, { report }: Context): void {
  if (family === 'ipv4' && prefix > 32)
    report.error('PREFIX_RANGE', at, `the prefix of an IPv4 service is at most 32, not ${prefix}`)
  if (family === 'ipv6' && prefix < 1)
    report.error('PREFIX_RANGE', at, 'the prefix of an IPv6 service is at least 1: the kernel refuses 0')
}

function readNetmask(
  text: string,
  at: Position,
  { family }: ServiceFacts,
  { report }: Context,
): number | undefined {
  const prefix = prefixOf(text)
  if (family === 'ipv6')
    report.error('BAD_NETMASK', at, 'a netmask is for IPv4; for IPv6 write prefix, 1 to 128')
  else if (prefix === null)
    report.error(
      'BAD_NETMASK',
      at,
      `"${text}" is not a netmask: expected ones before zeros, such as 255.255.255.0`,
    )
  return prefix ?? undefined
}

function prefixOf(netmask: string): number | null {
  if (parseAddress(netmask)?.family !== 'ipv4') return null
  const bits = netmask
    .split('.')
    .map(part => Number(part).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : null
}

/** Present and not switched off. */
export function isPersistent(own: ServiceFields, defaults: DefaultsFields): boolean {
  const entry = nearestEntry('persistence', own, defaults)
  return entry !== undefined && !isNothing(entry.value) && textOf(entry.value) !== 'none'
}
