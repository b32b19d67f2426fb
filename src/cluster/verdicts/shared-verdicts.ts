/**
 * The questions (checks of targets) that the directors of a site share: which of them this director asks, and what all
 * observers say. Knows neither Redis nor the schedule: it is told what others say and what the time is.
 *
 *   this director                     others say something   asks
 *   is an observer of the question    either                 yes, at its rank's time
 *   is none                           yes                    no: it hears
 *   is none                           no                     yes, at a time of its own
 *
 * So a director asks by itself whatever nobody else answers for, whether Redis, the network or the others are at fault.
 * What is in force stays until enough verdicts say otherwise (core/agreement.ts).
 *
 *   a director                                   its verdicts
 *   has sent nothing for one of its heartbeats   are forgotten
 *   sends, but its verdicts cannot be read       are forgotten after two of them
 *   is unable (no network, checks not on)        do not count, and it is no observer
 *   has other services of this question          do not count, and it is no observer of it
 *   has had no result of a question for its      it withdraws its verdict
 *   interval, its timeout and one heartbeat
 */
import { agreed } from '../../core/agreement.js'
import type { CheckResult, HealthState } from '../../core/model.js'
import { hashed, observersOf } from '../../core/observers.js'
import { DueHeap } from '../../util/due-heap.js'
import { HeardDirectors } from './heard-directors.js'
import { awaitedOf, NOBODY, phaseFor } from './observer-choice.js'
import { Outliers, type Voter } from './outliers.js'
import { QuestionVotes, type QuestionVotesParts } from './question-votes.js'
import { VerdictNews } from './verdict-news.js'
import {
  MOST_VOTES,
  type Plan,
  type Question,
  type Said,
  type Share,
  type SharedQuestion,
  type SharingSettings,
  type SharingSnapshot,
  type Vote,
  type VoteView,
} from './verdict-types.js'

export interface SharedVerdictsParts extends QuestionVotesParts {
  readonly self: { readonly id: string; readonly host: string; readonly instance: string }
  /** True if this director has its network and checks as configured. */
  isAble(): boolean
  /** True if it is known what `isSame` says of this hash. */
  knows(config: string): boolean
  /** Returns milliseconds of the steady clock. */
  now(): number
  /** `planOf` of these jobs has changed. */
  onAsk(jobs: readonly string[]): void
  /** What is said of these jobs has changed. */
  onVotes(jobs: readonly string[]): void
  /** `toSay` has something new. */
  onSay(): void
  /** The view of this director differs from that of all others, or no longer. */
  onOutlier(director: Voter, isOutlier: boolean): void
}

export class SharedVerdicts {
  readonly #parts: SharedVerdictsParts
  #settings: SharingSettings | null = null
  #items = new Map<string, SharedQuestion>()
  #byKey = new Map<string, SharedQuestion>()
  readonly #directors: HeardDirectors
  readonly #votes: QuestionVotes
  /** Own verdicts, by the time at which they are withdrawn. */
  readonly #own = new DueHeap<SharedQuestion>()
  readonly #disputed = new Set<SharedQuestion>()
  readonly #outliers = new Outliers()
  /** The candidates at the last look. */
  #fingerprint = ''
  /** Until when somebody may be awaited; null: nobody is. */
  #awaitedUntil: number | null = null
  /** The longest time of a question without a result. */
  #longest = 0
  /** The longest heartbeat of the living directors. */
  #slowest = 0
  readonly #unsaid = new VerdictNews()
  #asks = new Set<SharedQuestion>()
  #news = new Set<SharedQuestion>()

