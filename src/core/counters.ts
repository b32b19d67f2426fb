/** Sums of the kernel's counters, for a service with several addresses. Pure. */
import type { Counters, RealCounters } from './model.js'

/** Returns the sums; null if there is nothing to sum up. */
export function sumOf<C extends Counters | RealCounters>(counted: readonly C[]): C | null {
  const [first, ...others] = counted
  return first ? others.reduce(added, first) : null
}

function added<C extends Counters | RealCounters>(one: C, other: C): C {
  const values = new Map<string, number>(Object.entries(other))
  return Object.fromEntries(
    Object.entries(one).map(([key, value]: [string, number]) => [key, value + (values.get(key) ?? 0)]),
  ) as unknown as C
}
