/** Derives keys of a service from several directives of its virtual. */
import { type Family, parseAddress } from '../../core/address.js'
import type { Report } from '../problems/report.js'
import type { Located } from './text-span.js'
import { type Entry, entry, map, texts, type Value } from './tree.js'
import type { Virtual } from './virtual.js'

type Found = Located<Value> | null

export function virtualAddress({ address, port, at }: Virtual): Found {
  return address.kind === 'address' ? { value: `${address.host.text}:${port}`, at } : null
}

export function firewallMark({ address, at }: Virtual): Found {
  return address.kind === 'fwmark' ? { value: address.fwmark, at } : null
}

/** Returns the family of a firewall mark or a name. An address has its family already. */
export function family({ address, at }: Virtual): Found {
  return address.kind === 'fwmark' || address.host.address === null ? { value: address.family, at } : null
}

export function protocol({ address, protocol, own, at }: Virtual): Found {
  return address.kind === 'fwmark' ? null : { value: protocol, at: own.protocol?.at ?? at }
}

/**
 * Returns the flags. A flag of another scheduler is written as its bit, which the kernel stores and this scheduler
 * ignores.
 */
export function schedulerFlags({ own, report }: Virtual): Found {
  if (!own.schedflags) return null
  const { value: words, at } = own.schedflags
  const scheduler = own.scheduler?.value ?? 'wrr'
  const strangers = words.filter(word => !word.startsWith('flag-') && !word.startsWith(`${scheduler}-`))
  if (strangers.length > 0)
    report.warn('SCHEDULER_FLAG', at, `${strangers.join(', ')} means nothing to the scheduler ${scheduler}`)
  const flags = words.map(word => (strangers.includes(word) ? bitOf(word) : word))
  return { value: texts(flags, at), at }
}

/** sh-fallback and mh-fallback are the first bit; sh-port and mh-port are the second one. */
function bitOf(word: string): string {
  return word.endsWith('-fallback') ? 'flag-1' : 'flag-2'
}

export function persistence({ own, family, report }: Virtual): Found {
  const { persistent, netmask } = own
  const group = netmask ? mask(netmask, family, report) : null
  if (netmask && !persistent)
    report.note('UNUSED', netmask.at, 'netmask has no effect without persistent, with ldirectord either')
  if (!persistent) return null
  const { value, at } = persistent
  if (value > 0) return { value: map([entry('timeout', `${value}s`, at), group], at), at }
  report.warn(
    'NO_PERSISTENCE',
    at,
    'persistent = 0 is read as no persistence; ipvsadm refuses it, and ldirectord then has no such service',
  )
  return null
}

function mask({ value, at }: Located<string>, family: Family, report: Report): Entry | null {
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

/** Only UDP services have one-packet scheduling. ldirectord ignores ops for others. */
export function onePacket({ own: { ops }, protocol, report }: Virtual): Found {
  if (ops && protocol === 'udp') return ops
  if (ops?.value)
    report.warn(
      'UNUSED',
      ops.at,
      `ops has no effect on ${protocol === 'fwm' ? 'a firewall mark' : 'tcp'}, with ldirectord either`,
    )
  return null
}