  constructor(parts: SharedVerdictsParts) {
    this.#parts = parts
    this.#directors = new HeardDirectors({
      self: parts.self.id,
      now: () => parts.now(),
      onVote: (key, vote) => this.#takeVote(key, vote),
    })
    this.#votes = new QuestionVotes(parts, this.#directors)
  }

  get isOn(): boolean {
    return this.#settings !== null
  }

  // ---------------------------------------------------------------- this director

  /** Takes the questions of a configuration; null: nothing is shared. Verdicts of a question that stays are kept. */
  follow(settings: SharingSettings | null, questions: readonly Question[]): void {
    const before = this.#items
    this.#settings = settings
    this.#items = new Map()
    this.#byKey = new Map()
    this.#disputed.clear()
    if (!settings) {
      for (const item of before.values()) this.#own.remove(item)
      this.#directors.clear()
      this.#unsaid.restart()
      this.#lookForOutliers([])
      if (before.size > 0) this.#parts.onAsk([...before.keys()])
      return
    }
    for (const question of questions.slice(0, MOST_VOTES)) {
      const old = before.get(question.job)
      const isSame = old?.question.key === question.key
      const item: SharedQuestion = {
        question,
        hashed: isSame ? old.hashed : hashed(question.key),
        observers: [],
        awaited: isSame ? old.awaited : NOBODY,
        own: isSame ? old.own : null,
        ownAt: old?.ownAt ?? 0,
        isOwn: isSame && old.isOwn,
        isWanted: false,
        // The plan by which the job runs.
        plan: old?.plan ?? null,
        due: 0,
        heapIndex: -1,
      }
      if (item.own && old) this.#own.put(item, old.due)
      // It may have run without a plan until now.
      if (!old) this.#asks.add(item)
      this.#items.set(question.job, item)
      this.#byKey.set(question.key, item)
    }
    const left: string[] = []
    for (const item of before.values()) {
      const { key, job } = item.question
      this.#own.remove(item)
      // A question may have another job now, as by another password: that one has said nothing.
      if (item.own && !this.#byKey.get(key)?.own) this.#unsaid.add(key)
      if (!this.#items.has(job)) left.push(job)
    }
    this.#assign()
    // At first all are scheduled with the configuration, and what is said of them is looked at after it.
    if (before.size === 0) this.#asks.clear()
    this.#flushAsks()
    // They may still be jobs, which every director runs by itself from now on.
    if (left.length > 0) this.#parts.onAsk(left)
  }

  /** Returns when this director asks; null: it does not. Undefined: the question is not shared. */
  planOf(job: string): Plan | null | undefined {
    return this.#items.get(job)?.plan
  }

  /** True unless this director only hears of the question. */
  asks(job: string): boolean {
    return this.planOf(job) !== null
  }

  /** True if this director says something of the question. */
  hasOwn(job: string): boolean {
    return this.#items.get(job)?.own != null
  }

  /** Asks once, though the question may be one that is heard of only. */
  want(job: string): void {
    const item = this.#items.get(job)
    if (!item || item.plan) return
    item.isWanted = true
    this.#plan(item)
    this.#flush()
  }

  /** Notes what this director says after a result. `isSettled`: no run is to follow soon. */
  say(job: string, state: HealthState, result: CheckResult, isSettled: boolean): void {
    const item = this.#items.get(job)
    if (!item || state === 'unknown') return
    const isOwn = result.advice !== undefined
    if (isOwn) item.isOwn = true
    const { reason, phase, detail } = result
    const found = state === 'down' && result.ok === false ? { reason, phase, detail } : null
    const before = item.own
    item.own = { state: item.isOwn ? 'own' : state, found: found ?? before?.found ?? null }
    item.ownAt = this.#parts.now()
    this.#own.put(item, item.ownAt + this.#limit(item))
    if (before?.state !== item.own.state) this.#unsay(item)
    if (isSettled) item.isWanted = false
    this.#dispute(item)
    this.#plan(item)
    this.#flush()
  }

  /** Returns the state that counts; null: the question is not shared. */
  agreed(job: string, current: HealthState): HealthState | null {
    const item = this.#items.get(job)
    if (!item || !this.#settings || item.isOwn) return null
    const { ups, downs, voters } = this.#votes.count(item)
    const since = this.#parts.now() - this.#patience(item)
    const isAwaited = (id: string) => (item.awaited.get(id) ?? since) > since
    const awaited = item.observers.filter(({ id }) => !voters.has(id) && isAwaited(id))
    return agreed({ ups, downs, awaited: awaited.length }, this.#settings.agree, current)
  }

  /** Returns what those have found who say this. */
  found(job: string, state: HealthState): CheckResult {
    return this.#votes.found(this.#items.get(job), state)
  }

  /** Who says what of a question. */
  viewOf(job: string): readonly VoteView[] {
    const item = this.#items.get(job)
    return item ? this.#votes.viewOf(item) : []
  }

  /** Null: nothing is shared. */
  snapshot(): SharingSnapshot | null {
    const settings = this.#settings
    if (!settings) return null
    const asked = [...this.#items.values()].filter(({ plan }) => plan).length
    return {
      ...settings,
      asked,
      heard: this.#items.size - asked,
      disputed: this.#disputed.size,
      directors: [this.#parts.self, ...this.#directors.living].map(({ host }) => host),
      shares: this.#shares(),
      outliers: this.#outliers.current.map(({ host }) => host),
    }
  }

  #shares(): readonly Share[] {
    const { self, now } = this.#parts
    const own = { id: self.id, host: self.host, isSelf: true, verdicts: this.#ownCount, oldest: this.#oldest }
    const others = this.#directors.living.map(({ id, host, votes, oldest, beatAt }) => {
      const since = beatAt === null ? 0 : now() - beatAt
      return {
        id,
        host,
        isSelf: false,
        verdicts: votes.size,
        oldest: oldest === null ? null : oldest + since,
      }
    })
    return [own, ...others]
  }

  /** All that this director asks is to be placed on the clock of the site anew. */
  replace(): void {
    this.#parts.onAsk([...this.#items.values()].flatMap(({ plan, question }) => (plan ? [question.job] : [])))
  }

  // ---------------------------------------------------------------- what it tells

  get hasNews(): boolean {
    return !this.#unsaid.isEmpty
  }

  /** Returns what has changed since the others were told last, or nothing but a sign of life. */
  toSay(): Said {
    const changes = this.#unsaid.changes(this.#ownVote)
    return { ...this.#saidOfSelf(), ...changes }
  }

  /** Returns all that this director says. */
  allToSay(): Said {
    const votes = [...this.#byKey].flatMap(([key, { own }]) => (own ? [[key, own] as const] : []))
    return { ...this.#saidOfSelf(), base: null, votes, gone: [] }
  }

  #saidOfSelf() {
    const { self, config, isAble } = this.#parts
    const { id, host, instance } = self
    const { heartbeat = null } = this.#settings ?? {}
    const about = { id, host, instance, heartbeat, oldest: this.#oldest }
    return { ...about, version: this.#unsaid.version, isAble: isAble(), config: config() }
  }

  /** The others have been told this. */
  told(said: Said): void {
    this.#unsaid.told(said, this.#ownVote)
  }

  readonly #ownVote = (key: string) => this.#byKey.get(key)?.own

  // ---------------------------------------------------------------- the others

  /** Takes a sign of life with changes. Returns false if all verdicts of that director have to be read. */
  heard(said: Said): boolean {
    if (!this.#settings) return true
    const isRead = this.#directors.heard(said, this.#settings.heartbeat)
    this.#look()
    return isRead
  }

  /** Takes all verdicts of a director. */
  loaded(said: Said): void {
    if (this.#directors.loaded(said)) this.#look()
  }

  /** Messages may have been lost: all verdicts are to be read again. */
  mayHaveMissed(): void {
    this.#directors.mayHaveMissed()
  }

  /** Does what time brings. To be called several times in each heartbeat. */
  look(): void {
    const now = this.#parts.now()
    for (let { first } = this.#own; first && first.due <= now; { first } = this.#own) {
      this.#own.remove(first)
      first.own = null
      first.isWanted = false
      this.#unsay(first)
      this.#touch(first)
    }
    this.#directors.look()
    if (this.#awaitedUntil !== null && now >= this.#awaitedUntil) {
      this.#awaitedUntil = null
      for (const item of this.#items.values()) this.#news.add(item)
    }
    this.#look()
    this.#lookForOutliers(this.#disputed)
  }

  #takeVote(key: string, vote: Vote | null): void {
    const item = this.#byKey.get(key)
    if (!item) return
    if (vote?.state === 'own') item.isOwn = true
    this.#touch(item)
  }

  // ---------------------------------------------------------------- what follows

  /** Milliseconds without a result after which a verdict is withdrawn. */
  #limit({ question: { interval, timeout } }: SharedQuestion): number {
    return interval + timeout + (this.#settings?.heartbeat ?? 0)
  }

  /** Milliseconds for which a new observer is awaited. */
  #patience({ question: { interval, timeout } }: SharedQuestion): number {
    return interval + timeout + this.#slowest
  }

  #touch(item: SharedQuestion): void {
    this.#dispute(item)
    this.#plan(item)
    this.#news.add(item)
  }

  #dispute(item: SharedQuestion): void {
    const { ups, downs } = this.#votes.count(item)
    if (ups > 0 && downs > 0) this.#disputed.add(item)
    else this.#disputed.delete(item)
  }

  /** Chooses the observers anew if the candidates are others. */
  #look(): void {
    const { self, isAble, config, knows } = this.#parts
    const own = config()
    const others = this.#directors.living.map(
      ({ id, config: hash, heartbeat }) => `${id} ${hash} ${knows(hash)} ${heartbeat}`,
    )
    const fingerprint = [`${self.id} ${own} ${isAble()}`, ...others.sort()].join('\n')
    if (fingerprint !== this.#fingerprint) {
      this.#fingerprint = fingerprint
      this.#assign()
    }
    this.#flush()
  }

  #assign(): void {
    const settings = this.#settings
    if (!settings) return
    const { self, isAble, now } = this.#parts
    const own = isAble() ? [hashed(self.id)] : []
    const living = this.#directors.living
    this.#longest = 0
    this.#slowest = Math.max(settings.heartbeat, ...living.map(each => each.heartbeat))
    for (const item of this.#items.values()) {
      const others = living.filter(director => this.#votes.isCandidate(director, item))
      const candidates = [...own, ...others.map(each => each.hashed)]
      item.observers = observersOf(item.hashed, candidates, settings.observers)
      const { voters } = this.#votes.count(item)
      item.awaited = awaitedOf(item, voters, { now: now(), patience: this.#patience(item) })
      this.#longest = Math.max(this.#longest, this.#patience(item))
      this.#touch(item)
    }
    this.#awaitedUntil = now() + this.#longest
  }

  #plan(item: SharedQuestion): void {
    const isAnswered = this.#votes.ofOthers(item).some(([, { state }]) => state !== 'own')
    const phase = phaseFor(item, this.#parts.self.id, isAnswered)
    if (phase === (item.plan?.phase ?? null)) return
    item.plan = phase === null ? null : { phase }
    this.#asks.add(item)
  }

  #unsay({ question }: SharedQuestion): void {
    this.#unsaid.add(question.key)
    this.#parts.onSay()
  }

  #flush(): void {
    this.#flushAsks()
    const news = this.#news
    this.#news = new Set()
    if (news.size > 0) this.#parts.onVotes([...news].map(({ question }) => question.job))
  }

  #flushAsks(): void {
    const asks = this.#asks
    this.#asks = new Set()
    if (asks.size > 0) this.#parts.onAsk([...asks].map(({ question }) => question.job))
  }

  // ---------------------------------------------------------------- whose view differs

  #lookForOutliers(disputed: Iterable<SharedQuestion>): void {
    const disputes = [...disputed].map(item => this.#votes.of(item))
    const { now, onOutlier } = this.#parts
    const comparedOf = ({ id, isSelf }: Voter) => (isSelf ? this.#ownCount : this.#directors.sizeOf(id))
    for (const { voter, isOutlier } of this.#outliers.look(disputes, comparedOf, now(), this.#longest))
      onOutlier(voter, isOutlier)
  }

  /** Milliseconds since the oldest result of which this director says something. */
  get #oldest(): number | null {
    let oldest: number | null = null
    for (const { own, ownAt } of this.#items.values()) if (own) oldest = Math.min(oldest ?? ownAt, ownAt)
    return oldest === null ? null : Math.round(this.#parts.now() - oldest)
  }

  get #ownCount(): number {
    let count = 0
    for (const { own } of this.#items.values()) if (own) count++
    return count
  }
}
