/** Records since when each real server has its current state, which results from all its checks and holds. */
import { type HealthState, keyOfMember, type ResolvedReal, type ResolvedService } from '../core/model.js'
import { differingOf } from '../core/shared-config.js'

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
    before: readonly ResolvedService[],
    next: readonly ResolvedService[],
    stateOf: (real: ResolvedReal) => HealthState,
    now: number,
    recall: (service: ResolvedService, real: ResolvedReal) => Standing['remembered'] = () => null,
  ): void {
    const [gone, fresh] = differingOf(before, next)
    const staying = realsStaying(gone, fresh)
    const known = new Map<string, Standing>()
    for (const service of gone)
      for (const real of service.reals) {
        if (staying.has(real)) continue
        const standing = this.#byReal.get(real)
        this.#byReal.delete(real)
        if (standing) for (const key of keysOf(service, real)) known.set(key, standing)
      }
    for (const service of fresh)
      for (const real of service.reals) {
        if (staying.has(real)) continue
        const standing = keysOf(service, real).flatMap(key => known.get(key) ?? [])[0]
        if (standing) this.#byReal.set(real, standing)
        else this.#set(real, stateOf(real), now, recall(service, real))
      }
  }
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
