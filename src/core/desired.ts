/** Computes the desired table from configuration, health and the actual table. Pure. */
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import { inAll, kernelServices, kernelServicesOf } from './kernel-services.js'
import {
  keyOfReal,
  keyOfService,
  type ResolvedMember,
  type ResolvedReal,
  type ResolvedService,
  type Table,
  type TableReal,
  type TableService,
} from './model.js'
import type { Disposition } from './override.js'

/** State and weight of a real server, from its checks and its override. */
export type DispositionOf = (service: ResolvedService, real: ResolvedReal) => Disposition
/**
 * What the table has of a server that is down: nothing, its entry at weight 0, or its entry with the weight that it had
 * before a panic (panic.ts). The rules of `on-down` (on-down.ts), or the key `quiescent`, decide the first two.
 */
export type DownAs = 'removed' | 'quiesced' | { readonly heldAt: number }
export type DownAsOf = (service: ResolvedService, real: ResolvedReal) => DownAs
/** True if an entry of the actual table may belong to this member, whose name has no known address. */
export type MayBe = (service: ResolvedService, member: ResolvedMember, entry: TableReal) => boolean

/**
 * Returns the desired table for these services. `actual` is the actual table.
 *
 *   state          in `actual`   in the desired table
 *   up             yes or no     yes, with the weight of the disposition
 *   down           yes or no     as `downAs` says: no; weight 0; or held by a panic: yes, with the weight that it
 *                                had, or that of an override
 *   unknown        yes           yes, with its weight in `actual`, or the weight of an override
 *   unknown        no            no: an unchecked server gets no traffic
 *   out (disable)  yes or no     no
 *
 * The fallback is in the desired table if no real server keeps it out. While the health of some real servers is
 * unknown, the fallback stays as it is in `actual`.
 *
 * A service whose virtual address does not resolve is left out. While the name of a real server has no known address,
 * an entry of `actual` that belongs to no other member may be that server, so the entry stays. If such an entry can
 * only be the fallback, the rule for the fallback applies to it.
 */
export function desired(
  services: readonly ResolvedService[],
  dispositionOf: DispositionOf,
  actual: Table,
  mayBe: MayBe = () => false,
  downAs: DownAsOf = asConfigured,
): Table {
  return runSync(desiring(services, dispositionOf, actual, mayBe, downAs))
}

/** Same as `desired`, in time slices: each real server as it is at its step. */
export function* desiring(
  services: readonly ResolvedService[],
  dispositionOf: DispositionOf,
  actual: Table,
  mayBe: MayBe = () => false,
  downAs: DownAsOf = asConfigured,
): Sliced<Table> {
  const table = new Map<string, TableService>()
  for (const service of services.flatMap(kernelServices)) {
    if (service.id === null) continue
    const key = keyOfService(service.id)
    const reals = yield* realsOf(service, { dispositionOf, mayBe, downAs }, actual.get(key))
    table.set(key, { id: service.id, ...service.attributes, reals })
  }
  return table
}

/**
 * True if the actual table shows that the real server was up when the table was last written: the entry exists, and its
 * weight does not mean a failure. `actual` is null if the table has not been read yet; the result is then true.
 * `isDrained`: an override sets the weight to 0.
 *
 *   entry in `actual`   service         configured weight   override   result
 *   weight over 0       any             any                 any        true
 *   weight 0            quiescent       over 0              none       false: it failed, or its checks drained it
 *   weight 0            quiescent       over 0              drained    true: it may have been up
 *   weight 0            quiescent       0                   any        true: drained; it may have been up
 *   weight 0            not quiescent   any                 any        true: drained; lvsd removes a failed server
 *   none                any             any                 any        false
 */
export function isInService(
  service: ResolvedService,
  real: ResolvedReal,
  actual: Table | null,
  isDrained = false,
): boolean {
  if (actual === null) return true
  // A server that one address has in service is in service: it must not leave at its first failure.
  return kernelServicesOf(service, real).some(one => isIn(one, real, actual, isDrained))
}

function isIn(service: ResolvedService, real: ResolvedReal, actual: Table, isDrained: boolean): boolean {
  const { id, quiescent } = service
  const entry = id && entryOf(real)
  const held = entry && actual.get(keyOfService(id))?.reals.get(entry.key)
  if (!held) return false
  return held.weight > 0 || !quiescent || real.attributes.weight === 0 || isDrained
}

/** Without rules for servers that are down. */
export const asConfigured: DownAsOf = ({ quiescent }) => (quiescent ? 'quiesced' : 'removed')

interface Judges {
  readonly dispositionOf: DispositionOf
  readonly downAs: DownAsOf
  readonly mayBe: MayBe
}

