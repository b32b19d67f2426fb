/** What is said of many samples of one figure. */

export interface Figure {
  readonly n: number
  readonly median: number
  readonly p90: number
  readonly min: number
  readonly max: number
}

/** Null where nothing was measured. */
export function figureOf(samples: readonly number[]): Figure | null {
  if (samples.length === 0) return null
  const sorted = [...samples].sort((a, b) => a - b)
  return {
    n: sorted.length,
    median: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
  }
}

/** Between two samples it takes the share of each. `sorted` is not empty. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** Three figures that count: 0.0123, 1.23, 123, 12345. */
export function brief(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 6))
}
