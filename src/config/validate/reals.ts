/** The real servers and the fallback of a service. */

import type { CheckUse, Fallback, Forwarding, Real, RealAttributes } from '../../model.js'
import { type Endpoint, isForwardable, readEndpoint } from '../endpoints.js'
import type { Position } from '../problem.js'
import type { RawNode } from '../raw.js'
import { type Fields, type RawEntry, readFields, sortOf } from '../read-fields.js'
import { fallbackFields, realFields } from '../schema.js'
import { type Draft, draftsOf, layDrafts, readCheck } from './checks.js'
import {
  type Context,
  type DefaultsFields,
  type ServiceFacts,
  type ServiceFields,
  textOf,
} from './context.js'
import { settle } from './layers.js'
import { judgeNeed, judgePorts, readNeed } from './need.js'
import { wordsAs } from './short-form.js'
import { familyWord } from './words.js'

/** What the real servers of one service have in common. */
export interface RealContext extends Context {
  readonly facts: ServiceFacts
  readonly own: ServiceFields
  readonly defaults: DefaultsFields
  readonly drafts: readonly Draft[] | null
  /** The service's own checks as read; for real servers that say nothing of checks. */
  readonly uses: readonly CheckUse[]
  /** False where one of them is wrong. */
  readonly usesAreRight: boolean
}

/** A real server and where it stands; null where it is wrong, which has been told. */
export interface PlacedReal {
  readonly real: Real
  readonly at: Position
}

export function readReal(node: RawNode, context: RealContext): PlacedReal | null {
  const entries = entriesOf(node, ['address', 'forwarding', 'weight'], 'a real server', 'BAD_REAL', context)
  if (!entries) return null
  const how = { what: 'a real server', at: node.at, structured: ['check', 'checks'] as const }
  const fields = readFields(entries, realFields, how, context.report)
  const attributes = readAttributes(fields, context)
  const endpoint = endpointOf(fields, context)
  const checks = readChecks(fields, context)
  if (!endpoint) return null
  const port = portFor(endpoint, fields.valueAt('address'), attributes.forwarding, context)
  judgeAddress(endpoint, fields.valueAt('address'), attributes.forwarding, 'a real server', context)
  judgePorts(checks.uses, endpoint, port, fields, context)
  const real = {
    host: endpoint.host,
    address: endpoint.address,
    port,
    attributes,
    checks: checks.uses,
    need: checks.need,
  }
  return { real, at: fields.valueAt('address') }
}

