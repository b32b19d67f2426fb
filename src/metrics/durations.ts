/** Counts durations in the buckets of a histogram, with the samples of prom-client. */
import { METRICS, type MetricName } from '../core/metrics.js'
import type { Sample } from './families.js'

interface Series {
  /** By the index of the bucket; the last one has no upper bound. */
  readonly counts: Float64Array
  seconds: number
  count: number
}

export class Durations {
  readonly #name: MetricName
  readonly #bounds: readonly number[]
  readonly #label: string | null
  readonly #series = new Map<string, Series>()

  /** A metric with at most one label. Without one there is a series from the start, with it from the first value on. */
  constructor(name: MetricName) {
    const { labels, buckets = [] } = METRICS[name]
    this.#name = name
    this.#bounds = buckets
    this.#label = labels[0] ?? null
    if (this.#label === null) this.#open('')
  }

  /** `value` is that of the label. */
  add(seconds: number, value = ''): void {
    const series = this.#series.get(value) ?? this.#open(value)
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++
    series.counts[bucket] = (series.counts[bucket] as number) + 1
    series.seconds += seconds
    series.count++
  }

  samples(): readonly Sample[] {
    return [...this.#series].flatMap(([value, series]) =>
      this.#samplesOf(series, this.#label === null ? {} : { [this.#label]: value }),
    )
  }

  #open(value: string): Series {
    const series = { counts: new Float64Array(this.#bounds.length + 1), seconds: 0, count: 0 }
    this.#series.set(value, series)
    return series
  }

  #samplesOf({ counts, seconds, count }: Series, labels: Readonly<Record<string, string>>): Sample[] {
    const bucket = `${this.#name}_bucket`
    let below = 0
    const buckets = this.#bounds.map((le, i) => {
      below += counts[i] as number
      return { labels: { le, ...labels }, value: below, metricName: bucket }
    })
    return [
      ...buckets,
      { labels: { le: '+Inf', ...labels }, value: count, metricName: bucket },
      { labels, value: seconds, metricName: `${this.#name}_sum` },
      { labels, value: count, metricName: `${this.#name}_count` },
    ]
  }
}
