/** The table the kernel should hold, computed afresh from configuration, health and what the kernel holds. Pure. */
import {
  type Fallback,
  type HealthState,
  keyOfReal,
  keyOfService,
  type Real,
  type Service,
  type Table,
  type TableReal,
  type TableService,
} from './model.js'

export type StateOf = (service: Service, real: Real) => HealthState
/** The weight of a real server that is up. */
export type WeightOf = (real: Real) => number
/** Whether an entry of the service may be that of a member whose name nobody knows an address of. */
export type MayBe = (service: Service, member: Real | Fallback, entry: TableReal) => boolean

/**
 * What the kernel should hold for these services.
 *
 *   health    in the kernel            wanted
 *   up        either                   in, with the weight that `weightOf` says
 *   down      either                   weight 0 (quiescent) or out
 *   unknown   in                       in, with the weight it has there
 *   unknown   out                      out: nothing gets traffic unchecked
 *
 * The fallback is in when no real server keeps it out; while some are still unknown it stays as the kernel has it.
 * A service whose name does not resolve is left out. While nobody knows what a name of a service stands for, what the
 * kernel has there for nobody else may be its server, and stays; where it can be the fallback alone, as a fallback does.
 */
export function desired(
  services: readonly Service[],
  stateOf: StateOf,
  actual: Table,
  weightOf: WeightOf = real => real.attributes.weight,
  mayBe: MayBe = () => false,
): Table {
  const table = new Map<string, TableService>()
  for (const service of services) {
    if (service.id === null) continue
    const key = keyOfService(service.id)
    table.set(key, {
      id: service.id,
      ...service.attributes,
      reals: realsOf(service, { stateOf, weightOf, mayBe }, actual.get(key)),
    })
  }
  return table
}

/**
 * Whether the kernel's table says that a server was up when it was last written: it is there with a weight, or without one
 * where that does not mean a failure. `null` is a table that has not been read yet: it may hold anything.
 *
 *   in the kernel  service        configured weight  in service
 *   with a weight  any            any                yes
 *   weight 0       quiescent      over 0             no: it failed, or its checks drained it
 *   weight 0       quiescent      0                  yes: drained; it may have been up
 *   weight 0       not quiescent  any                yes: drained; a failed one would have been removed
 *   not there      any            any                no
 */
export function isInService(service: Service, real: Real, actual: Table | null): boolean {
  if (actual === null) return true
  const { id, quiescent } = service
  const entry = id && real.address && tableReal(real)
  const held = entry && actual.get(keyOfService(id))?.reals.get(keyOfReal(entry))
  if (!held) return false
  return held.weight > 0 || !quiescent || real.attributes.weight === 0
}

interface Judges {
  readonly stateOf: StateOf
  readonly weightOf: WeightOf
  readonly mayBe: MayBe
}

function realsOf(
  service: Service,
  { stateOf, weightOf, mayBe }: Judges,
  held: TableService | undefined,
): Map<string, TableReal> {
  const unclaimed = unclaimedIn(service, held)
  const isOf = (member: Real | Fallback, entry: TableReal) => mayBe(service, member, entry)
  const reals = entriesOf(unclaimed.filter(entry => service.reals.some(real => isOf(real, entry))))
  for (const real of service.reals) {
    const state = stateOf(service, real)
    const base = tableReal(real)
    const due = base && state === 'up' ? { ...base, weight: weightOf(real) } : base
    const wanted = due && wantedReal(due, state, service.quiescent, held?.reals.get(keyOfReal(due)))
    // Two names of one server: it gets what the better one of them is due.
    if (wanted && wanted.weight >= (reals.get(keyOfReal(wanted))?.weight ?? 0))
      reals.set(keyOfReal(wanted), wanted)
  }
  const isAvailable = availability(service, stateOf, weightOf)
  const isWanted = isAvailable !== true && ![...reals.values()].some(isServing)
  const fallback = service.fallback && tableReal(service.fallback)
  if (service.fallback && !fallback && isWanted)
    for (const entry of unclaimed) if (isOf(service.fallback, entry)) reals.set(keyOfReal(entry), entry)
  if (fallback && isWanted && (isAvailable === false || isServing(held?.reals.get(keyOfReal(fallback)))))
    reals.set(keyOfReal(fallback), fallback)
  return reals
}

/** What the kernel has for no address of the service: it may be that of a name, where one is in doubt. */
export function unclaimedIn(
  { reals, fallback }: Service,
  held: TableService | undefined,
): readonly TableReal[] {
  const members = fallback ? [...reals, fallback] : reals
  if (!held || members.every(({ address }) => address !== null)) return []
  const claimed = new Set(members.flatMap(member => tableReal(member) ?? []).map(keyOfReal))
  return [...held.reals].filter(([key]) => !claimed.has(key)).map(([, entry]) => entry)
}

function entriesOf(entries: readonly TableReal[]): Map<string, TableReal> {
  return new Map(entries.map(entry => [keyOfReal(entry), entry]))
}

/**
 * Whether a real server of the service keeps the fallback out: true while one does, false when none will, null while that is
 * not known. The table, `fallbackcommand`, the log and the status document all go by this.
 */
export function availability(service: Service, stateOf: StateOf, weightOf: WeightOf): boolean | null {
  let isKnown = true
  for (const real of service.reals) {
    const state = stateOf(service, real)
    if (state === 'up' && suppressesFallback(real, weightOf(real))) return true
    if (state === 'unknown') isKnown = false
  }
  return isKnown ? false : null
}

/**
 * Whether a server that is up, with this weight, stands in the way of the fallback. One that its own checks have drained
 * does not; one that is drained by its configuration does, as with ldirectord.
 */
function suppressesFallback(real: Real, weight: number): boolean {
  return weight > 0 || real.attributes.weight === 0
}

function wantedReal(
  base: TableReal,
  state: HealthState,
  isQuiescent: boolean,
  held: TableReal | undefined,
): TableReal | null {
  if (state === 'up') return base
  if (state === 'down') return isQuiescent ? quiesced(base) : null
  return held ? { ...base, weight: held.weight } : null
}

/** Without thresholds, unless the weight is 0 anyway: to that they mean nothing, and ldirectord's table is the same. */
function quiesced(base: TableReal): TableReal {
  return base.weight === 0 ? base : { ...base, weight: 0, upper: 0, lower: 0 }
}

function tableReal({ address, port, attributes }: Real | Fallback): TableReal | null {
  return address && { address, port, ...attributes }
}

function isServing(real: TableReal | undefined): boolean {
  return real !== undefined && real.weight > 0
}
