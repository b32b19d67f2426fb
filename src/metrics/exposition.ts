/** The text formats, and the metrics of the process. What prom-client does is loaded by the first scrape. */
import { METRICS, type MetricName } from '../core/metrics.js'
import { type Families, type Labels, NO_LABELS, type Sample } from './families.js'

export type Format = 'text' | 'openmetrics'

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
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
export async function encodeByLibrary(
  name: MetricName,
  samples: readonly Sample[],
  format: Format,
): Promise<string> {
  const { type, help } = METRICS[name]
  // In OpenMetrics the name of a counter is without the suffix of its samples.
  const base = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name
  const { textOfMetric } = await import('./library.js')
  const metric = { name: base, help: help.replaceAll('`', ''), type, values: samples }
  return textOfMetric(metric, CONTENT_TYPES[format])
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

/** Adds the metrics of this process, which are measured from the first call on. */
export async function addProcess(families: Families): Promise<void> {
  const { processMetrics } = await import('./library.js')
  for (const { name, values } of await processMetrics(isKnown))
    families[name as MetricName].push(...(values as Sample[]))
}

function isKnown(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name)
}
