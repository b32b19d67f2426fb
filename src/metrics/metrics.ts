/**
 * The metrics of a running director, as text for Prometheus. Nothing is computed between two scrapes but the tallies.
 *
 * A scrape reads the kernel's counters once, then the health of one service after the other, then writes the text of one
 * metric after the other; between these steps the event loop runs. Requests at the same time share one answer.
 */
import { setImmediate } from 'node:timers/promises'
import { type Shared, shared } from '../api/shared-answer.js'
import { METRICS, type MetricName } from '../core/metrics.js'
import type { Log } from '../system/log.js'
import { WallClock } from '../util/clock.js'
import { addDirector } from './collect-director.js'
import { addService, addTotals, type Scrape } from './collect-service.js'
import { CONTENT_TYPES, encode, type Format, JOINTS } from './exposition.js'
import { type Families, noSamples } from './families.js'
import type { Sources } from './sources.js'
import { Tallies } from './tallies.js'

export interface MetricsText {
  readonly contentType: string
  readonly body: Buffer
}

/** Milliseconds for which a scrape holds the event loop. */
const TURN = 5

export class Metrics {
  readonly tallies = new Tallies()
  readonly #log: Pick<Log, 'warn'>
  readonly #dates: Pick<WallClock, 'at'>
  #sources: Sources | null = null
  /** Those of the last scrape of each format, whose memory the next one uses. */
  readonly #families: Readonly<Record<Format, Families>> = { text: noSamples(), openmetrics: noSamples() }
  readonly #answers: Readonly<Record<Format, Shared<MetricsText>>>
  /** Number of real servers that was logged last as left out. */
  #toldLeftOut = 0

  constructor(log: Pick<Log, 'warn'>, dates: Pick<WallClock, 'at'> = new WallClock()) {
    this.#log = log
    this.#dates = dates
    this.#answers = {
      text: shared(() => this.#scrape('text')),
      openmetrics: shared(() => this.#scrape('openmetrics')),
    }
  }

  /** Sets what scrapes read. Before that there are only the tallies. */
  read(sources: Sources): void {
    this.#sources = sources
  }

  /** Returns all metrics in the format that the header `Accept` of the request prefers. */
  text(accept: string | undefined): Promise<MetricsText> {
    return this.#answers[formatFor(accept)].get()
  }

  async #scrape(format: Format): Promise<MetricsText> {
    const families = this.#families[format]
    for (const family of Object.values(families)) family.clear()
    const turn = new Turn()
    if (this.#sources) await this.#collect(families, this.#sources, turn)
    const { between, end } = JOINTS[format]
    const parts: Uint8Array[] = []
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const { samples, lines, isEmpty } = families[name]
      if (isEmpty) continue
      const text = await encode(name, samples, format)
      parts.push(Buffer.from(parts.length === 0 ? text : between + text), lines.bytes)
      await turn.rest()
    }
    return { contentType: CONTENT_TYPES[format], body: Buffer.concat([...parts, Buffer.from(end)]) }
  }

  async #collect(families: Families, sources: Sources, turn: Turn): Promise<void> {
    const reconcile = await sources.reconcile()
    const { services, settings } = sources.config()
    // A configuration that an earlier version kept does not have the key.
    const most = settings.metricsReals ?? DEFAULT_REALS
    const { dump } = reconcile
    const scrape: Scrape = {
      families,
      dump,
      tallies: this.tallies,
      sources,
      wanted: sources.wanted(),
      dates: this.#dates,
      rest: () => turn.rest(),
      overrides: new Map(),
      left: most,
      leftOut: 0,
    }
    await turn.rest()
    for (const service of services) {
      await addService(scrape, service)
      await turn.rest()
    }
    addTotals(scrape)
    await addDirector(families, sources, this.tallies, reconcile, this.#dates)
    this.#tell(scrape.leftOut, most)
  }

  /** Logs once that real servers are left out. */
  #tell(leftOut: number, most: number): void {
    if (leftOut > 0 && this.#toldLeftOut === 0 && most > 0)
      this.#log.warn(
        'metrics.limited',
        { reals: most, leftOut },
        `metrics: ${leftOut} real servers have no series of their own, because metrics-reals is ${most}; those of their services include them`,
      )
    this.#toldLeftOut = leftOut
  }
}

/** Also the default of the setting. */
const DEFAULT_REALS = 2000

/** Prometheus asks for OpenMetrics first; a browser or curl gets the older text. */
function formatFor(accept = ''): Format {
  return /\bapplication\/openmetrics-text\b/.test(accept) ? 'openmetrics' : 'text'
}

/** Lets the event loop run every few milliseconds. */
class Turn {
  #end = performance.now() + TURN

  async rest(): Promise<void> {
    if (performance.now() < this.#end) return
    await setImmediate()
    this.#end = performance.now() + TURN
  }
}
