/**
 * Tries to connect to servers of which a hint says that clients get no answer, several times in a row
 * (core/early-timeout.ts). If nobody answers, the check that the hint has brought forward fails before its time limit.
 * Where the sign is weak, the first attempt comes before the hint, which is given if nobody answers it, or it is refused.
 */
import type { Address } from '../core/address.js'
import {
  EARLY_LIMIT,
  hasEarlyLimit,
  MOST_EARLY,
  nextStep,
  nextUsual,
  pauseAfter,
} from '../core/early-timeout.js'
import type { Hint } from '../core/hints.js'
import type { CheckResult } from '../core/model.js'
import type { Executors } from '../schedule/executors.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { type AskedEndpoint, type Endpoints, lazyEndpoints, sourceFor } from './endpoints.js'
import type { Tcp, TcpConnection } from './tcp.js'

export interface ConnectAttemptsParts {
  readonly clock: Pick<Clock, 'now' | 'alarm' | 'afterReading'>
  readonly tcp: Pick<Tcp, 'connect'>
  readonly executors: Pick<Executors, 'giveUpConnecting'>
  sourceOf(target: Address): Address | null
  onHint(ids: readonly string[], hint: Hint): void
}

/** Milliseconds that a run has waited for its connection at least: it may have started a moment after the first attempt. */
const LEAST = EARLY_LIMIT / 2
/** Milliseconds from giving a run up to its result, at most: else the run went on. */
const GIVEN_UP_WITHIN = 1000

interface Series {
  readonly endpoint: AskedEndpoint
  readonly ids: Set<string>
  /** The hint that is given if the first attempt has no answer; null: it is given, or another was. */
  doubt: { readonly ids: readonly string[]; readonly hint: Hint } | null
  readonly beganAt: number
  readonly connections: TcpConnection[]
  made: number
  dueAt: number
  disarm: () => void
}

export class ConnectAttempts {
  readonly #parts: ConnectAttemptsParts
  #endpoints = lazyEndpoints(new Map())
  #timeouts: (id: string) => number | null = () => null
  readonly #series = new Map<string, Series>()
  /** Milliseconds that connections usually take, by job. */
  readonly #usual = new Map<string, number>()
  /** Attempts without an answer, of jobs whose runs have been given up. */
  readonly #silent = new Map<string, { readonly attempts: number; readonly at: number }>()

  constructor(parts: ConnectAttemptsParts) {
    this.#parts = parts
  }

