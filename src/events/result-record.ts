/**
 * The record of results, for a later replay (`settings: record`): a line for each change of what a check finds, and for
 * each change of the state of a real server. Results that differ only in numbers, such as times, are the same.
 *
 * Format of an entry, in segments of the form `results`, version 1:
 *
 *   {"t":1764350605563,"check":"web/[2001:db8::1]:80/http","ok":false,"reason":"timeout","detail":"…","phase":"connect","ms":3000}
 *   {"t":1764350605563,"check":"web/[2001:db8::1]:80/agent","ok":true,…,"weight":"75%"}
 *   {"t":1764350606563,"check":"web/[2001:db8::1]:80/agent","weight":"70%"}
 *   {"t":1764350605563,"real":"web/[2001:db8::1]:80","from":"up","to":"down"}
 *   {"t":1764350605563,"real":"web/[2001:db8::1]:80","hold":"held","state":"down"}
 *   {"t":1764350605563,"begin":true}
 *
 * `t`: milliseconds of the wall clock. `ok`: true, false, or null without a verdict. `weight`: what a passing check advises,
 * `"75%"` of the configured weight or a number, `"75%<100"` with an upper limit; alone where nothing else has changed, null
 * where the check no longer advises one. After a start and after each
 * configuration, the first result of each check is written again, with the `policy` by which it runs. `hold`: damping holds the
 * server, spares it or frees it. `begin`, `end`: recording begins and ends; `alive`: nothing else was written for a minute.
 */
import type { CheckResult, Config, Weighing, WeightAdvice } from '../core/model.js'
import type { DampingChange, Transition } from '../health/health-changes.js'
import { nameOfCheck, type Subscriber } from '../health/jobs.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import { Segments } from '../storage/segments.js'
import type { Log } from '../system/log.js'
import type { EventListener } from './event-bus.js'

export interface ResultRecordParts {
  /** Null: nothing is recorded. */
  readonly folder: string | null
  readonly log: Log
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

/** Maximum bytes of the record on the disk. */
const MOST_BYTES = 64 << 20
/** Maximum number of entries while the folder is opened. */
const MOST_EARLY = 10_000
/** Milliseconds without an entry after which a result writes that recording goes on. */
const ALIVE_AFTER = 60_000
/** Milliseconds for the last entries when lvsd stops. */
const LAST_PATIENCE = 2000

export class ResultRecord implements EventListener {
  /** Undefined while nothing is recorded, so that no `result` events are emitted for it. */
  result: EventListener['result']
  transition: EventListener['transition']
  damping: EventListener['damping']
  readonly #parts: ResultRecordParts
  readonly #now: () => number
  /** Milliseconds for which entries are kept; null while nothing is recorded. */
  #age: number | null = null
  #segments: Segments | null = null
  #opening: Promise<void> = Promise.resolve()
  #early: unknown[] = []
  #wroteAt = 0
  /** The last result of each check, and the weight that it advised. */
  readonly #last = new Map<string, { readonly sort: string; readonly weight: string | number | null }>()

  constructor(parts: ResultRecordParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
  }

  config({ settings: { record = null } }: Config): void {
    this.#last.clear()
    if (record === this.#age || this.#parts.folder === null) return
    this.#age = record
    this.result = record === null ? undefined : this.#takeResult
    this.transition = record === null ? undefined : this.#takeTransition
    this.damping = record === null ? undefined : this.#takeDamping
    this.#opening = this.#opening.then(() => this.#reopen())
  }

  async close(): Promise<void> {
    this.result = undefined
    this.transition = undefined
    this.damping = undefined
    await this.#opening
    await this.#closeSegments(this.#segments)
  }

  async #closeSegments(segments: Segments | null): Promise<void> {
    segments?.append({ t: this.#now(), end: true })
    await segments?.close(LAST_PATIENCE)
  }

  async #reopen(): Promise<void> {
    const { folder, log } = this.#parts
    const before = this.#segments
    this.#segments = null
    await this.#closeSegments(before)
    const age = this.#age
    if (age === null || folder === null) return
    const limits = {
      segmentBytes: 1 << 20,
      segmentLines: Number.POSITIVE_INFINITY,
      bytes: MOST_BYTES,
      lines: Number.POSITIVE_INFINITY,
      age,
    }
    const parts = { folder, name: 'results', version: 1, limits, log, now: this.#now, readsLastAlone: true }
    try {
      this.#segments = (await Segments.open(parts, () => {})).segments
    } catch (error) {
      log.error(
        'state.failed',
        { file: folder, error: (error as Error).message },
        'the record of results cannot be opened; nothing is recorded',
      )
    }
    const [first] = this.#early as readonly { readonly t: number }[]
    this.#segments?.append({ t: first?.t ?? this.#now(), begin: true })
    for (const entry of this.#early.splice(0)) this.#segments?.append(entry)
  }

  #takeResult = (subscribers: readonly Subscriber[], result: CheckResult): void => {
    const { ok, reason, detail, phase, ms, advice } = result
    const sort = `${ok} ${reason} ${phase} ${detail.replaceAll(/\d+/g, '#')}`
    const weight = advice ? weightOf(advice) : null
    for (const subscriber of subscribers) {
      const check = nameOfCheck(subscriber)
      const last = this.#last.get(check)
      if (last?.sort === sort && last.weight === weight) continue
      this.#last.set(check, { sort, weight })
      const t = this.#now()
      if (last?.sort === sort) this.#write({ t, check, weight })
      else {
        const policy = last ? {} : { policy: subscriber.use.policy }
        const rest = { phase, ms: Math.round(ms), ...(advice && { weight }), ...policy }
        this.#write({ t, check, ok, reason, detail, ...rest })
      }
    }
    if (this.#now() - this.#wroteAt >= ALIVE_AFTER) this.#write({ t: this.#now(), alive: true })
  }

  #takeTransition = ({ service, real, from, to, hasMovedServer }: Transition): void => {
    if (hasMovedServer) this.#write({ t: this.#now(), real: `${service.name}/${nameOfReal(real)}`, from, to })
  }

  #takeDamping = ({ service, real, hold, state }: DampingChange): void => {
    this.#write({ t: this.#now(), real: `${service.name}/${nameOfReal(real)}`, hold, state })
  }

  #write(entry: { readonly t: number; readonly [key: string]: unknown }): void {
    this.#wroteAt = entry.t
    if (this.#segments) this.#segments.append(entry)
    else if (this.#early.length < MOST_EARLY) this.#early.push(entry)
  }
}

/** `"75%"`, `20`, `"75%<100"`. */
function weightOf({ most, ...advised }: WeightAdvice): string | number {
  const short = (one: Weighing) => ('percent' in one ? `${one.percent}%` : one.weight)
  return most ? `${short(advised)}<${short(most)}` : short(advised)
}
