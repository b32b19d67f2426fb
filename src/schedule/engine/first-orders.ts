/**
 * The first checks of the next start, as the engine's thread takes them before there is a director: what the director needs to
 * make jobs of a configuration is loaded while they run. Jobs that it then wants are those that run already (`first-jobs.ts`).
 */
import type { Timing } from '../executor.js'
import type { EngineTerms, EngineWork, Order } from './protocol.js'

export interface FirstOrders extends Pick<EngineTerms, 'cap' | 'hasSources'> {
  /** Virtual addresses, which no check may have as its source. */
  readonly virtual: readonly string[]
  readonly jobs: readonly FirstJob[]
}

export interface FirstJob {
  readonly id: string
  readonly work: EngineWork
  readonly timing: Timing
}

/** Maximum number of jobs: the thread takes them in some two milliseconds, and more would be made twice for little. */
export const MOST_FIRST = 64

/** It takes a millisecond to load, and neither the thread nor most commands need it. */
const codec = () => process.getBuiltinModule('node:v8')

/** The bytes of `v8.serialize`, because the probes have bytes in them. */
export function encodeFirst(orders: FirstOrders): Uint8Array {
  return codec().serialize(orders)
}

/** Inverse of `encodeFirst`. Throws for other bytes. */
export function decodeFirst(bytes: Uint8Array): FirstOrders {
  const orders = codec().deserialize(bytes) as FirstOrders
  const ids = new Set(orders.jobs.map(({ id }) => id))
  if (ids.size !== orders.jobs.length || ids.size > MOST_FIRST) throw new Error('these are no first orders')
  return orders
}

/** Returns the orders with these jobs alone. `areMeant`: for each job; null: all. */
export function withJobs(orders: FirstOrders, areMeant: readonly boolean[] | null): FirstOrders {
  return areMeant ? { ...orders, jobs: orders.jobs.filter((_, i) => areMeant[i] === true) } : orders
}

/** The number of the job at this place, and the place of that number. */
export const numberAt = (place: number): number => place + 1
export const placeOf = (number: number): number => number - 1

export function ordersFor({ virtual, jobs }: FirstOrders): Order[] {
  return [
    { kind: 'virtual', addresses: virtual },
    ...jobs.map(({ work, timing }, i): Order => ({ kind: 'set', job: numberAt(i), place: i, work, timing })),
  ]
}
