/** The samples of one scrape, by metric. */
import { METRICS, type MetricName } from '../core/metrics.js'
import { Lines } from './lines.js'

export type Labels = Readonly<Record<string, string | number>>

export interface Sample {
  readonly value: number
  readonly labels: Labels
  /** Labels that many samples have in common: the text of the same object is made only once. */
  readonly sharedLabels?: Labels
  /** The name with its suffix, for a histogram or a summary. */
  readonly metricName?: string
}

/** The samples of one metric. */
export class Family {
  readonly samples: Sample[] = []
  /** Of gauges and counters, after the samples. */
  readonly lines: Lines

  constructor(name: MetricName) {
    this.lines = new Lines(name)
  }

  push(...samples: readonly Sample[]): void {
    for (const each of samples) this.samples.push(each)
  }

  get isEmpty(): boolean {
    return this.samples.length === 0 && this.lines.isEmpty
  }

  clear(): void {
    this.samples.length = 0
    this.lines.clear()
  }
}

export type Families = Readonly<Record<MetricName, Family>>

export function noSamples(): Families {
  const names = Object.keys(METRICS) as MetricName[]
  return Object.fromEntries(names.map(name => [name, new Family(name)])) as Families
}

export const NO_LABELS: Labels = {}

/** `shared` is an object that stays the same from scrape to scrape. */
export function sample(value: number, labels: Labels = NO_LABELS, shared: Labels = NO_LABELS): Sample {
  return { value, labels, sharedLabels: shared }
}
