import { desired } from '../core/desired.js'
import type { ResolvedService, Table, TableReal } from '../core/model.js'
import type { HealthStore } from './health-store.js'

/** Computes the desired table of these services from the state of the health store. */
export function desiredTable(
  healthStore: HealthStore,
  services: readonly ResolvedService[],
  actual: Table,
): Table {
  return desired(
    services,
    (_, real) => healthStore.dispositionOf(real),
    actual,
    (service, member, entry: TableReal) => healthStore.doubtful.mayBe(service, member, entry),
    (service, real) => healthStore.down.downAs(service, real),
  )
}
