/** All that brings checks forward: builds the sources of hints, and hands results and configurations to them. */
import type { Address } from '../core/address.js'
import { HINT_KINDS, type HintKind } from '../core/hints.js'
import type { CheckResult } from '../core/model.js'
import type { Job } from '../health/jobs.js'
import type { Executors } from '../schedule/executors.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { endpointsOf } from './endpoints.js'
import { type GivenHint, type HintCounts, Hints } from './hints.js'
import { Knocker } from './knocker.js'
import { type SentinelState, Sentinels, type SentinelView } from './sentinels.js'
import { openTcp, type Tcp } from './tcp.js'

export interface EarlyChecksParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  readonly executors: Pick<Executors, 'atOnce' | 'next'>
  /** Maximum number of sentinels. */
  readonly most: number
  isChanging(id: string): boolean
  /** Returns the source address for a target; null: the kernel chooses. */
  sourceOf?: ((target: Address) => Address | null) | undefined
  /** Replaced in tests. */
  readonly openTcp?: () => Tcp
}

export interface Followed {
  readonly jobs: ReadonlyMap<string, Job>
  /** True for a job that a sentinel watches. */
  hasSentinel(id: string): boolean
  readonly isKnocking: boolean
}

export interface HintsSnapshot extends HintCounts {
  readonly sentinels: Readonly<Record<SentinelState | 'left-out', number>>
  /** Servers that refuse, and are knocked on. */
  readonly knocking: number
  /** What is known of a job. Times are milliseconds of the steady clock. */
  of(id: string): JobHints
}

export interface JobHints {
  /** Null: the check has none. */
  readonly sentinel: SentinelView | null
  readonly isKnocking: boolean
  /** The last hint that brought the check forward. */
  readonly last: GivenHint | null
}

export const NO_HINTS: HintsSnapshot = {
  given: Object.fromEntries(HINT_KINDS.map(kind => [kind, 0])) as Record<HintKind, number>,
  broughtForward: 0,
  dropped: 0,
  waiting: 0,
  sentinels: { closed: 0, waiting: 0, opening: 0, watching: 0, 'left-out': 0 },
  knocking: 0,
  of: () => ({ sentinel: null, isKnocking: false, last: null }),
}

export class EarlyChecks {
  readonly hints: Hints
  readonly #parts: EarlyChecksParts
  readonly #sentinels: Sentinels
  readonly #knocker: Knocker
  #tcp: Tcp | 'unavailable' | null = null
  #leftOut: ReadonlySet<string> = new Set()
  #toldLeftOut = 0

  constructor(parts: EarlyChecksParts) {
    this.#parts = parts
    const { clock, executors, isChanging, most } = parts
    this.hints = new Hints({ clock, executors, isChanging })
    const watch = {
      clock,
      // Opened by the first connection: most directors have no sentinel, and no server that refuses.
      tcp: { connect: ((...asked) => this.#open()?.connect(...asked) ?? 'ENOSYS') as Tcp['connect'] },
      sourceOf: (target: Address) => parts.sourceOf?.(target) ?? null,
      onHint: this.hints.give.bind(this.hints),
    }
    this.#sentinels = new Sentinels({ ...watch, most })
    this.#knocker = new Knocker(watch)
  }

  /** Takes the jobs of a configuration. */
  follow({ jobs, hasSentinel, isKnocking }: Followed): void {
    const all = [...jobs.values()]
    const watched = endpointsOf(all.filter(({ id }) => hasSentinel(id)))
    const leftOut = this.#sentinels.follow(watched)
    this.#leftOut = new Set(
      leftOut === 0
        ? []
        : [...watched.values()].flatMap(({ ids }) => ids.filter(id => !this.#sentinels.of(id))),
    )
    this.#tellLeftOut(leftOut)
    this.#knocker.follow(isKnocking ? endpointsOf(all) : new Map())
    this.hints.follow(id => jobs.has(id))
  }

  /** Hands a result to the health, with what brought it forward, and to all that follows it. */
  through(id: string, given: CheckResult, toHealth: (result: CheckResult) => void): void {
    const result = this.hints.explained(id, given)
    toHealth(result)
    this.#sentinels.result(id, result)
    this.#knocker.result(id, result)
    this.hints.judged(id, result)
  }

  snapshot(): HintsSnapshot {
    return {
      ...this.hints.counts,
      sentinels: { ...this.#sentinels.counts, 'left-out': this.#leftOut.size },
      knocking: this.#knocker.size,
      of: id => ({
        sentinel: this.#leftOut.has(id)
          ? { state: 'left-out', since: null, idleLimit: null }
          : this.#sentinels.of(id),
        isKnocking: this.#knocker.isKnocking(id),
        last: this.hints.lastOf(id),
      }),
    }
  }

  close(): void {
    this.hints.close()
    this.#sentinels.close()
    this.#knocker.close()
    if (this.#tcp !== 'unavailable') this.#tcp?.close()
    this.#tcp = 'unavailable'
  }

  #open(): Tcp | null {
    if (this.#tcp === null)
      try {
        this.#tcp = (this.#parts.openTcp ?? openTcp)()
      } catch (error) {
        this.#tcp = 'unavailable'
        this.#parts.log.warn(
          'hint.unavailable',
          { error: (error as Error).message },
          'lvsd can open neither sentinels nor bare connections on this machine: checks come at their intervals',
        )
      }
    return this.#tcp === 'unavailable' ? null : this.#tcp
  }

  #tellLeftOut(count: number): void {
    const isNew = count > this.#toldLeftOut
    this.#toldLeftOut = count
    if (!isNew) return
    const { most } = this.#parts
    this.#parts.log.warn(
      'sentinel.left-out',
      { count, most },
      `${counted(count, 'server')} get no sentinel, because the descriptors suffice for ${most}: raise LimitNOFILE`,
    )
  }
}
