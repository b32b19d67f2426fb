/** Watches clients' connections for servers that are up and do not answer them. */
import { idsOf } from '../core/kernel-services.js'
import {
  keyOfReal,
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type ServiceId,
  type Table,
} from '../core/model.js'
import type { CheckState } from '../health/check-state.js'
import type { HealthStore } from '../health/health-store.js'
import { ActiveGrowth, type ActiveGrowthParts } from '../hints/active-growth.js'
import { HalfOpen, type HalfOpenParts } from '../hints/half-open.js'
import { ConnectionList } from '../ipvs/connection-list.js'
import type { Kernel } from '../ipvs/kernel.js'
import { steadyNow, systemClock } from '../util/clock.js'

export interface HalfOpenSettings
  extends Pick<HalfOpenParts, 'log' | 'onHint'>,
    Pick<ActiveGrowthParts, 'attempts'> {
  readonly kernel: Pick<Kernel, 'active'>
  table(): Table | null
  store(): HealthStore
}

/** Watches the list of connections, and the number of those that are active. */
export function openHalfOpen({ kernel, table, store, attempts, ...parts }: HalfOpenSettings): {
  close(): Promise<unknown>
} {
  const statesOf = stateFinder(store)
  const common = { ...parts, clock: systemClock, jobsOf: jobFinder(table, statesOf) }
  const list = new HalfOpen({
    ...{ ...common, list: new ConnectionList() },
    upFor: (service, real) => upFor(statesOf(service, real), steadyNow()),
  })
  const growth = new ActiveGrowth({
    ...{ ...common, kernel, attempts },
    services: () => [...(table()?.values() ?? [])].map(({ id }) => id).filter(isOverTcp),
  })
  return { close: () => Promise.all([list.close(), growth.close()]) }
}

type StatesOf = (service: string, real: string) => readonly CheckState[]

/** Returns the jobs of a real server of the kernel's table that gets new connections, else none. */
export function jobFinder(
  table: () => Table | null,
  statesOf: StatesOf,
): (service: string, real: string) => readonly string[] {
  return (service, real) => {
    // A server that gets no new connections has been judged already.
    if (!table()?.get(service)?.reals.get(real)?.weight) return []
    const ids = new Set<string>()
    // The connections of a check through the path of the service are in the list themselves.
    for (const { subscriber } of statesOf(service, real))
      if (subscriber.use.path === undefined) ids.add(subscriber.jobId)
    return [...ids]
  }
}

/** Returns the seconds for which all of these that are up have been so; 0 if none is. */
export function upFor(states: readonly Pick<CheckState, 'health'>[], now: number): number {
  const ups = states.filter(({ health }) => health.state === 'up')
  return ups.length === 0 ? 0 : (now - Math.max(...ups.map(({ health }) => health.since))) / 1000
}

/** Returns the states of the checks of a real server, by its keys in the kernel's table. */
export function stateFinder(store: () => Pick<HealthStore, 'config' | 'checkStatesOf'>): StatesOf {
  let services: readonly ResolvedService[] = []
  let byKey: ReadonlyMap<string, readonly ResolvedService[]> = new Map()
  /** A fault before many servers asks for each of them in one turn. */
  const servicesOf = (key: string) => {
    const now = store().config?.services ?? []
    if (now !== services) byKey = servicesByKey(now)
    services = now
    return byKey.get(key) ?? []
  }
  return (service, real) =>
    servicesOf(service).flatMap(({ reals }) =>
      reals.flatMap(server => (keyOf(server) === real ? store().checkStatesOf(server) : [])),
    )
}

/** Two services may have the same key while a name has no address, or by mistake. */
function servicesByKey(
  services: readonly ResolvedService[],
): ReadonlyMap<string, readonly ResolvedService[]> {
  const found = new Map<string, ResolvedService[]>()
  for (const service of services)
    for (const id of idsOf(service)) {
      const key = keyOfService(id)
      const known = found.get(key)
      if (known) known.push(service)
      else found.set(key, [service])
    }
  return found
}

/** A firewall mark may be for any protocol. */
function isOverTcp(id: ServiceId): boolean {
  return id.kind === 'address' && id.protocol === 'tcp'
}

function keyOf({ address, port }: ResolvedReal): string | null {
  return address && keyOfReal({ address, port })
}
