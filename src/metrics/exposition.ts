/** Histograms, the metrics of the process, and the text formats. The only file that imports prom-client. */
import { collectDefaultMetrics, Histogram, type Metric, Registry } from 'prom-client'
import { METRICS, type MetricName } from '../core/metrics.js'
import { type Families, type Labels, NO_LABELS, type Sample } from './families.js'

export type Format = 'text' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
}

/** Counts durations in seconds, in O(1). */
export interface Durations {
  add(seconds: number, labels?: Readonly<Record<string, string>>): void
  samples(): Promise<readonly Sample[]>
}

export function durations(name: MetricName): Durations {
  const { help, labels, buckets = [] } = METRICS[name]
  const histogram = new Histogram({
    name,
    help,
    labelNames: [...labels],
    buckets: [...buckets],
    registers: [],
  })
  return {
    add: (seconds, given = {}) => histogram.observe(given, seconds),
    samples: async () => (await histogram.get()).values as Sample[],
  }
}

/** Returns the samples of the metric as text, without an end of line. */
export async function encode(name: MetricName, samples: readonly Sample[], format: Format): Promise<string> {
  const { type } = METRICS[name]
  if (type !== 'gauge' && type !== 'counter') return encodeByLibrary(name, samples, format)
  // Of the library it has taken most of the processor time of a scrape, since it makes the text of labels each time.
  const lines = [await encodeByLibrary(name, [], format)]
  for (const { labels, sharedLabels, value } of samples)
    lines.push(`${name}${braced(labels, sharedLabels)} ${value}`)
  return lines.join('\n')
}

/** The same by prom-client, for all types. */
export function encodeByLibrary(
  name: MetricName,
  samples: readonly Sample[],
  format: Format,
): Promise<string> {
  const { type, help } = METRICS[name]
  // In OpenMetrics the name of a counter is without the suffix of its samples.
  const base = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
  const content = { name: base, help: help.replaceAll('`', ''), type, values: samples }
  const encoder = new Registry()
  encoder.setContentType(CONTENT_TYPES[format] as typeof Registry.PROMETHEUS_CONTENT_TYPE)
  encoder.registerMetric({ name: base, get: async () => content } as unknown as Metric)
  return encoder.getSingleMetricAsString(base)
}

function braced(labels: Labels, shared: Labels = NO_LABELS): string {
  const own = textOf(labels)
  const common = textOf(shared)
  if (own === '' && common === '') return ''
  return own === '' || common === '' ? `{${own}${common}}` : `{${own},${common}}`
}

/** Texts of labels. The objects of a real server stay the same from scrape to scrape. */
const texts = new WeakMap<Labels, string>()

/** Returns the labels as text, without braces. */
export function textOf(labels: Labels): string {
  if (labels === NO_LABELS) return ''
  const known = texts.get(labels)
  if (known !== undefined) return known
  const text = Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(String(value))}"`)
    .join(',')
  texts.set(labels, text)
  return text
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

/** What stands between two metrics, and at the end. */
export const JOINTS: Readonly<Record<Format, { readonly between: string; readonly end: string }>> = {
  text: { between: '\n\n', end: '\n' },
  openmetrics: { between: '\n', end: '\n# EOF\n' },
}

/** Milliseconds. A finer resolution would wake an idle lvsd more often. */
const LAG_RESOLUTION = 20

let ofProcess: Registry | null = null

/**
 * Adds the metrics of this process. They are measured from the first call on, once for the process, so that an lvsd that
 * nobody scrapes does not measure them.
 */
export async function addProcess(families: Families): Promise<void> {
  if (!ofProcess) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: LAG_RESOLUTION })
    // Those that lvsd does not show are costly, or have names against the conventions.
    for (const { name } of ofProcess.getMetricsAsArray())
      if (!isKnown(name) && name !== LAG) ofProcess.removeSingleMetric(name)
  }
  for (const { name, values } of await ofProcess.getMetricsAsJSON())
    if (isKnown(name)) families[name].push(...(values as Sample[]))
}

/** Reading it sets the other metrics of the event loop. */
const LAG = 'nodejs_eventloop_lag_seconds'

function isKnown(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}