  /** Takes the endpoints and time limits; null: the job has no early one. */
  follow(endpoints: Endpoints, timeoutOf: (id: string) => number | null): void {
    this.#endpoints = endpoints
    this.#timeouts = timeoutOf
    for (const map of [this.#usual, this.#silent])
      for (const id of map.keys()) if (timeoutOf(id) === null) map.delete(id)
  }

  /** Begins with the first attempt, if the check of this job may fail early. */
  begin(id: string): void {
    const endpoint = this.mayAsk(id) ? this.#endpoints.of(id) : undefined
    if (!endpoint) return
    const known = this.#series.get(endpoint.key)
    if (known) known.ids.add(id)
    else this.#start(endpoint, [id])
  }

  /** Connects to the server of these jobs, and gives the hint if it does not answer at once, or refuses. */
  ask(ids: readonly string[], hint: Hint): void {
    const id = ids.find(this.mayAsk)
    const endpoint = id === undefined ? undefined : this.#endpoints.of(id)
    if (endpoint && !this.#series.has(endpoint.key)) this.#start(endpoint, [], { ids, hint })
  }

  /** True if the check of this job may fail early. */
  readonly mayAsk = (id: string): boolean => {
    const timeout = this.#timeouts(id)
    const usual = this.#usual.get(id)
    return timeout !== null && usual !== undefined && hasEarlyLimit(usual, timeout)
  }

  /** True if some check may fail early, and has passed once. */
  get isUsed(): boolean {
    return this.#usual.size > 0
  }

  /** Takes a result. Returns it with the number of attempts, if it was given up for them. */
  result(id: string, result: CheckResult): CheckResult {
    const { ok, reason, isEarly } = result
    if (ok) this.#learn(id, result)
    // An earlier run, which may have passed before: results that change nothing come up to half a second late.
    if (!isEarly) return result
    const isSilence = ok === false && reason === 'timeout'
    // The server has answered, or there is another reason than its silence.
    if (!isSilence && this.#series.size > 0) for (const series of this.#series.values()) series.ids.delete(id)
    const silent = this.#silent.get(id)
    if (silent === undefined) return result
    this.#silent.delete(id)
    // It may have gone on, because it was connected.
    const isGivenUp = this.#parts.clock.now() - silent.at < GIVEN_UP_WITHIN
    if (!isSilence || result.phase !== 'connect' || !isGivenUp) return result
    const detail = `${result.detail}, and no answer to ${counted(silent.attempts, 'more attempt')}`
    return { ...result, detail }
  }

  #learn(id: string, { phases }: CheckResult): void {
    const first = phases[0]
    if (first?.phase !== 'connect' || this.#timeouts(id) === null) return
    const before = this.#usual.get(id)
    const usual = nextUsual(before, first.ms)
    if (usual !== before) this.#usual.set(id, usual)
  }

  close(): void {
    for (const series of this.#series.values()) this.#end(series)
    this.#endpoints = lazyEndpoints(new Map())
    this.#timeouts = () => null
  }

  #start(endpoint: AskedEndpoint, ids: readonly string[], doubt: Series['doubt'] = null): void {
    if (this.#series.size >= MOST_EARLY) return
    const beganAt = this.#parts.clock.now()
    const series: Series = {
      ...{ endpoint, ids: new Set(ids), doubt, beganAt, connections: [], made: 0 },
      ...{ dueAt: beganAt, disarm: () => {} },
    }
    this.#series.set(endpoint.key, series)
    this.#step(series)
  }

  #step(series: Series): void {
    const { clock } = this.#parts
    const { made, dueAt, beganAt, doubt } = series
    if (doubt && made > 0) {
      clock.afterReading(() => this.#isRunning(series) && this.#confirm(series, doubt))
      return
    }
    const step = nextStep(made, dueAt - beganAt, clock.now() - beganAt)
    if (step === 'attempt') this.#attempt(series)
    else if (step === 'wait') this.#stepLater(series)
    else if (step === 'leave') this.#end(series)
    // What has arrived meanwhile counts.
    else clock.afterReading(() => this.#isRunning(series) && this.#fail(series))
  }

  /** The first attempt has no answer. */
  #confirm(series: Series, { ids, hint }: NonNullable<Series['doubt']>): void {
    series.doubt = null
    // Begins with the check that the hint brings forward.
    this.#parts.onHint(ids, hint)
    if (this.#isRunning(series)) this.#step(series)
  }

  /** The hint brings a check forward that would be given up after the attempts: the series goes on until it has begun. */
  #tellRefused(series: Series): void {
    const { doubt } = series
    series.doubt = null
    if (doubt)
      this.#parts.onHint(doubt.ids, {
        ...doubt.hint,
        kind: 'refused',
        detail: `${doubt.hint.detail}; a connect is refused`,
      })
  }

  #stepLater(series: Series): void {
    const { clock } = this.#parts
    const now = clock.now()
    const pause = pauseAfter(series.made, now - series.beganAt)
    series.dueAt = now + pause
    series.disarm = clock.alarm(pause, () => this.#step(series))
  }

  #attempt(series: Series): void {
    const { tcp, sourceOf } = this.#parts
    const { endpoint } = series
    const ended = (code: string | null) => {
      // A refusal is an answer that clients get too. Other errors say nothing of the server.
      if (code === 'ECONNREFUSED') this.#tellRefused(series)
      this.#end(series)
    }
    const on = { opened: () => this.#end(series), ended }
    const connection = tcp.connect(endpoint, sourceFor(endpoint, sourceOf), on)
    if (typeof connection === 'string') {
      ended(connection)
      return
    }
    series.connections.push(connection)
    series.made++
    this.#stepLater(series)
  }

  #fail(series: Series): void {
    this.#end(series)
    for (const id of series.ids) {
      // A reload may have removed it, or its early time limit.
      if (this.#timeouts(id) === null) continue
      this.#silent.set(id, { attempts: series.made, at: this.#parts.clock.now() })
      this.#parts.executors.giveUpConnecting(id, LEAST)
    }
  }

  #isRunning(series: Series): boolean {
    return this.#series.get(series.endpoint.key) === series
  }

  #end(series: Series): void {
    if (this.#isRunning(series)) this.#series.delete(series.endpoint.key)
    series.disarm()
    for (const connection of series.connections.splice(0)) connection.drop(true)
  }
}
