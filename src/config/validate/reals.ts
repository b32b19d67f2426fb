/** Reads the real servers and the fallback of a service. */

import { type Family, literalAddress } from '../../core/address.js'
import { TUNNELS } from '../../core/kernel-services.js'
import type { CheckUse, Fallback, Forwarding, Real } from '../../core/model.js'
import { type Endpoint, isForwardable, readEndpoint } from '../endpoints.js'
import type { Position } from '../problems/problem.js'
import type { Fields } from '../read/fields.js'
import { mergeLayers } from '../read/layers.js'
import { type fallbackFields, realFields } from '../schema/real-fields.js'
import { readAttributes, readForwarding } from './attributes.js'
import { draftsOf, layDrafts } from './check-drafts.js'
import { readCheck } from './checks.js'
import type { ServiceFacts } from './context.js'
import { judgeHostFamily } from './host-family.js'
import { judgeNeed, judgePorts, readNeed } from './need.js'
import { judgePaths } from './paths.js'
import type { RealContext, SharedByReals } from './real-context.js'
import { familyWord } from './words.js'

/** A real server and the position of its address. */
export interface PlacedReal {
  readonly real: Real
  readonly at: Position
}

/** Reads an item of the list of real servers: with a list of addresses, a real server for each of them. */
export function readRealsAt(fields: Fields<typeof realFields>, context: RealContext): readonly PlacedReal[] {
  const { address } = fields.values
  if (!Array.isArray(address))
    return readReal(fields, { text: address, at: fields.valueAt('address') }, context)
  return address.flatMap((text, i) => readReal(fields, { text, at: fields.itemAt('address', i) }, context))
}

interface Written {
  readonly text: string | undefined
  readonly at: Position
}

function readReal(
  fields: Fields<typeof realFields>,
  { text, at }: Written,
  context: RealContext,
): readonly PlacedReal[] {
  const { attributes, checks } = sharedOf(fields, context)
  const endpoint = endpointOf(fields, { text, at }, context)
  if (!endpoint) return []
  const port = portFor(endpoint, at, attributes.forwarding, context)
  judgeAddress(endpoint, at, attributes.forwarding, 'a real server', context)
  const family = familyFor(endpoint, readFamily(fields, endpoint, attributes.forwarding, context), context)
  judgeHost(endpoint, family, at, context)
  judgePorts(checks.uses, endpoint, port, at, context)
  judgePaths(checks.uses, attributes.forwarding, at, context)
  judgeSources(checks.uses, endpoint.address?.family ?? family.family ?? context.facts.family, at, context)
  const real = {
    host: endpoint.host,
    ...family,
    port,
    attributes,
    checks: checks.uses,
    need: checks.need,
  }
  return [{ real, at }]
}

function sharedOf(fields: Fields<typeof realFields>, context: RealContext): SharedByReals {
  const { sort } = fields
  const known = sort && context.bySort.get(sort)
  if (known) return known
  const { told } = context.report
  const shared = { attributes: readAttributes(fields, context), checks: readChecks(fields, context) }
  if (sort && context.report.told === told) context.bySort.set(sort, shared)
  return shared
}

/** A name in a service of several addresses has the family of the first, and keeps it if another one comes first. */
function familyFor(
  { address }: Endpoint,
  read: { readonly family?: Family },
  { facts }: RealContext,
): { readonly family?: Family } {
  if (!facts.families || address || read.family || !facts.family) return read
  return { family: facts.family }
}

function endpointOf(
  fields: Fields<{ address: typeof realFields.address }> | FallbackFields,
  { text, at }: Written,
  context: RealContext,
): Endpoint | null {
  if (text === undefined && !fields.entry('address')) {
    if (!fields.isMisspelt('address'))
      context.report.error('MISSING_KEY', fields.at, "the address is missing: address: '[2001:db8::1]:80'")
    return null
  }
  const { report, ports, facts } = context
  return text === undefined ? null : readEndpoint(text, at, { report, ports, protocol: facts.protocol })
}

// ---------------------------------------------------------------- address and port

