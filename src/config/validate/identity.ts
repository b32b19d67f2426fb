/**
 * Reads the identities of a service in the kernel: protocol, address and port, or a firewall mark and a family. A service
 * with several addresses has one for each.
 */
import { endpoint, type Family, isName, parseAddress } from '../../core/address.js'
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
  readonly at: Position
}

/** Reads `virtual`, or `fwmark` and `family`; at least one. Reports what is missing or in conflict. */
export function readIdentities(
  part: Part,
  own: ServiceFields,
  defaults: DefaultsFields,
  context: Context,
): readonly Identity[] {
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
  if (fwmark && !virtual) return readMarks(name, own, context)
  const texts = [own.values.virtual ?? []].flat()
  const addresses: readonly (string | undefined)[] = texts.length > 0 ? texts : [undefined]
  const read = addresses.map((text, i) =>
    readVirtual(part, { text, at: own.itemAt('virtual', i) }, own, defaults, context),
  )
  if (read.length > 1) judgeList(read, own, context)
  return read
}

/** The addresses of one service have one port, because its real servers have one. */
function judgeList(read: readonly Identity[], own: ServiceFields, { report }: Context): void {
  const port = read.find(({ facts }) => facts.port !== null)?.facts.port
  for (const { virtual, facts, at } of read) {
    if (virtual?.kind !== 'address') continue
    if (isName(virtual.host))
      report.error(
        'BAD_ADDRESS',
        at,
        `${virtual.host} is a name: in a list of virtual addresses each must be an address`,
      )
    if (facts.port !== port)
      report.error(
        'PORT_MISMATCH',
        at,
        `all addresses of a service have the same port: write ${port}, or make it a service of its own`,
      )
  }
  if (own.entry('family'))
    report.error(
      'FAMILY_MISMATCH',
      own.keyAt('family'),
      'the addresses in virtual say the family: remove family',
    )
}

function readMarks(name: string, own: ServiceFields, context: Context): readonly Identity[] {
  const { report } = context
  const words = [own.values.family ?? []].flat()
  for (const [i, word] of words.entries())
    if (words.indexOf(word) < i)
      report.error('BAD_VALUE', own.itemAt('family', i), `${word} stands twice in "family"`)
  const families = [...new Set(words)]
  const marks: readonly (Family | null)[] = families.length > 0 ? families : [null]
  return marks.map(family => readMark(name, family, own, context))
}

function readMark(name: string, family: Family | null, own: ServiceFields, { report }: Context): Identity {
  const { fwmark } = own.values
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
  const virtual = fwmark !== undefined && family ? ({ kind: 'fwmark', fwmark, family } as const) : null
  return { virtual, facts, at: own.valueAt('fwmark') }
}

interface Written {
  readonly text: string | undefined
  readonly at: Position
}

function readVirtual(
  part: Part,
  { text, at }: Written,
  own: ServiceFields,
  defaults: DefaultsFields,
  context: Context,
): Identity {
  const { name, protocol, protocols } = part
  const written = text === undefined ? null : readVirtualEndpoint(text, at, part, context)
  const endpoint = written && withPort(written, part, own, context)
  const port = endpoint && portOf(endpoint, at, own, defaults, context)
  const [asked = null, second] = [own.values.family ?? []].flat()
  const family = endpoint?.address?.family ?? asked
  if (second)
    context.report.error(
      'FAMILY_MISMATCH',
      own.valueAt('family'),
      "several families are for a firewall mark; list the addresses in virtual: ['[2001:db8::80]:80', '192.0.2.80:80']",
    )
  const isUsable = endpoint !== null && judgeVirtual(endpoint, at, own, context) && port !== null
  if (isUsable && endpoint.address === null) judgeHostFamily(endpoint.host, family, at, context)
  const facts = { name, family, port, protocol, protocols, isFwmark: false }
  return {
    virtual: isUsable ? { kind: 'address', protocol, host: endpoint.host, port, family } : null,
    facts,
    at,
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

function judgeVirtual({ address }: Endpoint, at: Position, own: ServiceFields, { report }: Context): boolean {
  if (!address) return true
  const families = [own.values.family ?? []].flat()
  if (families.length === 1 && families[0] !== address.family && typeof own.values.virtual === 'string')
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
