/** The fallback of a virtual: its own, else the global one of its family. */

import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import type { Values } from './directives.js'
import type { Directive } from './lines.js'
import { type FallbackLine, readFallbackLine } from './reals.js'
import type { Report } from './report.js'
import { type Entry, entry, map } from './tree.js'
import type { Read } from './virtuals.js'

/** The global part, read. */
export interface Globals {
  readonly values: Values
  readonly fallback: { readonly ipv4: FallbackLine | null; readonly ipv6: FallbackLine | null }
}

interface Context {
  readonly report: Report
  readonly ports: PortLookup
}

/** The global fallbacks; the last of a family counts. */
export function readGlobalFallbacks(directives: readonly Directive[], context: Context): Globals['fallback'] {
  const found: { ipv4: FallbackLine | null; ipv6: FallbackLine | null } = { ipv4: null, ipv6: null }
  for (const directive of fallbackLines(directives)) {
    const six = directive.key === 'fallback6'
    const read =
      directive.value && readFallbackLine(directive.value, six, { ...context, protocols: ['tcp', 'udp'] })
    if (!read) continue
    const family = read.host.address?.family ?? (six ? 'ipv6' : 'ipv4')
    if (family !== (six ? 'ipv6' : 'ipv4')) tellFamily(directive, family === 'ipv6', context.report)
    found[family] = read
  }
  return found
}

function fallbackLines(directives: readonly Directive[]): Directive[] {
  return directives.filter(({ key }) => key === 'fallback' || key === 'fallback6')
}

function tellFamily({ key, keyAt }: Directive, six: boolean, report: Report): void {
  report.warn(
    'FAMILY_WORD',
    keyAt,
    `taken as ${six ? 'fallback6' : 'fallback'}; ldirectord refuses "${key}" here`,
  )
}

export function fallbackEntry(
  read: Read,
  directives: readonly Directive[],
  context: Context & { readonly globals: Globals },
): Entry | null {
  const six = read.family === 'ipv6'
  const lines = fallbackLines(directives)
  // A virtual for IPv6 under the word for IPv4 has been told.
  if (read.head.key !== 'virtual' || !six)
    for (const line of lines) if (six !== (line.key === 'fallback6')) tellFamily(line, six, context.report)
  // The last one counts, and all must be right.
  const own = lines.map(
    ({ value }) => value && readFallbackLine(value, six, { ...context, protocols: [read.protocol] }),
  )
  if (own.length > 0) {
    const last = own.at(-1)
    return last ? nodeOf(last, read, last.at, context.report) : null
  }
  const global = context.globals.fallback[read.family]
  if (!global) return null
  if (read.protocol === 'fwm')
    context.report.note(
      'FALLBACK_FWMARK',
      read.at,
      `the global fallback of line ${global.at.line} is used here too; ldirectord tries, and ipvsadm refuses it`,
    )
  return nodeOf(global, read, global.at, context.report)
}

/** With gate and ipip packets arrive unchanged, so the port is that of the virtual whatever is written. */
function nodeOf({ host, port, forwarding }: FallbackLine, read: Read, at: Position, report: Report): Entry {
  const isMapped = read.protocol !== 'fwm' && forwarding !== 'masq'
  if (isMapped && port !== null && port !== read.port)
    report.warn(
      'PORT_MAPPED',
      at,
      `with ${forwarding} the fallback of ${read.id} gets its traffic on port ${read.port}, not ${port}`,
    )
  const used = isMapped ? read.port : (port ?? read.port)
  return entry(
    'fallback',
    map([entry('address', `${host.text}:${used}`, at), entry('forwarding', forwarding, at)], at),
    at,
  )
}
