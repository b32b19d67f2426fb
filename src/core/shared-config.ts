/**
 * Lets a new configuration consist of the objects of the one before, where they are equal. The parts of lvsd recognize
 * what has not changed by its identity, so a reload costs in proportion to what has. Pure.
 */
import { isSameValue } from '../util/same-value.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import type { Config, Real, Service } from './model.js'

/** Returns `after`; each service and real server that is equal to one of `before` is that object. */
export function sharedWith<C extends Pick<Config, 'services'>>(before: C, after: C): C {
  return runSync(sharingWith(before, after))
}

/** Same as `sharedWith`, in time slices. */
export function* sharingWith<C extends Pick<Config, 'services'>>(before: C, after: C): Sliced<C> {
  const known = new Map(before.services.map(service => [service.name, service]))
  const services: Service[] = []
  for (const service of after.services) services.push(yield* sharedService(known.get(service.name), service))
  return Object.freeze({ ...after, services: Object.freeze(services) })
}

function* sharedService(before: Service | undefined, after: Service): Sliced<Service> {
  if (before === undefined || before === after) return after
  const known = new Map(before.reals.map(real => [placeOf(real), real]))
  const reals: Real[] = []
  yield* eachInSteps(after.reals, real => {
    const old = known.get(placeOf(real))
    const isKept = old !== undefined && isSameValue(old, real)
    // No object stands for two real servers.
    if (isKept) known.delete(placeOf(real))
    reals.push(isKept ? old : real)
  })
  const isSame =
    reals.length === before.reals.length &&
    reals.every((real, i) => real === before.reals[i]) &&
    isSameValue({ ...before, reals: null }, { ...after, reals: null })
  return isSame ? before : Object.freeze({ ...after, reals: Object.freeze(reals) })
}

function placeOf({ host, port }: Real): string {
  return `${host} ${port}`
}

/** Returns the services of `config` that are not objects of the other configuration. */
export function unsharedIn<S extends Service>(
  config: { readonly services: readonly S[] },
  other: { readonly services: readonly S[] },
): readonly S[] {
  const shared = new Set(other.services)
  return config.services.filter(service => !shared.has(service))
}

/** Returns what is in the first list alone, and what is in the second list alone. */
export function differingOf<S>(
  before: readonly S[],
  next: readonly S[],
): readonly [readonly S[], readonly S[]] {
  const [old, now] = [new Set(before), new Set(next)]
  return [before.filter(one => !now.has(one)), next.filter(one => !old.has(one))]
}
