/** Reads one virtual service: its identity in the kernel, scheduling, real servers and fallback. */
import { isName, literalAddress } from '../../core/address.js'
import { serves, TUNNELS } from '../../core/kernel-services.js'
import { type CheckUse, keyAsWritten, type Real, type Service, type Virtual } from '../../core/model.js'
import type { Multihomed } from '../../core/multihomed.js'
import { nameOfReal } from '../../overrides/command-overrides.js'
import { eachInSteps, type Sliced } from '../../util/time-slice.js'
import { lineOf, type Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'
import { mergeLayers, outputOf } from '../read/layers.js'
import { readingEntry } from '../read/read-node.js'
import { plainServiceFields, serviceFields, serviceNode } from '../schema/schema.js'
import { draftsOf, layDrafts } from './check-drafts.js'
import { readCheck } from './checks.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'
import { type Identity, readIdentities } from './identity.js'
import { reportLoopback } from './loopback.js'
import { readMail } from './mail.js'
import { settleOnDown } from './on-down.js'
import { type Part, partsOf } from './parts.js'
import type { RealContext } from './real-context.js'
import {
  type FallbackFields,
  isForFamily,
  isTunnelled,
  type PlacedFallback,
  type PlacedReal,
  readFallback,
  readRealsAt,
} from './reals.js'
import { readScheduling } from './scheduling.js'
import { judgeSlowStart } from './slow-start.js'
import { readWindows } from './windows.js'
import { familyWord } from './words.js'

/** A service with the positions of its virtual addresses or firewall mark; the first one first. */
export interface PlacedService {
  readonly service: Service
  readonly at: Position
  readonly places: readonly { readonly virtual: Virtual; readonly at: Position }[]
}

/** Can be interrupted after some real servers. */
export function* readingService(
  entry: RawEntry,
  defaults: DefaultsFields,
  context: Context,
): Sliced<readonly PlacedService[]> {
  judgeName(entry, context)
  const own = yield* readingEntry(entry, serviceNode, context)
  if (!own) return []
  yield
  const services: PlacedService[] = []
  for (const part of partsOf(entry.key, own, context)) {
    const service = yield* readingPart(part, own, defaults, context)
    if (service) services.push(service)
  }
  return services
}

/** Reads one service of the kernel. A mistake that all parts have is at one position, so it is reported once. */
function* readingPart(
  part: Part,
  own: ServiceFields,
  defaults: DefaultsFields,
  context: Context,
): Sliced<PlacedService | null> {
  const identities = readIdentities(part, own, defaults, context)
  const isFirst = part.of === null || part.of.first === part.name
  const shared = factsOf(identities)
  const realContext = realContextOf(own, defaults, shared, context)
  const written = yield* readingReals(own, realContext)
  const reals = written.flat()
  const multihomed = multihomedOf(written)
  const addresses = identities.map(({ virtual, facts, at }) => {
    const fallback = fallbackOf(own, { ...realContext, facts })
    judgeFallback(fallback, reals, context)
    if (isFirst) reportLoopback(reals, fallback, realContext)
    const { families } = shared
    const attributes = readScheduling(own, defaults, families ? { ...facts, families } : facts, context)
    return { virtual, at, attributes, fallback }
  })
  judgeFallbacks(own, addresses, realContext)
  const mail = readMail(own, defaults, context)
  const places = addresses.flatMap(({ virtual, at }) => (virtual ? [{ virtual, at }] : []))
  const [first, ...others] = addresses
  const [place] = places
  if (!first || !place || places.length < addresses.length) return null
  const { attributes } = first
  const further = others.map(({ fallback, attributes }, i) => ({
    virtual: places[i + 1]?.virtual ?? place.virtual,
    attributes,
    fallback: fallback?.fallback ?? null,
  }))
  const plain = outputOf(plainServiceFields, [own, defaults])
  const realsOfService = reals.map(({ real }) => real)
  judgeSlowStart({ ...plain, attributes, reals: realsOfService }, own, defaults, context)
  const listed = own.values.reals?.flatMap(fields => fields?.values.address ?? [null])
  const areReals = reals.length === listed?.length
  const owner = {
    name: part.name,
    ...(part.of && { part: part.of }),
    reals: areReals ? realsOfService : null,
  }
  const windows = readWindows(own, defaults, owner, context)
  const service: Service = {
    name: part.name,
    ...(part.of && { part: part.of }),
    ...plain,
    ...settleOnDown(plain, own, defaults, context),
    virtual: place.virtual,
    attributes,
    ...(further.length > 0 && { also: further }),
    fallback: first.fallback?.fallback ?? null,
    // The parts share one health. Only the first one has these keys, so that each result and each mail appears once.
    monitorfile: isFirst ? plain.monitorfile : null,
    mail: isFirst ? mail : null,
    reals: realsOfService,
    ...(multihomed.length > 0 && { multihomed }),
    ...(windows.length > 0 && { windows }),
  }
  return { service, at: place.at, places }
}

/** Returns the facts for what the addresses share. */
function factsOf(identities: readonly Identity[]): ServiceFacts {
  const [first] = identities
  if (!first) throw new Error('a service without an identity')
  if (identities.length === 1) return first.facts
  const families = new Set(identities.flatMap(({ facts }) => facts.family ?? []))
  return { ...first.facts, families: [...families] }
}

function judgeName({ key, keyAt }: RawEntry, { report }: Context): void {
  if (/^[^\s\p{Cc}]{1,128}$/u.test(key)) return
  report.error('BAD_NAME', keyAt, 'the name of a service has 1 to 128 characters, without blanks')
}

/** Reports a part that has the name of another service, such as `mail/25`. */
export function judgePartNames(services: readonly PlacedService[], { report }: Context): void {
  const names = new Set<string>()
  for (const { service, at } of services) {
    if (names.has(service.name) && (service.part || service.name.includes('/')))
      report.error('DUPLICATE_SERVICE', at, `"${service.name}" is the name of two services: rename one`)
    names.add(service.name)
  }
}

// ---------------------------------------------------------------- collisions

/** Reports services that are the same service for the kernel. */
export function judgeCollisions(services: readonly PlacedService[], { report }: Context): void {
  const first = new Map<string, { readonly service: Service; readonly at: Position }>()
  for (const { service, places } of services)
    for (const { virtual, at } of places) {
      const key = collisionKey(virtual)
      const before = first.get(key)
      if (!before) first.set(key, { service, at })
      else if (before.service === service)
        report.error('COLLIDING_SERVICES', at, `"${service.name}" has this address already: ${key}`)
      else
        report.error(
          'COLLIDING_SERVICES',
          at,
          `"${service.name}" is the same service as "${before.service.name}" in ${lineOf(before.at, at, report.file)}: ${key}`,
        )
    }
}

function collisionKey(virtual: Virtual): string {
  if (virtual.kind === 'fwmark' || !isName(virtual.host)) return keyAsWritten(virtual)
  const { protocol, host, port, family } = virtual
  return `${protocol} ${host.toLowerCase()}:${port} ${family}`
}

// ---------------------------------------------------------------- real servers

function realContextOf(
  own: ServiceFields,
  defaults: DefaultsFields,
  facts: ServiceFacts,
  context: Context,
): RealContext {
  const drafts = layDrafts(draftsOf(defaults, context), draftsOf(own, context), context)
  const isOwn = own.entry('check') ?? own.entry('checks')
  // A mapping without a kind in `defaults` only sets the policy for kinds that services name.
  const complete = (drafts ?? []).filter(draft => draft.kind || draft.isBroken || isOwn)
  const { path } = mergeLayers({ path: serviceFields.path }, [own, defaults]).values
  const read = complete.map(draft => readCheck(draft, { protocol: facts.protocol, path }, context))
  const uses = read.filter(use => use !== null)
  const usesAreRight = uses.length === read.length
  return { ...context, facts, own, defaults, path, drafts, uses, usesAreRight, bySort: new Map() }
}

/** Returns the names of the real servers of each item that has several. */
function multihomedOf(written: readonly (readonly PlacedReal[])[]): Multihomed {
  return written.filter(({ length }) => length > 1).map(item => item.map(({ real }) => nameOfReal(real)))
}

/** Returns the real servers of each item of the list. */
function* readingReals(own: ServiceFields, context: RealContext): Sliced<readonly (readonly PlacedReal[])[]> {
  reportNoReals(own, context)
  const written: (readonly PlacedReal[])[] = []
  yield* eachInSteps(own.values.reals ?? [], fields => {
    written.push(fields ? readRealsAt(fields, context) : [])
  })
  const reals = written.flat()
  judgeDuplicates(reals, context)
  reportMixed(reals, context)
  if (reals.length > 0) reportUnserved(reals, own, context)
  const { facts, report, usesAreRight } = context
  if (usesAreRight && reals.some(({ real }) => real.checks.length === 0))
    report.warn(
      'NO_CHECK',
      own.at,
      `"${facts.name}" has no check: its real servers always count as up; write check: none if that is intended`,
    )
  if (reals.some(({ real }) => isUnproved(real, context)))
    report.warn(
      'AGENT_ALONE',
      own.at,
      `"${facts.name}" has no check but its agents: a server with a silent agent counts as up; add a check, or set silence: down`,
    )
  return written
}

function reportNoReals(own: ServiceFields, { report, facts }: RealContext): void {
  if (!own.entry('reals') && !own.isMisspelt('reals'))
    report.error('MISSING_KEY', own.at, `"${facts.name}" has no reals: the list of its real servers`)
  if (own.values.reals?.length === 0)
    report.warn('NO_REALS', own.keyAt('reals'), `"${facts.name}" has no real servers`)
}

/**
 * True if no check proves that the server is alive. A silent agent does not change the health, so another check is
 * needed.
 */
function isUnproved({ checks }: Real, context: RealContext): boolean {
  const provesLife = ({ kind, options }: CheckUse) => context.checks.get(kind)?.provesLife?.(options) ?? true
  return checks.length > 0 && !checks.some(provesLife)
}

/**
 * Adds a note at the first tunnel to a real server of the other family: the kernel refuses it while the connection sync
 * daemon runs.
 */
function reportMixed(reals: readonly PlacedReal[], { report, facts }: RealContext): void {
  const { families = facts.family ? [facts.family] : [] } = facts
  const frontOf = ({ host, attributes }: Real) => {
    const family = literalAddress(host)?.family
    return family && TUNNELS.has(attributes.forwarding) ? families.find(front => front !== family) : undefined
  }
  const mixed = reals.find(({ real }) => frontOf(real))
  const front = mixed && frontOf(mixed.real)
  if (!mixed || !front) return
  const words = `${familyWord(front === 'ipv6' ? 'ipv4' : 'ipv6')} behind ${familyWord(front)}`
  report.note(
    'MIXED_FAMILY',
    mixed.at,
    `${words}: the kernel refuses this while the connection sync daemon runs (ipvsadm --start-daemon)`,
  )
}

/** Warns about a family of a service with several addresses that no real server can serve. */
function reportUnserved(
  reals: readonly PlacedReal[],
  own: ServiceFields,
  { report, facts }: RealContext,
): void {
  for (const family of facts.families ?? [])
    if (!reals.some(({ real }) => serves(real, family, facts.family)))
      report.warn(
        'NO_REALS',
        own.keyAt('reals'),
        `"${facts.name}" has no real server for its ${familyWord(family)} clients: none has an ${familyWord(family)} address, and none a tunnel`,
      )
}

function judgeDuplicates(reals: readonly PlacedReal[], { report, facts }: RealContext): void {
  const first = new Map<string, PlacedReal>()
  for (const placed of reals) {
    const { host, port } = placed.real
    const key = `${host.toLowerCase()} ${port}`
    const before = first.get(key)
    if (!before) first.set(key, placed)
    else
      report.error(
        'DUPLICATE_REAL',
        placed.at,
        `this real server of "${facts.name}" stands in ${lineOf(before.at, placed.at, report.file)} already`,
      )
  }
}

// ---------------------------------------------------------------- fallback

/**
 * Returns the fallback of an address of the service. If the service has none, returns the first one of `defaults` that
 * has the family of the address.
 */
function fallbackOf(own: ServiceFields, context: RealContext): PlacedFallback | null {
  const fields = own.entry('fallback')
    ? fallbackIn(own.values.fallback ?? [], context)
    : context.defaults.values.fallback?.find(one => one && isForFamily(one, context))
  return fields ? readFallback(fields, context) : null
}

/** The only one of a service with one address is read in any case, so that its mistakes are reported. */
function fallbackIn(all: readonly (FallbackFields | null)[], context: RealContext): FallbackFields | null {
  const fits = (one: FallbackFields) => isForFamily(one, context) || isTunnelled(one, context)
  const found = all.find(one => one && fits(one)) ?? null
  return found ?? (isOneAddress(context.own) ? (all[0] ?? null) : null)
}

function isOneAddress({ values }: ServiceFields): boolean {
  return [values.virtual ?? values.family ?? []].flat().length < 2
}

/** Reports a fallback that no address of the service can have. */
function judgeFallbacks(
  own: ServiceFields,
  addresses: readonly { readonly fallback: PlacedFallback | null }[],
  context: RealContext,
): void {
  if (addresses.length < 2) return
  for (const fields of own.values.fallback ?? []) {
    const at = fields?.valueAt('address')
    if (fields && !addresses.some(({ fallback }) => fallback?.at === at)) readFallback(fields, context)
  }
}

function judgeFallback(
  fallback: PlacedFallback | null,
  reals: readonly PlacedReal[],
  { report }: Context,
): void {
  const same =
    fallback &&
    reals.find(({ real }) => real.host === fallback.fallback.host && real.port === fallback.fallback.port)
  if (same)
    report.warn(
      'FALLBACK_IS_REAL',
      fallback.at,
      `the fallback is the real server in ${lineOf(same.at, fallback.at, report.file)}, too`,
    )
}
