/**
 * What prom-client does for a scrape: the text of a metric, and the metrics of the process. The only file that imports it. The first
 * scrape loads this file, which needs no other one: the files of a running lvsd may have been replaced meanwhile.
 */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'

export interface LibraryMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly unknown[]
}

/** Returns the metric as text, without an end of line. */
export function textOfMetric(metric: LibraryMetric, contentType: string): Promise<string> {
  const encoder = new Registry()
  encoder.setContentType(contentType as typeof Registry.PROMETHEUS_CONTENT_TYPE)
  encoder.registerMetric({ name: metric.name, get: async () => metric } as unknown as Metric)
  return encoder.getSingleMetricAsString(metric.name)
}

/** Milliseconds. A finer resolution would wake an idle lvsd more often. */
const LAG_RESOLUTION = 20
/** Reading it sets the other metrics of the event loop. */
const LAG = 'nodejs_eventloop_lag_seconds'

let ofProcess: Registry | null = null

/**
 * Returns the metrics of this process of which `isKnown` holds. They are measured from the first call on, once for the process, so
 * that an lvsd that nobody scrapes does not measure them.
 */
export async function processMetrics(isKnown: (name: string) => boolean): Promise<readonly LibraryMetric[]> {
  if (!ofProcess) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: LAG_RESOLUTION })
    // Those that lvsd does not show are costly, or have names against the conventions.
    for (const { name } of ofProcess.getMetricsAsArray())
      if (!isKnown(name) && name !== LAG) ofProcess.removeSingleMetric(name)
  }
  const all = (await ofProcess.getMetricsAsJSON()) as unknown as readonly LibraryMetric[]
  return all.filter(({ name }) => isKnown(name))
}