/** Each real server is asked once, so that it and the fallback are of one moment also where a table is computed in slices. */
function* realsOf(
  service: ResolvedService,
  { dispositionOf, mayBe, downAs }: Judges,
  held: TableService | undefined,
): Sliced<Map<string, TableReal>> {
  const unclaimed = unclaimedIn(service, held)
  const isOf = (member: ResolvedMember, entry: TableReal) => mayBe(service, member, entry)
  const reals = entriesOf(unclaimed.filter(entry => service.reals.some(real => isOf(real, entry))))
  let isAvailable = false as boolean | null
  yield* eachInSteps(service.reals, real => {
    const disposition = dispositionOf(service, real)
    const as = isDown(disposition) ? downAs(service, real) : null
    isAvailable = either(isAvailable, keepsFallbackOut(real, disposition, as))
    const entry = entryOf(real)
    if (!entry) return
    const { key } = entry
    const wanted = wantedReal(entry.real, disposition, as, held?.reals.get(key))
    // Two names can resolve to the same server. The entry then gets the higher of the two weights.
    if (wanted && wanted.weight >= (reals.get(key)?.weight ?? 0)) reals.set(key, wanted)
  })
  const isWanted = isAvailable !== true && ![...reals.values()].some(isServing)
  const fallback = service.fallback && entryOf(service.fallback)
  if (service.fallback && !fallback && isWanted)
    for (const entry of unclaimed) if (isOf(service.fallback, entry)) reals.set(keyOfReal(entry), entry)
  if (fallback && isWanted && (isAvailable === false || isServing(held?.reals.get(fallback.key))))
    reals.set(fallback.key, fallback.real)
  return reals
}

/**
 * Returns the entries of `held` that match no address of the service. While a name of the service has no known address,
 * such an entry may belong to it. Empty if every name has an address.
 */
export function unclaimedIn(
  { reals, fallback }: ResolvedService,
  held: TableService | undefined,
): readonly TableReal[] {
  const members = fallback ? [...reals, fallback] : reals
  if (!held || members.every(({ address }) => address !== null)) return []
  const claimed = new Set(members.map(member => entryOf(member)?.key))
  return [...held.reals].filter(([key]) => !claimed.has(key)).map(([, entry]) => entry)
}

function entriesOf(entries: readonly TableReal[]): Map<string, TableReal> {
  return new Map(entries.map(entry => [keyOfReal(entry), entry]))
}

/**
 * Reports whether a real server of the service keeps the fallback out: true if one does, false if none does, null while
 * results are missing. With several addresses, each must have such a server. The table, `fallbackcommand`, the log and
 * the status document all use this result.
 */
export function availability(
  service: ResolvedService,
  dispositionOf: DispositionOf,
  downAs: DownAsOf = asConfigured,
): boolean | null {
  return inAll(kernelServices(service).map(one => availabilityAt(one, dispositionOf, downAs)))
}

function availabilityAt(
  service: ResolvedService,
  dispositionOf: DispositionOf,
  downAs: DownAsOf,
): boolean | null {
  let isAvailable = false as boolean | null
  for (const real of service.reals) {
    const disposition = dispositionOf(service, real)
    const as = isDown(disposition) ? downAs(service, real) : null
    isAvailable = either(isAvailable, keepsFallbackOut(real, disposition, as))
    if (isAvailable) return true
  }
  return isAvailable
}

/** True if one of both is; else null if one of both is not known. */
function either(a: boolean | null, b: boolean | null): boolean | null {
  if (a || b) return true
  return a === null || b === null ? null : false
}

/** True if `downAs` says what the table has of the server. */
function isDown({ state, isOut }: Disposition): boolean {
  return state === 'down' && !isOut
}

/** Null while results of the real server are missing. `as` is null unless it is down. */
function keepsFallbackOut(real: ResolvedReal, disposition: Disposition, as: DownAs | null): boolean | null {
  if (as !== null) return isHeld(as, disposition)
  if (disposition.state === 'up') return suppressesFallback(real, disposition)
  return disposition.state === 'unknown' && disposition.override !== 0 ? null : false
}

/** True if a panic keeps a server in the table that is down, with a weight: the table stays as it was before. */
function isHeld(as: DownAs, { override }: Disposition): boolean {
  return typeof as === 'object' && (override ?? as.heldAt) > 0
}

/**
 * True if a real server that is up keeps the fallback out. A server that its checks or an override have drained does
 * not; a server with configured weight 0 does, as in ldirectord.
 */
function suppressesFallback(real: ResolvedReal, { weight, override }: Disposition): boolean {
  return weight > 0 || (real.attributes.weight === 0 && override === null)
}

function wantedReal(
  base: TableReal,
  { state, weight, override, isOut }: Disposition,
  as: DownAs | null,
  held: TableReal | undefined,
): TableReal | null {
  if (isOut) return null
  if (state === 'up') return base.weight === weight ? base : { ...base, weight }
  if (as !== null) return wantedDown(base, as, override)
  return held ? { ...base, weight: override ?? held.weight } : null
}

function wantedDown(base: TableReal, as: DownAs, override: number | null): TableReal | null {
  if (typeof as === 'object') return { ...base, weight: override ?? as.heldAt }
  return as === 'quiesced' ? quiesced(base) : null
}

/**
 * Returns the entry at weight 0, without thresholds: they have no effect at weight 0, and ldirectord removes them too.
 * An entry with configured weight 0 is returned unchanged.
 */
function quiesced(base: TableReal): TableReal {
  return base.weight === 0 ? base : { ...base, weight: 0, upper: 0, lower: 0 }
}

/** What the table has of a member with its configured weight, and its key within the service. */
interface Entry {
  readonly real: TableReal
  readonly key: string
}

/** Made once: each result of a server has the table of its service computed, which may have thousands. */
const entries = new WeakMap<ResolvedMember, Entry>()

function entryOf(member: ResolvedMember): Entry | null {
  const { address, port, attributes } = member
  if (!address) return null
  const known = entries.get(member)
  if (known) return known
  const entry = { real: { address, port, ...attributes }, key: keyOfReal({ address, port }) }
  entries.set(member, entry)
  return entry
}

function isServing(real: TableReal | undefined): boolean {
  return real !== undefined && real.weight > 0
}
