/** Records since when each real server has its current state, which results from all its checks and holds. */
import { type HealthState, keyOfMember, type ResolvedReal, type ResolvedService } from '../core/model.js'
import { differingOf } from '../core/shared-config.js'
import { eachInSteps, type Sliced } from '../util/time-slice.js'

const NONE: readonly never[] = []

export interface Standing {
  readonly state: HealthState
  /** Time of the last change, in milliseconds of the steady clock. */
  readonly since: number
  /** What an earlier run of lvsd knew, while the state is unknown. */
  readonly remembered?: Pick<Standing, 'state' | 'since'> | null
}

export class Standings {
  readonly #byReal = new Map<ResolvedReal, Standing>()

  of(real: ResolvedReal): Standing | undefined {
    return this.#byReal.get(real)
  }

  /**
   * Records the state of a server. `now` is stored only if the state differs from the recorded one, and from that of an
   * earlier run.
   */
  note(real: ResolvedReal, state: HealthState, now: number): void {
    const standing = this.#byReal.get(real)
    if (standing?.state === state) return
    this.#set(real, state, now, standing?.remembered ?? null)
  }

  #set(real: ResolvedReal, state: HealthState, now: number, remembered: Standing['remembered']): void {
    if (state === 'unknown') this.#byReal.set(real, { state, since: now, ...(remembered && { remembered }) })
    else this.#byReal.set(real, { state, since: remembered?.state === state ? remembered.since : now })
  }

  /** Takes the next configuration. A server that was in the previous one keeps its record. */
  follow(
    { left, heirs }: StandingSuccession,
    stateOf: (real: ResolvedReal) => HealthState,
    now: number,
    recall: (service: ResolvedService, real: ResolvedReal) => Standing['remembered'] = () => null,
  ): void {
    const known = heirs.map(({ old }) => old && this.#byReal.get(old))
    for (const real of left) this.#byReal.delete(real)
    for (const [i, { service, real, mayBeRecalled }] of heirs.entries()) {
      const standing = known[i]
      if (standing) this.#byReal.set(real, standing)
      else this.#set(real, stateOf(real), now, mayBeRecalled ? recall(service, real) : null)
    }
  }
}

/** The real servers whose records go to others. It follows from both configurations alone. */
export interface StandingSuccession {
  /** Real servers that are the same objects in a service of the same name and address. */
  readonly staying: ReadonlySet<ResolvedReal>
  readonly left: readonly ResolvedReal[]
  /** For each heir the servers of before that it may be, the likeliest first. */
  readonly olds: ReadonlyMap<ResolvedReal, readonly ResolvedReal[]>
  readonly heirs: readonly {
    readonly service: ResolvedService
    readonly real: ResolvedReal
    /** The first of `olds`; null without one. */
    readonly old: ResolvedReal | null
    /** True if an earlier run of lvsd may have known it. */
    readonly mayBeRecalled: boolean
  }[]
}

/** The servers whose clocks go on, and those that take over from others. */
export type Successors = Pick<StandingSuccession, 'staying' | 'olds'>

/** Prepares `follow` of the next configuration, in time slices. */
export function* succeedingStandings(
  before: readonly ResolvedService[],
  next: readonly ResolvedService[],
  mayRecall: (service: ResolvedService, real: ResolvedReal) => boolean = () => false,
): Sliced<StandingSuccession> {
  const [gone, fresh] = differingOf(before, next)
  const staying = realsStaying(gone, fresh)
  const left: ResolvedReal[] = []
  const known = new Map<string, ResolvedReal>()
  for (const service of gone)
    yield* eachInSteps(service.reals, real => {
      if (staying.has(real)) return
      left.push(real)
      for (const key of keysOf(service, real)) known.set(key, real)
    })
  const olds = new Map<ResolvedReal, readonly ResolvedReal[]>()
  const heirs: StandingSuccession['heirs'][number][] = []
  for (const service of fresh)
    yield* eachInSteps(service.reals, real => {
      if (staying.has(real)) return
      const found = known.size === 0 ? NONE : keysOf(service, real).flatMap(key => known.get(key) ?? [])
      const old = found[0] ?? null
      if (old) olds.set(real, found.length > 1 ? [...new Set(found)] : found)
      heirs.push({ service, real, old, mayBeRecalled: !old && mayRecall(service, real) })
    })
  return { staying, left, olds, heirs }
}

/** Returns the value of the first of these servers that has one. */
export function firstOf<V>(
  reals: readonly ResolvedReal[] = [],
  values: ReadonlyMap<ResolvedReal, V>,
): V | undefined {
  for (const real of reals) {
    const value = values.get(real)
    if (value !== undefined) return value
  }
  return undefined
}

/** Returns the real servers that are the same objects in a service of the same name and address. */
function realsStaying(
  gone: readonly ResolvedService[],
  fresh: readonly ResolvedService[],
): ReadonlySet<ResolvedReal> {
  const byName = new Map(gone.map(service => [service.name, service]))
  const staying = new Set<ResolvedReal>()
  for (const now of fresh) {
    const old = byName.get(now.name)
    if (!old || old.also || now.also || addressIn(old) !== addressIn(now)) continue
    const before = new Set(old.reals)
    for (const real of now.reals) if (before.has(real)) staying.add(real)
  }
  return staying
}

function addressIn({ id, virtual }: ResolvedService): string {
  return textOf(id ?? virtual)
}

/**
 * Returns the keys of a real server: a service is identified by its virtual address, or else by its name, or else by one
 * of its further addresses, which may have been a service of its own before.
 */
export function keysOf(
  service: Pick<ResolvedService, 'name' | 'id' | 'virtual' | 'also'>,
  real: Pick<ResolvedReal, 'host' | 'port'>,
): string[] {
  const byAddress = (id: Identity) => keyOfMember({ name: textOf(id) }, real)
  const others = (service.also ?? []).map(({ id }) => byAddress(id))
  return [byAddress(service.id ?? service.virtual), keyOfMember(service, real), ...others]
}

type Identity = NonNullable<ResolvedService['id']> | ResolvedService['virtual']

/** Each server of a service asks for the text of its service. */
const texts = new WeakMap<Identity, string>()

function textOf(id: Identity): string {
  const known = texts.get(id) ?? JSON.stringify(id)
  texts.set(id, known)
  return known
}
