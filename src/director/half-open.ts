/** Watches clients' connections for servers that are up and do not answer them. */
import { idsOf } from '../core/kernel-services.js'
import { keyOfReal, keyOfService, type ResolvedReal, type Table } from '../core/model.js'
import type { HealthStore } from '../health/health-store.js'
import { HalfOpen, type HalfOpenParts } from '../hints/half-open.js'
import { ConnectionList } from '../ipvs/connection-list.js'
import { systemClock } from '../util/clock.js'

export interface HalfOpenSettings extends Pick<HalfOpenParts, 'log' | 'onHint'> {
  table(): Table | null
  store(): HealthStore
}

export function openHalfOpen({ table, store, ...parts }: HalfOpenSettings): HalfOpen {
  return new HalfOpen({
    ...parts,
    clock: systemClock,
    list: new ConnectionList(),
    jobsOf(service, real) {
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
    },
  })
}

function keyOf({ address, port }: ResolvedReal): string | null {
  return address && keyOfReal({ address, port })
}
