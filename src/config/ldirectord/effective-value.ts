/** What holds for a virtual once the global directives and ldirectord's defaults are counted in. */
import type { Position } from '../problems/problem.js'
import type { DirectiveName, Values } from './directives.js'
import type { Placed } from './report.js'
import type { CheckType, ServiceName } from './vocabulary.js'

/** What the check of a virtual is made from. */
export interface VirtualFacts {
  readonly own: Values
  readonly globals: Values
  /** tcp, udp or fwm. */
  readonly protocol: string
  /** 0 for a firewall mark. */
  readonly port: number
  readonly at: Position
}

/** The virtual's own value, the global one, else the default, which stands where the virtual begins. */
export function effectiveValue<N extends DirectiveName, D>(
  name: N,
  own: Values,
  globals: Values,
  fallback: D,
  at: Position,
): NonNullable<Values[N]> | Placed<D> {
  return own[name] ?? globals[name] ?? { value: fallback, at }
}

/** The kinds that ldirectord measures with checktimeout; all others have negotiatetimeout. */
const BY_CHECK_TIMEOUT: ReadonlySet<string> = new Set([
  'connect',
  'ping',
  'external',
  'external-perl',
  'ldap',
  'ldaps',
  'radius',
])

/** Seconds for one run. Of the two directives the nearer one counts, then the other, then the default. */
export function timeoutOf(kind: string, own: Values, globals: Values, at: Position): Placed<number> {
  const byCheck = BY_CHECK_TIMEOUT.has(kind)
  const order = byCheck
    ? (['checktimeout', 'negotiatetimeout'] as const)
    : (['negotiatetimeout', 'checktimeout'] as const)
  for (const values of [own, globals]) {
    for (const name of order) {
      const found = values[name]
      if (found) return found
    }
  }
  return { value: byCheck ? 5 : 30, at }
}

/** What ldirectord runs: the checktype, or for negotiate and numbers the service. */
export function kindOf(type: CheckType, service: ServiceName, protocol: string): string {
  // ldirectord sends the text of simpletcp over the protocol of the virtual.
  if (type === 'negotiate' || typeof type === 'number')
    return service === 'simpletcp' && protocol === 'udp' ? 'udp' : service
  // ldirectord pings where it cannot connect.
  return type === 'connect' && protocol === 'udp' ? 'ping' : type
}
