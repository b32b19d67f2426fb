/** The real servers and the fallback of a service. */

import type { Family } from '../../core/address.js'
import type { CheckUse, Fallback, Forwarding, Real } from '../../core/model.js'
import { type Endpoint, isForwardable, readEndpoint } from '../endpoints.js'
import type { Position } from '../problems/problem.js'
import { type RawEntry, type RawNode, sortOf } from '../raw.js'
import { type Fields, readFields } from '../read-fields.js'
import { fallbackFields, realFields } from '../schema/schema.js'
import { placeOf, readAttributes, readForwarding } from './attributes.js'
import { draftsOf, layDrafts, readCheck } from './checks.js'
import { type Context, textOf } from './context.js'
import { judgeHostFamily } from './host-family.js'
import { inherit } from './layers.js'
import { judgeNeed, judgePorts, readNeed } from './need.js'
import type { RealContext } from './real-context.js'
import { isNumber, wordsAs } from './short-form.js'
import { familyWord } from './words.js'

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
  const family = readFamily(fields, endpoint, attributes.forwarding, context)
  judgeHost(endpoint, family, fields.valueAt('address'), context)
  judgePorts(checks.uses, endpoint, port, fields, context)
  const real = {
    host: endpoint.host,
    ...family,
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
  if (node.kind === 'scalar' && text !== null) {
    const entries = wordsAs(keys, text, node)
    const misplaced = entries?.find(entry => !isOfItsSort(entry))
    if (entries && !misplaced) return entries
    const form = keys.length > 2 ? SHORT_REAL : SHORT_FALLBACK
    if (misplaced) report.error(code, misplaced.value.at, `${whyMisplaced(misplaced, keys)}; ${form}`)
    else report.error(code, node.at, form)
    return null
  }
  const brackets = node.kind === 'list' ? '; an address in brackets needs quotes round it' : ''
  const message = `${what} is a text or a mapping with an address, not ${sortOf(node)}${brackets}`
  report.error('WRONG_TYPE', node.at, message)
  return null
}

const SHORT_REAL =
  "expected an address, then forwarding and weight if needed: '[2001:db8::1]:80 masq 2'; for anything else write a mapping"
const SHORT_FALLBACK =
  "expected an address, then the forwarding if needed: '[2001:db8::1]:80 masq'; for anything else write a mapping"

/** Weights are numbers, forwardings words: one in the place of the other is a slip of the order. */
function isOfItsSort({ key, value }: RawEntry): boolean {
  if (key === 'address' || value.kind !== 'scalar') return true
  return isNumber(String(value.value)) === (key === 'weight')
}

function whyMisplaced(entry: RawEntry, keys: readonly string[]): string {
  const word = entry.value.kind === 'scalar' ? entry.value.value : ''
  if (entry.key === 'weight') return `the weight is "${word}", which is no number`
  return keys.includes('weight')
    ? `"${word}" stands where the forwarding is expected: a weight comes behind it`
    : `"${word}" stands where the forwarding is expected: a fallback has no weight`
}

function endpointOf(
  fields: Fields<{ address: typeof realFields.address }>,
  context: RealContext,
): Endpoint | null {
  if (!fields.entry('address')) {
    if (!fields.isMisspelt('address'))
      context.report.error('MISSING_KEY', fields.at, "the address is missing: address: '[2001:db8::1]:80'")
    return null
  }
  const { address } = fields.values
  const { report, ports, facts } = context
  return address === undefined
    ? null
    : readEndpoint(address, fields.valueAt('address'), { report, ports, protocol: facts.protocol })
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
  { facts, report, dialect }: RealContext,
): void {
  if (!address || !isForwardable(address, at, what, report)) return
  if (facts.family === null || address.family === facts.family) return
  // Of tunnels the service tells once: they may be many.
  if (TUNNELS.has(forwarding)) return
  const remedy = facts.isFwmark
    ? `; for a mark of ${familyWord(address.family)} packets write ${dialect.familyWord[address.family]}`
    : ''
  report.error(
    'FAMILY_MISMATCH',
    at,
    `${what} over ${familyWord(address.family)} in a service over ${familyWord(facts.family)} needs a tunnel: ipip, gue or gre, not ${forwarding} (and no connection sync daemon)${remedy}`,
  )
}

/** `family` of a server, where it says more than its address and its service do. */
function readFamily(
  fields: Fields<{ family: typeof realFields.family }>,
  { address, host }: Endpoint,
  forwarding: Forwarding,
  { facts, report }: RealContext,
): { readonly family?: Family } {
  const { family } = fields.values
  if (family === undefined) return {}
  const at = fields.valueAt('family')
  if (address && address.family !== family)
    report.error('FAMILY_MISMATCH', at, `${host} is ${familyWord(address.family)}, not ${familyWord(family)}`)
  else if (facts.family !== null && family !== facts.family && !TUNNELS.has(forwarding))
    report.error(
      'FAMILY_MISMATCH',
      at,
      `${familyWord(family)} in a service over ${familyWord(facts.family)} needs a tunnel: ipip, gue or gre, not ${forwarding} (and no connection sync daemon)`,
    )
  return address ? {} : { family }
}

function judgeHost(
  { host, address }: Endpoint,
  { family }: { readonly family?: Family },
  at: Position,
  context: RealContext,
): void {
  if (!address) judgeHostFamily(host, family ?? context.facts.family, at, context)
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
  const need = readNeed(inherit(realFields, 'need', layers), uses.length)
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
  const family = readFamily(fields, endpoint, forwarding.forwarding, context)
  judgeHost(endpoint, family, at, context)
  const attributes = { ...forwarding, weight: 1, upper: 0, lower: 0 }
  return { fallback: { host: endpoint.host, ...family, port, attributes }, at }
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
