import { desiring } from '../core/desired.js'
import type { ResolvedService, Table, TableReal } from '../core/model.js'
import { runSync, type Sliced } from '../util/time-slice.js'
import type { HealthStore } from './health-store.js'

/** Computes the desired table of these services from the state of the health store. */
export function desiredTable(
  healthStore: HealthStore,
  services: readonly ResolvedService[],
  actual: Table,
): Table {
  return runSync(desiringTable(healthStore, services, actual))
}

/** Same as `desiredTable`, in time slices: each real server as it is at its step. */
export function desiringTable(
  healthStore: HealthStore,
  services: readonly ResolvedService[],
  actual: Table,
): Sliced<Table> {
  return desiring(
    services,
    (_, real) => healthStore.dispositionOf(real),
    actual,
    (service, member, entry: TableReal) => healthStore.doubtful.mayBe(service, member, entry),
    (service, real) => healthStore.down.downAs(service, real),
  )
}
