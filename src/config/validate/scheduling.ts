/** Reads how a service distributes connections: scheduler, scheduler flags, persistence, one-packet. */
import type { Family } from '../../core/address.js'
import { parseAddress } from '../../core/address.js'
import type { Persistence, SchedulerFlag, ServiceAttributes } from '../../core/model.js'
import { SCHEDULERS } from '../../core/schedulers.js'
import { didYouMean } from '../../util/closest-match.js'
import type { Position } from '../problems/problem.js'
import { schedulerFor } from '../problems/synonyms.js'
import type { Fields } from '../read/fields.js'
import { mergeLayers, outputOf, type Settled } from '../read/layers.js'
import { persistenceFields, schedulingFields } from '../schema/schema.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'

export function readScheduling(
  own: ServiceFields,
  defaults: DefaultsFields,
  facts: ServiceFacts,
  context: Context,
): ServiceAttributes {
  const settled = mergeLayers(schedulingFields, [own, defaults])
  const { scheduler, 'one-packet': onePacket } = settled.values
  const schedulerAt = settled.entry('scheduler')?.value.at
  if (schedulerAt) judgeScheduler(scheduler, schedulerAt, context)
  return {
    scheduler,
    schedulerFlags: readFlags(scheduler, own, defaults, context),
    persistence: persistenceOf(settled, facts, context),
    onePacket: onePacket && judgeOnePacket(own, facts, context),
  }
}

// ---------------------------------------------------------------- scheduler

/** IP_VS_SCHEDNAME_MAXLEN in linux/ip_vs.h is 16, including the terminating zero. */
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

/** Flag bits of the schedulers: IP_VS_SVC_F_SCHED1 and following in linux/ip_vs.h. */
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
  // Flags belong to the scheduler that is given at the same level. A service with another scheduler does not inherit
  // them.
  const inherits = own.entry('scheduler') === undefined || own.values.scheduler === defaults.values.scheduler
  const from = own.entry('scheduler-flags') || !inherits ? own : defaults
  const words = from.values['scheduler-flags'] ?? []
  for (const [i, word] of words.entries()) {
    const at = from.itemAt('scheduler-flags', i)
    const of = FLAGS[word]?.of
    if (of && of !== scheduler)
      report.error('SCHEDULER_FLAG', at, `"${word}" is a flag of ${of}; the scheduler here is ${scheduler}`)
    if (of === null && isFlagless(scheduler))
      report.warn('SCHEDULER_FLAG', at, `the scheduler ${scheduler} has no flags: "${word}" does nothing`)
  }
  const bits = words.flatMap(word => FLAGS[word]?.bit ?? [])
  return [...new Set(bits)].sort()
}

function isFlagless(scheduler: string): boolean {
  return scheduler !== 'sh' && scheduler !== 'mh' && (SCHEDULERS as readonly string[]).includes(scheduler)
}

function judgeOnePacket(
  own: ServiceFields,
  { protocol, protocols, isFwmark }: ServiceFacts,
  { report }: Context,
): boolean {
  if (protocol === 'udp' || isFwmark) return true
  // From `defaults`, or with several protocols, it applies only to UDP services.
  if (!own.entry('one-packet') || protocols.includes('udp')) return false
  report.error(
    'ONE_PACKET_NOT_UDP',
    own.keyAt('one-packet'),
    `one-packet is for UDP; this service is ${protocol}`,
  )
  return true
}

// ---------------------------------------------------------------- persistence

function persistenceOf(
  { values, entry }: Settled<typeof schedulingFields>,
  facts: ServiceFacts,
  context: Context,
): Persistence | null {
  const at = entry('persistence')?.keyAt
  if (!at || values.persistence === null) return null
  if (facts.family === null && facts.port !== null && !facts.isFwmark)
    context.report.error(
      'FAMILY_NEEDED',
      at,
      `persistence counts in bits of one family, and a name may have either: add family: ipv6 (or ipv4) to "${facts.name}"`,
    )
  return values.persistence ? readPersistence(values.persistence, facts, context) : null
}

function readPersistence(
  fields: Fields<typeof persistenceFields>,
  facts: ServiceFacts,
  context: Context,
): Persistence {
  const { report } = context
  const { netmask, ...persistence } = outputOf(persistenceFields, [fields])
  const { engine } = persistence
  const isDual = facts.families?.length === 2
  const hasBoth = fields.entry('prefix') !== undefined && fields.entry('netmask') !== undefined
  // With addresses of both families, the netmask is that of the IPv4 ones.
  const prefix = isDual && hasBoth && facts.family === 'ipv4' ? undefined : persistence.prefix
  if (hasBoth && !isDual)
    report.error('PREFIX_TWICE', fields.keyAt('netmask'), 'give either prefix or netmask, not both')
  if (prefix !== undefined) judgePrefix(prefix, fields.valueAt('prefix'), facts, context)
  const bits =
    netmask === undefined || (isDual && facts.family === 'ipv6')
      ? undefined
      : readNetmask(netmask, fields.valueAt('netmask'), facts, context)
  if (engine && !facts.protocols.includes('udp') && !facts.isFwmark)
    report.error(
      'SIP_NOT_UDP',
      fields.valueAt('engine'),
      `the engine sip reads SIP over UDP; this service is ${facts.protocol}`,
    )
  return {
    ...persistence,
    prefix: prefix ?? bits ?? allBits(facts.family),
    // With several protocols, the engine applies only to UDP.
    engine: facts.protocol === 'udp' || facts.isFwmark ? engine : null,
  }
}

/** Returns the length of a whole address in bits, the default: each client address is a client of its own. */
function allBits(family: Family | null): number {
  return family === 'ipv4' ? 32 : 128
}

function judgePrefix(
  prefix: number,
  at: Position,
  { family, families }: ServiceFacts,
  { report }: Context,
): void {
  const remedy = families?.length === 2 ? ': give the IPv4 addresses a netmask, 255.255.255.0' : ''
  if (family === 'ipv4' && prefix > 32)
    report.error('PREFIX_RANGE', at, `the prefix of an IPv4 service is at most 32, not ${prefix}${remedy}`)
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
  const bits = /^\/?(\d{1,3})$/.exec(text)?.[1]
  if (bits !== undefined)
    report.error(
      'BAD_NETMASK',
      at,
      `a netmask is of the form 255.255.255.0; for ${bits} bits write prefix: ${bits}`,
    )
  else if (family === 'ipv6')
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

/** True if persistence is given and is not `none`. */
export function isPersistent(own: ServiceFields, defaults: DefaultsFields): boolean {
  const { values, entry } = mergeLayers({ persistence: schedulingFields.persistence }, [own, defaults])
  return entry('persistence') !== undefined && values.persistence !== null
}
