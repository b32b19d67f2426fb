/** The verdicts of the site: the shared questions, their messages in Redis, and what the log tells of them. */
import type { IsSecretName } from '../../config/secret-text.js'
import type { Agreement } from '../../core/agreement.js'
import type { CheckResult, HealthState } from '../../core/model.js'
import type { Log } from '../../system/log.js'
import { type Clock, steadyNow } from '../../util/clock.js'
import type { SiteRedis } from '../redis/site-redis.js'
import { type Asker, questionsOf } from './question-key.js'
import { SharedVerdicts, type SharedVerdictsParts } from './shared-verdicts.js'
import { VerdictLink } from './verdict-link.js'
import type { SharingSettings, SharingSnapshot, VoteView } from './verdict-types.js'

export interface SiteVerdictsParts
  extends Pick<SharedVerdictsParts, 'config' | 'isAble' | 'isSame' | 'knows'> {
  readonly redis: SiteRedis
  readonly follower: VerdictsFollower | null
  readonly identity: SharedVerdictsParts['self']
  readonly log: Pick<Log, 'error' | 'info' | 'warn'>
  readonly clock?: Pick<Clock, 'alarm'>
  /** Returns milliseconds of the steady clock. */
  readonly now?: () => number
}

/** Who follows the verdicts: the schedule, and the health. */
export interface VerdictsFollower {
  /** When this director asks these has changed. */
  onAsk(jobs: readonly string[]): void
  /** What is said of these has changed. */
  onVotes(jobs: readonly string[]): void
}

/** When a job of this director runs; null: not at all. */
export interface AskPlan {
  /** Milliseconds from now to a time of the grid on which it runs. */
  readonly grid: number
}

export interface VerdictSettings {
  readonly observers?: number | null
  readonly agree?: Agreement
  readonly heartbeat: number
}

export class SiteVerdicts {
  readonly #now: () => number
  readonly #shared: SharedVerdicts
  readonly #link: VerdictLink
  #settings: SharingSettings | null = null
  #isSecret: IsSecretName = () => false

  constructor(parts: SiteVerdictsParts) {
    this.#now = parts.now ?? steadyNow
    const { identity, log, follower } = parts
    this.#shared = new SharedVerdicts({
      ...parts,
      self: identity,
      now: this.#now,
      onAsk: jobs => follower?.onAsk(jobs),
      onVotes: jobs => follower?.onVotes(jobs),
      onSay: () => this.#link.saySoon(),
      onOutlier: ({ host: director, isSelf }, isOutlier) => {
        const whose = isSelf ? 'this director' : `the director ${director}`
        if (isOutlier)
          log.warn(
            'cluster.view-differs',
            { director },
            `${whose} finds other servers down than all other directors: its network may be at fault`,
          )
        else
          log.info(
            'cluster.view-agrees',
            { director },
            `${whose} finds the same as the other directors again`,
          )
      },
    })
    this.#link = new VerdictLink({ ...parts, verdicts: this.#shared, now: this.#now })
  }

  /** Takes the settings of a configuration; null: no cluster with Redis. */
  follow(settings: VerdictSettings | null, isSecret: IsSecretName): void {
    const { observers = null, agree = 'majority', heartbeat } = settings ?? {}
    this.#settings = heartbeat !== undefined && observers !== null ? { observers, agree, heartbeat } : null
    this.#isSecret = isSecret
    if (!this.#settings) this.#shared.follow(null, [])
    this.#link.follow(this.#settings?.heartbeat ?? null)
  }

  /** True if directors share checks by the settings. */
  get isSharing(): boolean {
    return this.#settings !== null
  }

  /** Takes what is asked: the subscribers of all jobs. */
  take(askers: () => Iterable<Asker>): void {
    if (this.#settings) this.#shared.follow(this.#settings, questionsOf(askers(), this.#isSecret))
  }

  /** Returns when this director runs a job; null: it does not. Undefined: as without other directors. */
  planOf(job: string, interval: number): AskPlan | null | undefined {
    const plan = this.#shared.planOf(job)
    if (!plan) return plan
    const at = (plan.phase - this.#now() - this.#link.offset) % interval
    return { grid: at < 0 ? at + interval : at }
  }

  asks(job: string): boolean {
    return this.#shared.asks(job)
  }

  hasOwn(job: string): boolean {
    return this.#shared.hasOwn(job)
  }

  say(job: string, state: HealthState, result: CheckResult, isSettled: boolean): void {
    this.#shared.say(job, state, result, isSettled)
  }

  agreed(job: string, current: HealthState): HealthState | null {
    return this.#shared.agreed(job, current)
  }

  found(job: string, state: HealthState): CheckResult {
    return this.#shared.found(job, state)
  }

  /** Whether this director is able to observe may have changed: the others hear of it at once. */
  ableChanged(): void {
    if (this.#settings) this.#link.sayNow()
  }

  /** Has a job run once, whoever asks it otherwise. */
  want(job: string): void {
    this.#shared.want(job)
  }

  viewOf(job: string): readonly VoteView[] {
    return this.#shared.viewOf(job)
  }

  snapshot(): SharingSnapshot | null {
    return this.#shared.snapshot()
  }

  /** Withdraws all verdicts. Never rejects. */
  async close(): Promise<void> {
    await this.#link.leave()
  }
}
