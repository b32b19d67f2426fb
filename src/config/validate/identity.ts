/** Reads the identity of a service in the kernel: protocol, address and port, or a firewall mark and a family. */
import { endpoint, parseAddress } from '../../core/address.js'
import type { Virtual } from '../../core/model.js'
import { type Endpoint, isUnicast, isWithoutZone, readEndpoint } from '../endpoints.js'
import type { Position } from '../problems/problem.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'
import { judgeHostFamily } from './host-family.js'
import type { Part } from './parts.js'
import { isPersistent } from './scheduling.js'
import { familyWord } from './words.js'

export interface Identity {
  /** Null if missing or invalid. */
  readonly virtual: Virtual | null
  readonly facts: ServiceFacts
}

/** Reads `virtual`, or `fwmark` and `family`. Reports what is missing or in conflict. */
export function readIdentity(
  part: Part,
  own: ServiceFields,
  defaults: DefaultsFields,
  context: Context,
): Identity {
  const { report } = context
  const name = part.of?.of ?? part.name
  const virtual = own.entry('virtual')
  const fwmark = own.entry('fwmark')
  if (virtual && fwmark)
    report.error('VIRTUAL_OR_FWMARK', fwmark.keyAt, 'a service has either virtual or fwmark, not both')
  if (!virtual && !fwmark && !own.isMisspelt('virtual') && !own.isMisspelt('fwmark'))
    report.error(
      'VIRTUAL_OR_FWMARK',
      own.at,
      `"${name}" needs virtual: '[address]:port', or fwmark and family`,
    )
  return fwmark && !virtual ? readMark(name, own, context) : readVirtual(part, own, defaults, context)
}

function readMark(name: string, own: ServiceFields, { report }: Context): Identity {
  const { fwmark, family = null } = own.values
  for (const key of ['protocol', 'ports'] as const)
    if (own.entry(key))
      report.error(
        'FWMARK_KEY',
        own.keyAt(key),
        `a firewall mark applies to every protocol and port: remove ${key}`,
      )
  if (!own.entry('family') && !own.isMisspelt('family'))
    report.error(
      'FAMILY_NEEDED',
      own.keyAt('fwmark'),
      'a firewall mark applies to one family: add family: ipv6 (or ipv4)',
    )
  const facts = { name, family, port: 0, protocol: 'fwm', protocols: ['fwm'], isFwmark: true }
  return { virtual: fwmark !== undefined && family ? { kind: 'fwmark', fwmark, family } : null, facts }
}

function readVirtual(part: Part, own: ServiceFields, defaults: DefaultsFields, context: Context): Identity {
  const { name, protocol, protocols } = part
  const at = own.valueAt('virtual')
  const text = own.values.virtual
  const written = text === undefined ? null : readVirtualEndpoint(text, at, part, context)
  const endpoint = written && withPort(written, part, own, context)
  const port = endpoint && portOf(endpoint, at, own, defaults, context)
  const family = endpoint?.address?.family ?? own.values.family ?? null
  const isUsable = endpoint !== null && judgeVirtual(endpoint, own, context) && port !== null
  if (isUsable && endpoint.address === null) judgeHostFamily(endpoint.host, family, at, context)
  const facts = { name, family, port, protocol, protocols, isFwmark: false }
  return {
    virtual: isUsable ? { kind: 'address', protocol, host: endpoint.host, port, family } : null,
    facts,
  }
}

/** Reads `virtual`. If `ports` gives the port, an IPv6 address may be written without brackets. */
function readVirtualEndpoint(
  text: string,
  at: Position,
  { port, protocol }: Part,
  context: Context,
): Endpoint | null {
  const bare = port === null ? null : parseAddress(text)
  return bare
    ? { host: bare.text, address: bare, port: null, hasPort: false }
    : readEndpoint(text, at, { ...context, protocol })
}

/** Returns the endpoint with the port from `ports`, if that key is given. */
function withPort(endpoint: Endpoint, { port }: Part, own: ServiceFields, { report }: Context): Endpoint {
  if (!own.entry('ports')) return endpoint
  if (endpoint.hasPort)
    report.error(
      'PORT_TWICE',
      own.keyAt('ports'),
      'virtual has a port already: write either ports, or the port there',
    )
  return { ...endpoint, port: port ?? endpoint.port, hasPort: true }
}

function portOf(
  { port, hasPort, host }: Endpoint,
  at: Position,
  own: ServiceFields,
  defaults: DefaultsFields,
  { report }: Context,
): number | null {
  if (!hasPort) report.error('NO_PORT', at, `a virtual address needs a port: '${endpoint(host, 80)}'`)
  if (port === 0 && !isPersistent(own, defaults))
    report.error('PORT_ZERO', at, 'port 0 means every port; the kernel accepts it only with persistence')
  return port
}

function judgeVirtual({ address }: Endpoint, own: ServiceFields, { report }: Context): boolean {
  if (!address) return true
  const at = own.valueAt('virtual')
  const { family } = own.values
  if (family && family !== address.family)
    report.error(
      'FAMILY_MISMATCH',
      own.valueAt('family'),
      `the virtual address is ${familyWord(address.family)}: remove family, or give an address of that family`,
    )
  return (
    isUnicast(address, at, 'a virtual address', report) &&
    isWithoutZone(address, at, 'a virtual address', report)
  )
}