/** The entries of a mapping, or of a text with the words in the order of `keys`. */
function entriesOf(
  node: RawNode,
  keys: readonly string[],
  what: string,
  code: 'BAD_REAL' | 'BAD_FALLBACK',
  { report }: Context,
): readonly RawEntry[] | null {
  if (node.kind === 'map') return node.entries
  const text = textOf(node)
  if (node.kind !== 'scalar' || text === null) {
    const brackets = node.kind === 'list' ? '; an address in brackets needs quotes round it' : ''
    report.error(
      'WRONG_TYPE',
      node.at,
      `${what} is a text or a mapping with an address, not ${sortOf(node)}${brackets}`,
    )
    return null
  }
  const entries = wordsAs(keys, text, node)
  const last = entries?.at(-1)
  if (entries && !(last?.key === 'weight' && typeof plainOf(last) === 'string')) return entries
  const [, ...rest] = keys
  report.error(
    code,
    node.at,
    `expected address ${rest.map(key => `[${key}`).join(' ')}${']'.repeat(rest.length)}, as in '[2001:db8::1]:80 masq${keys.length > 2 ? ' 2' : ''}'; for anything else write a mapping`,
  )
  return null
}

function plainOf(entry: RawEntry): unknown {
  return entry.value.kind === 'scalar' ? entry.value.value : null
}

function endpointOf(
  fields: Fields<{ address: typeof realFields.address }>,
  context: RealContext,
): Endpoint | null {
  if (!fields.entry('address')) {
    context.report.error('MISSING_KEY', fields.at, "the address is missing: address: '[2001:db8::1]:80'")
    return null
  }
  const { address } = fields.values
  const { report, ports, facts } = context
  return address === undefined
    ? null
    : readEndpoint(address, fields.valueAt('address'), { report, ports, protocol: facts.protocol })
}

// ---------------------------------------------------------------- attributes

type ForwardingKeys = 'forwarding' | 'tunnel-port' | 'tunnel-checksum'

function readAttributes(fields: Fields<typeof realFields>, context: RealContext): RealAttributes {
  const layers = [fields, context.own, context.defaults]
  const upper = settle(realFields, 'upper', layers)
  const lower = settle(realFields, 'lower', layers)
  if (lower > upper) {
    const at = placeOf('lower', layers) ?? fields.at
    const least = upper === 0 ? 'there is no upper one' : `the upper one is ${upper}`
    context.report.error(
      'THRESHOLDS',
      at,
      `the lower threshold is ${lower}, but ${least}; the kernel refuses that`,
    )
  }
  return { ...readForwarding(fields, context), weight: settle(realFields, 'weight', layers), upper, lower }
}

function readForwarding(
  fields: Fields<Pick<typeof realFields, ForwardingKeys>>,
  { own, defaults, report }: RealContext,
): Pick<RealAttributes, 'forwarding' | 'tunnelPort' | 'tunnelChecksum'> {
  const layers = [fields, own, defaults]
  const forwarding = settle(realFields, 'forwarding', layers)
  const tunnelPort = settle(realFields, 'tunnel-port', layers)
  const tunnelChecksum = settle(realFields, 'tunnel-checksum', layers)
  if (forwarding === 'gue' && tunnelPort === undefined)
    report.error(
      'TUNNEL_PORT',
      placeOf('forwarding', layers) ?? fields.at,
      'gue needs the UDP port of the tunnel: tunnel-port: 6080',
    )
  if (forwarding !== 'gue' && fields.entry('tunnel-port'))
    report.error(
      'TUNNEL_PORT',
      fields.keyAt('tunnel-port'),
      `tunnel-port is for gue; the forwarding here is ${forwarding}`,
    )
  const takesChecksum = takesTunnelChecksum(forwarding, tunnelChecksum)
  if (!takesChecksum && fields.entry('tunnel-checksum'))
    report.error(
      'TUNNEL_CHECKSUM',
      fields.valueAt('tunnel-checksum'),
      `${forwarding} has no checksum "${tunnelChecksum}"`,
    )
  return {
    forwarding,
    tunnelPort: forwarding === 'gue' ? (tunnelPort ?? 0) : 0,
    tunnelChecksum: takesChecksum ? tunnelChecksum : 'none',
  }
}

function takesTunnelChecksum(forwarding: Forwarding, checksum: string): boolean {
  if (checksum === 'none' || forwarding === 'gue') return true
  return forwarding === 'gre' && checksum === 'csum'
}

function placeOf<K extends string>(
  key: K,
  layers: readonly { entry(key: K): RawEntry | undefined }[],
): Position | undefined {
  for (const layer of layers) {
    const entry = layer.entry(key)
    if (entry) return entry.value.at
  }
  return undefined
}

// ---------------------------------------------------------------- address and port

/** The port of the kernel's table; for all but NAT it must be the service's. */
function portFor(
  { port, hasPort }: Endpoint,
  at: Position,
  forwarding: Forwarding,
  { facts, report }: RealContext,
): number {
  if (facts.isFwmark || facts.port === null) return port ?? 0
  if (port === null) return hasPort ? 0 : facts.port
  if (forwarding !== 'masq' && port !== facts.port)
    report.error(
      'PORT_MISMATCH',
      at,
      `with ${forwarding} packets keep the port of the service: write ${facts.port} or leave the port away (only masq can change it to ${port})`,
    )
  return port
}

const TUNNELS: ReadonlySet<Forwarding> = new Set(['ipip', 'gue', 'gre'])

function judgeAddress(
  { address }: Endpoint,
  at: Position,
  forwarding: Forwarding,
  what: string,
  { facts, report }: RealContext,
): void {
  if (!address || !isForwardable(address, at, what, report)) return
  if (facts.family === null || address.family === facts.family) return
  const families = `${what} over ${familyWord(address.family)} in a service over ${familyWord(facts.family)}`
  if (TUNNELS.has(forwarding))
    report.note(
      'MIXED_FAMILY',
      at,
      `${families}: the kernel refuses this while the connection sync daemon runs`,
    )
  else
    report.error(
      'FAMILY_MISMATCH',
      at,
      `${families} needs a tunnel: ipip, gue or gre, not ${forwarding} (and no connection sync daemon)`,
    )
}

// ---------------------------------------------------------------- checks

interface ReadChecks {
  readonly uses: readonly CheckUse[]
  readonly need: number
}

function readChecks(fields: Fields<typeof realFields>, context: RealContext): ReadChecks {
  const over = draftsOf(fields, context)
  const drafts = over ? (layDrafts(context.drafts, over, context) ?? []) : null
  const read = drafts?.map(draft => readCheck(draft, context.facts.protocol, context))
  const uses = read ? read.filter(use => use !== null) : context.uses
  const areRight = read ? read.length === uses.length : context.usesAreRight
  const layers = [fields, context.own, context.defaults]
  const need = readNeed(settle(realFields, 'need', layers), uses.length)
  if (areRight) judgeNeed(need, uses.length, placeOf('need', layers), context)
  return { uses, need: Math.min(need, uses.length) }
}

// ---------------------------------------------------------------- fallback

export function readFallback(node: RawNode, context: RealContext): PlacedFallback | null {
  const entries = entriesOf(node, ['address', 'forwarding'], 'a fallback', 'BAD_FALLBACK', context)
  if (!entries) return null
  const fields = readFields(entries, fallbackFields, { what: 'a fallback', at: node.at }, context.report)
  const forwarding = readForwarding(fields, context)
  const endpoint = endpointOf(fields, context)
  if (!endpoint) return null
  const at = fields.valueAt('address')
  const port = portFor(endpoint, at, forwarding.forwarding, context)
  judgeAddress(endpoint, at, forwarding.forwarding, 'a fallback', context)
  const attributes = { ...forwarding, weight: 1, upper: 0, lower: 0 }
  return { fallback: { host: endpoint.host, address: endpoint.address, port, attributes }, at }
}

export interface PlacedFallback {
  readonly fallback: Fallback
  readonly at: Position
}

/** Tells the fallback of a default whose address is of the other family, without reading the rest of it. */
export function isForFamily(node: RawNode, { facts }: RealContext): boolean {
  const address = node.kind === 'map' ? node.entries.find(({ key }) => key === 'address')?.value : node
  const [word = ''] = (textOf(address) ?? '').split(/\s/)
  const family = /^\[|:.*:/.test(word) ? 'ipv6' : /^[\d.]+(:|$)/.test(word) ? 'ipv4' : null
  return family === null || facts.family === null || family === facts.family
}
