/**
 * How often lvsd looks at the kernel's table: as often as that costs at most a share of one processor. IPVS tells nobody of changes,
 * so this is how changes by other programs are noticed. A look at the whole table takes a dump for each service, one at the services
 * alone takes a single dump. So where the whole table is dear, looks at the services come between: they find a service that is gone
 * or changed, and a table that was flushed. Pure.
 */
import { costOf, isSteady, type Paced, withCost } from './read-pace.js'

/**
 * For all looks together. The bounds are those of the whole table: it is looked at within the longer one whatever that costs. Looks at
 * the services come no closer than the shorter one either.
 */
export const TABLE_PACE: Paced = { share: 0.003, every: { least: 1000, most: 10_000 } }
/** What looks at the services may cost at most, as a multiple of a look at the whole table, which they delay by as much. */
const MOST_FOR_SERVICES = 0.5

export type LookAt = 'table' | 'services'

export interface TablePace {
  /** Milliseconds between the begins of two looks at the whole table. */
  readonly interval: number
  /** Looks in that time, evenly spread: one at the whole table, the others at the services. */
  readonly looks: number
  /** Costs of the last looks of each kind in milliseconds of one processor, the newest last. */
  readonly costs: Readonly<Record<LookAt, readonly number[]>>
}

export const FIRST_TABLE_PACE: TablePace = {
  interval: TABLE_PACE.every.least,
  looks: 1,
  costs: { table: [], services: [] },
}

/** Returns the pace after a look that cost `cost` milliseconds of one processor. */
export function nextTablePace(before: TablePace, at: LookAt, cost: number): TablePace {
  const costs = { ...before.costs, [at]: withCost(before.costs[at], cost) }
  const { share, every } = TABLE_PACE
  const table = costOf(costs.table) ?? 0
  // The first look at the services tells what one costs.
  const services = costOf(costs.services) ?? 0
  const wantedWith = (looks: number) => (table + (looks - 1) * services) / share
  if (isSteady(before.interval, wantedWith(before.looks))) return { ...before, costs }
  const looks = 1 + looksBetween(table, services)
  return { interval: Math.min(Math.max(wantedWith(looks), every.least), every.most), looks, costs }
}

/** Returns how many looks at the services, of this cost, come between two at the whole table. */
function looksBetween(table: number, services: number): number {
  const { share, every } = TABLE_PACE
  const least = share * every.least
  // Then it comes as often as any look may.
  if (table <= least) return 0
  // Where the whole table takes more than its part of the share within the longest interval, the services keep theirs.
  const counted = Math.min(table, (share * every.most) / (1 + MOST_FOR_SERVICES))
  // With so many the looks are `every.least` apart: (counted + n * services) / (1 + n) = least.
  const wished = services < least ? (counted - least) / (least - services) : Number.POSITIVE_INFINITY
  return Math.floor(Math.min(wished, (MOST_FOR_SERVICES * counted) / services))
}
