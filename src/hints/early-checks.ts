/** All that brings checks forward: builds the sources of hints, and hands results and configurations to them. */
import type { Address } from '../core/address.js'
import type { CheckResult } from '../core/model.js'
import type { Job } from '../health/jobs.js'
import type { Executors } from '../schedule/executors.js'
import { isOwnWant } from '../system/find-program.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { ConnectAttempts } from './connect-attempts.js'
import { endpointsOf, lazyEndpoints } from './endpoints.js'
import { Hints } from './hints.js'
import { Knocker } from './knocker.js'
import { PathHints, type PathHintsParts } from './path-hints.js'
import { Sentinels } from './sentinels.js'
import type { HintsSnapshot } from './snapshot.js'
import { openTcp, type Tcp } from './tcp.js'

export interface EarlyChecksParts {
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  readonly executors: Pick<Executors, 'atOnce' | 'next' | 'giveUpConnecting'>
  /** Maximum number of sentinels. */
  readonly most: number
  isChanging(id: string): boolean
  /** Returns the source address for a target; null: the kernel chooses. */
  sourceOf?: ((target: Address) => Address | null) | undefined
  /** Routes and interfaces of this machine, and their changes. Null or absent: they give no hints. */
  readonly network?: Pick<PathHintsParts, 'paths' | 'openEvents'> | null
  /** Replaced in tests. */
  readonly openTcp?: () => Tcp
}

export interface Followed {
  readonly jobs: ReadonlyMap<string, Job>
  /** Ids of the jobs that a sentinel watches. */
  readonly watched: ReadonlySet<string>
  readonly isKnocking: boolean
  /** True for a job that may fail before its time limit while clients get no answer. */
  hasEarlyLimit(id: string): boolean
}

export class EarlyChecks {
  readonly hints: Hints
  readonly attempts: ConnectAttempts
  readonly #parts: EarlyChecksParts
  readonly #sentinels: Sentinels
  readonly #knocker: Knocker
  readonly #pathHints: PathHints | null
  #tcp: Tcp | 'unavailable' | null = null
  #leftOut: ReadonlySet<string> = new Set()
  #toldLeftOut = 0

  constructor(parts: EarlyChecksParts) {
    this.#parts = parts
    const { clock, executors, isChanging, most } = parts
    this.hints = new Hints({ clock, executors, isChanging, onStrong: id => this.attempts.begin(id) })
    const watch = {
      clock,
      // Opened by the first connection: most directors have no sentinel, and no server that refuses.
      tcp: { connect: ((...asked) => this.#open()?.connect(...asked) ?? 'ENOSYS') as Tcp['connect'] },
      sourceOf: (target: Address) => parts.sourceOf?.(target) ?? null,
      onHint: this.hints.give.bind(this.hints),
    }
    this.#sentinels = new Sentinels({ ...watch, most })
    this.#knocker = new Knocker(watch)
    this.attempts = new ConnectAttempts({ ...watch, executors })
    this.#pathHints = parts.network
      ? new PathHints({
          ...{ clock, onHint: watch.onHint, ...parts.network },
          onFailure: error => this.#tellUnavailable(error, 'lvsd does not hear of changes of its network'),
        })
      : null
  }

  /** Takes the jobs of a configuration. */
  follow({ jobs, watched: ids, isKnocking, hasEarlyLimit }: Followed): void {
    const watched = endpointsOf(ids.size === 0 ? [] : [...jobs.values()].filter(({ id }) => ids.has(id)))
    const leftOut = this.#sentinels.follow(watched)
    this.#leftOut = new Set(
      leftOut === 0
        ? []
        : [...watched.values()].flatMap(({ ids }) => ids.filter(id => !this.#sentinels.of(id))),
    )
    this.#tellLeftOut(leftOut)
    const endpoints = lazyEndpoints(jobs)
    this.#knocker.follow(isKnocking ? endpoints : lazyEndpoints(new Map()))
    this.attempts.follow(endpoints, id =>
      hasEarlyLimit(id) ? (jobs.get(id)?.use.policy.timeout ?? null) : null,
    )
    this.#pathHints?.follow(jobs)
    this.hints.follow(id => jobs.has(id))
  }

  /** Hands a result to the health, with what brought it forward, and to all that follows it. */
  passOn(id: string, given: CheckResult, toHealth: (result: CheckResult) => void): void {
    const result = this.hints.explained(id, this.attempts.result(id, given))
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
          ? { state: 'left-out', since: null, restsUntil: null, idleLimit: null }
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
    this.attempts.close()
    this.#pathHints?.close()
    if (this.#tcp !== 'unavailable') this.#tcp?.close()
    this.#tcp = 'unavailable'
  }

  #open(): Tcp | null {
    if (this.#tcp === null)
      try {
        this.#tcp = (this.#parts.openTcp ?? openTcp)()
      } catch (error) {
        // The next connection tries again when descriptors are free.
        if (isOwnWant((error as NodeJS.ErrnoException).code ?? '')) return null
        this.#tcp = 'unavailable'
        this.#tellUnavailable(error as Error, 'lvsd can open neither sentinels nor bare connections here')
      }
    return this.#tcp === 'unavailable' ? null : this.#tcp
  }

  #tellUnavailable({ message: error }: Error, what: string): void {
    this.#parts.log.warn('hint.unavailable', { error }, `${what}: checks come at their intervals`)
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
