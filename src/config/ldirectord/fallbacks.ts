/** Reads the fallback of a virtual: its own one, or else the global one of its family. */

import type { PortLookup } from '../ports.js'
import type { Report } from '../problems/report.js'
import { type FallbackLine, readFallbackLine } from './address-lines.js'
import type { Directive } from './lines.js'
import type { Located } from './text-span.js'
import { entry, map, type Value } from './tree.js'
import type { Virtual } from './virtual.js'

/** Returns the global fallbacks. The last one of each family is used. */
export function readGlobalFallbacks(
  directives: readonly Directive[],
  context: { readonly report: Report; readonly ports: PortLookup },
): Virtual['fallbacks'] {
  const found: { ipv4: FallbackLine | null; ipv6: FallbackLine | null } = { ipv4: null, ipv6: null }
  for (const directive of fallbackLines(directives)) {
    const six = directive.key === 'fallback6'
    const read =
      directive.value && readFallbackLine(directive.value, six, { ...context, protocols: ['tcp', 'udp'] })
    if (!read) continue
    const family = read.host.address?.family ?? (six ? 'ipv6' : 'ipv4')
    if (family !== (six ? 'ipv6' : 'ipv4')) reportFamily(directive, family === 'ipv6', context.report)
    found[family] = read
  }
  return found
}

function fallbackLines(directives: readonly Directive[]): Directive[] {
  return directives.filter(({ key }) => key === 'fallback' || key === 'fallback6')
}

function reportFamily({ key, keyAt }: Directive, six: boolean, report: Report): void {
  report.warn(
    'FAMILY_WORD',
    keyAt,
    `taken as ${six ? 'fallback6' : 'fallback'}; ldirectord refuses "${key}" here`,
  )
}

export function fallback(virtual: Virtual): Located<Value> | null {
  const { directives, family, protocol, head, at, report } = virtual
  const six = family === 'ipv6'
  const lines = fallbackLines(directives)
  // An IPv6 address in a `virtual` line has been reported already.
  if (head.key !== 'virtual' || !six)
    for (const line of lines) if (six !== (line.key === 'fallback6')) reportFamily(line, six, report)
  // All fallbacks are validated. The last one is used.
  const own = lines.map(
    ({ value }) => value && readFallbackLine(value, six, { ...virtual, protocols: [protocol] }),
  )
  const used = own.length > 0 ? own.at(-1) : virtual.fallbacks[family]
  if (used && own.length === 0 && protocol === 'fwm')
    report.note(
      'FALLBACK_FWMARK',
      at,
      `the global fallback of line ${used.at.line} is used here too; ldirectord tries, and ipvsadm refuses it`,
    )
  return used ? { value: nodeOf(used, virtual), at: used.at } : null
}

/** With gate and ipip, packets keep their port, so the port is always that of the virtual. */
function nodeOf({ host, port, forwarding, at }: FallbackLine, virtual: Virtual): Value {
  const isMapped = virtual.protocol !== 'fwm' && forwarding !== 'masq'
  if (isMapped && port !== null && port !== virtual.port)
    virtual.report.warn(
      'PORT_MAPPED',
      at,
      `with ${forwarding} the fallback of ${virtual.id} gets its traffic on port ${virtual.port}, not ${port}`,
    )
  const used = isMapped ? virtual.port : (port ?? virtual.port)
  return map([entry('address', `${host.text}:${used}`, at), entry('forwarding', forwarding, at)], at)
}
