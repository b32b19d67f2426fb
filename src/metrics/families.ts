/** The samples of one scrape, by metric. */
import { METRICS, type MetricName } from '../core/metrics.js'

export type Labels = Readonly<Record<string, string | number>>

export interface Sample {
  readonly value: number
  readonly labels: Labels
  /** Labels that many samples have in common: the text of the same object is made only once. */
  readonly sharedLabels?: Labels
  /** The name with its suffix, for a histogram or a summary. */
  readonly metricName?: string
}

export type Families = Record<MetricName, Sample[]>

export function noSamples(): Families {
  const names = Object.keys(METRICS) as MetricName[]
  return Object.fromEntries(names.map(name => [name, [] as Sample[]])) as Families
}

export const NO_LABELS: Labels = {}

/** `shared` is an object that stays the same from scrape to scrape. */
export function sample(value: number, labels: Labels = NO_LABELS, shared: Labels = NO_LABELS): Sample {
  return { value, labels, sharedLabels: shared }
}
