/**
 * How often something is read again and again: as often as the reading costs at most a given share of one processor. Pure.
 */

/** What paces a reading: its share of one processor, and the bounds of the milliseconds between two, whatever they cost. */
export interface Paced {
  readonly share: number
  readonly every: { readonly least: number; readonly most: number }
}

/** Readings whose costs count. */
const COSTS = 10
/**
 * How many times the second shortest of them one counts at most. Some take twice or three times as long, as they collect garbage:
 * that is a cost of reading. A standstill of the machine is not, and in a guest on a busy machine most readings meet one.
 */
const MOST_TIMES = 3
/** The interval gets shorter only if this share of it would be enough; it gets longer at once. */
const SHORTER_FROM = 0.8
/** Milliseconds until the next reading after one that fails, and after many in a row. */
const RETRY = { first: 1000, most: 60_000 } as const

export interface ReadPace {
  /** Milliseconds between the begins of two readings. */
  readonly interval: number
  /** Costs of the last readings in milliseconds of one processor, the newest last. */
  readonly costs: readonly number[]
}

export const FIRST_PACE: ReadPace = { interval: 1000, costs: [] }

/** Returns the pace after a reading that cost `cost` milliseconds of one processor. */
export function nextPace(
  { interval, costs: before }: ReadPace,
  cost: number,
  { share, every }: Paced,
): ReadPace {
  const costs = withCost(before, cost)
  const wanted = Math.min(Math.max(meanOf(costs) / share, every.least), every.most)
  return { interval: isSteady(interval, wanted) ? interval : wanted, costs }
}

/** Returns the costs that count after one more reading. */
export function withCost(costs: readonly number[], cost: number): readonly number[] {
  return [...costs, cost].slice(-COSTS)
}

/** True if this interval stays where another is wanted. */
export function isSteady(interval: number, wanted: number): boolean {
  return wanted <= interval && wanted > SHORTER_FROM * interval
}

/** The mean of these costs in milliseconds of one processor; null without any. */
export function costOf(costs: readonly number[]): number | null {
  return costs.length === 0 ? null : meanOf(costs)
}

/** Returns the milliseconds until the next reading after so many that have failed in a row, at least one. */
export function retryAfter(failures: number): number {
  return Math.min(RETRY.first * 2 ** (failures - 1), RETRY.most)
}

function meanOf(costs: readonly number[]): number {
  return boundedMean(costs, MOST_TIMES * secondShortest(costs))
}

/** The mean of values of which none counts more than `most`. */
export function boundedMean(values: readonly number[], most: number): number {
  return values.reduce((sum, value) => sum + Math.min(value, most), 0) / values.length
}

function secondShortest(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[1] ?? sorted[0] ?? 0
}