/** Returns the port for the kernel's table. It must be the port of the service, unless the forwarding is NAT (masq). */
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
      `with ${forwarding} packets keep the port of the service: write ${facts.port} or remove the port (only masq can change it to ${port})`,
    )
  return port
}

function judgeAddress(
  { address }: Endpoint,
  at: Position,
  forwarding: Forwarding,
  what: string,
  { facts, report, dialect }: RealContext,
): void {
  if (!address || !isForwardable(address, at, what, report)) return
  if (facts.family === null || familiesOf(facts).includes(address.family)) return
  // `tellMixed` reports tunnels once per service, because there may be many.
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

function familiesOf({ families, family }: ServiceFacts): readonly Family[] {
  return families ?? (family === null ? [] : [family])
}

/** Reads `family`. Returns it for a name only: the address of a server has a family already. */
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
  else if (facts.family !== null && !familiesOf(facts).includes(family) && !TUNNELS.has(forwarding))
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

function readChecks(fields: Fields<typeof realFields>, context: RealContext): SharedByReals['checks'] {
  const over = draftsOf(fields, context)
  const drafts = over ? (layDrafts(context.drafts, over, context) ?? []) : null
  const read = drafts?.map(draft =>
    readCheck(draft, { protocol: context.facts.protocol, path: context.path }, context),
  )
  const uses = read ? read.filter(use => use !== null) : context.uses
  const areRight = read ? read.length === uses.length : context.usesAreRight
  const { values, entry } = mergeLayers({ need: realFields.need }, [fields, context.own, context.defaults])
  const need = readNeed(values.need, uses.length)
  if (areRight) judgeNeed(need, uses.length, entry('need')?.value.at, context)
  return { uses, need: Math.min(need, uses.length) }
}

/** Reports a check whose source has another family than its target. `family` is null if it is not known yet. */
function judgeSources(
  uses: readonly CheckUse[],
  family: Family | null,
  at: Position,
  { report }: RealContext,
): void {
  for (const { kind, source, host } of uses) {
    const target = host === null ? family : (literalAddress(host)?.family ?? null)
    if (source === undefined || source === 'kernel' || target === null || source.family === target) continue
    report.error(
      'SOURCE_FAMILY',
      at,
      `the check ${kind} of this real server is over ${familyWord(target)}, its source ${source.text} is not: give it a source of its own, or source: kernel`,
    )
    return
  }
}

// ---------------------------------------------------------------- fallback

export function readFallback(
  fields: Fields<typeof fallbackFields>,
  context: RealContext,
): PlacedFallback | null {
  const forwarding = readForwarding(fields, context)
  const at = fields.valueAt('address')
  const endpoint = endpointOf(fields, { text: fields.values.address, at }, context)
  if (!endpoint) return null
  const port = portFor(endpoint, at, forwarding.forwarding, context)
  judgeAddress(endpoint, at, forwarding.forwarding, 'a fallback', context)
  const family = readFamily(fields, endpoint, forwarding.forwarding, context)
  judgeHost(endpoint, family, at, context)
  const attributes = { ...forwarding, weight: 1, upper: 0, lower: 0 }
  return { fallback: { host: endpoint.host, ...family, port, attributes }, at }
}

export type FallbackFields = Fields<typeof fallbackFields>

/** True if it is reached by a tunnel, and thus from clients of either family. */
export function isTunnelled(fields: FallbackFields, { own, defaults }: RealContext): boolean {
  const { forwarding } = mergeLayers({ forwarding: realFields.forwarding }, [fields, own, defaults]).values
  return TUNNELS.has(forwarding)
}

export interface PlacedFallback {
  readonly fallback: Fallback
  readonly at: Position
}

/**
 * True if the fallback's address can belong to the family of the service. The family of a name is unknown, so a name
 * can.
 */
export function isForFamily({ values }: Fields<typeof fallbackFields>, { facts }: RealContext): boolean {
  const { address = '' } = values
  const family = /^\[|:.*:/.test(address) ? 'ipv6' : /^[\d.]+(:|$)/.test(address) ? 'ipv4' : null
  return family === null || facts.family === null || family === facts.family
}
