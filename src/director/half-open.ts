/** Watches clients' connections for servers that are up and do not answer them. */
import { idsOf } from '../core/kernel-services.js'
import { keyOfReal, keyOfService, type ResolvedReal, type ServiceId, type Table } from '../core/model.js'
import type { HealthStore } from '../health/health-store.js'
import { ActiveGrowth } from '../hints/active-growth.js'
import { HalfOpen, type HalfOpenParts } from '../hints/half-open.js'
import { ConnectionList } from '../ipvs/connection-list.js'
import type { Kernel } from '../ipvs/kernel.js'
import { systemClock } from '../util/clock.js'

export interface HalfOpenSettings extends Pick<HalfOpenParts, 'log' | 'onHint'> {
  readonly kernel: Pick<Kernel, 'active'>
  table(): Table | null
  store(): HealthStore
}

/** Watches the list of connections, and the number of those that are active. */
export function openHalfOpen({ kernel, table, store, ...parts }: HalfOpenSettings): {
  close(): Promise<unknown>
} {
  const jobsOf = (service: string, real: string) => {
    // A server that gets no new connections has been judged already.
    if (!table()?.get(service)?.reals.get(real)?.weight) return []
    const ids = new Set<string>()
    // The connections of a check through the path of the service are in the list themselves.
    for (const { service: one, real: server, use, jobId } of store().allSubscribers())
      if (
        use.path === undefined &&
        keyOf(server) === real &&
        idsOf(one).some(id => keyOfService(id) === service)
      )
        ids.add(jobId)
    return [...ids]
  }
  const common = { ...parts, clock: systemClock, jobsOf }
  const list = new HalfOpen({ ...common, list: new ConnectionList() })
  const growth = new ActiveGrowth({
    ...{ ...common, kernel },
    services: () => [...(table()?.values() ?? [])].map(({ id }) => id).filter(isOverTcp),
  })
  return { close: () => Promise.all([list.close(), growth.close()]) }
}

/** A firewall mark may be for any protocol. */
function isOverTcp(id: ServiceId): boolean {
  return id.kind === 'address' && id.protocol === 'tcp'
}

function keyOf({ address, port }: ResolvedReal): string | null {
  return address && keyOfReal({ address, port })
}
