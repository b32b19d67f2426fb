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
import { type Agreement, agreed } from '../../core/agreement.js'
import type { CheckResult, HealthState } from '../../core/model.js'
import { type Hashed, hashed, observersOf, phaseOf } from '../../core/observers.js'
import { DueHeap, type HeapItem } from '../../util/due-heap.js'
import { Outliers, toldApart, type Voter } from './outliers.js'

/** What is asked: a check of a target. */
export interface Question {
  /** Its name in this director: a job. */
  readonly job: string
  /** Its name in the site. */
  readonly key: string
  /** Milliseconds. */
  readonly interval: number
  readonly timeout: number
  /** The services that use it. */
  readonly services: readonly string[]
}

/**
 * What a director says of a question. own: each director has to ask by itself, because the check advises a weight.
 * `found`: why it is down.
 */
export interface Vote {
  readonly state: 'up' | 'down' | 'own'
  readonly found: Pick<CheckResult, 'reason' | 'phase' | 'detail'> | null
}

/** What a director tells of itself and of its verdicts. */
export interface Said {
  readonly id: string
  readonly host: string
  /** Names the process. */
  readonly instance: string
  /** Grows with each change of its verdicts. */
  readonly version: number
  /** The version that the changes follow; null: `votes` are all. */
  readonly base: number | null
  /** Milliseconds; null: as that of this director. */
  readonly heartbeat: number | null
  /** Milliseconds since the oldest result that a verdict of it comes from; null: it has none, or does not say it. */
  readonly oldest: number | null
  readonly isAble: boolean
  /** Hash of its services. */
  readonly config: string
  readonly votes: readonly (readonly [key: string, vote: Vote])[]
  readonly gone: readonly string[]
}

export interface SharingSettings {
  readonly observers: number
  readonly agree: Agreement
  /** Milliseconds. */
  readonly heartbeat: number
}

export interface SharedVerdictsParts {
  readonly self: { readonly id: string; readonly host: string; readonly instance: string }
  /** Hash of the services of this director. */
  config(): string
  /** True if this director has its network and checks as configured. */
  isAble(): boolean
  /** True if the director with the services of this hash has this service as this director has it. */
  isSame(config: string, service: string): boolean
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

/** When a question is asked: milliseconds after multiples of its interval, on the clock of the site. */
export interface Plan {
  readonly phase: number
}

/** A vote, for people. */
export interface VoteView extends Voter {
  readonly state: 'up' | 'down'
  readonly detail: string | null
}

/** What one director says. */
export interface Share extends Voter {
  /** Its verdicts. */
  readonly verdicts: number
  /** Milliseconds since the oldest result that one of them comes from; null: it has none, or does not say it. */
  readonly oldest: number | null
}

export interface SharingSnapshot extends SharingSettings {
  /** Questions that this director asks, and those that it hears of only. */
  readonly asked: number
  readonly heard: number
  /** Questions of which directors say different things. */
  readonly disputed: number
  /** Directors whose verdicts count at present, this one included. */
  readonly directors: readonly string[]
  /** What each of them says. */
  readonly shares: readonly Share[]
  /** Directors whose view differs from that of all others. */
  readonly outliers: readonly string[]
}

interface Director {
  readonly id: string
  readonly hashed: Hashed
  host: string
  instance: string
  heartbeat: number
  oldest: number | null
  isAble: boolean
  config: string
  /** -1: its verdicts have to be read. */
  version: number
  /** When it was heard last; null: it is gone. */
  beatAt: number | null
  /** Since when it has verdicts that were not read; null: all are known. */
  unreadSince: number | null
  votes: Map<string, Vote>
}

interface Item extends HeapItem {
  readonly question: Question
  readonly hashed: Hashed
  observers: readonly Hashed[]
  /** Observers that were chosen and had said nothing yet, by the time of that. */
  awaited: ReadonlyMap<string, number>
  own: Vote | null
  /** When the last result came of which `own` is. */
  ownAt: number
  /** A director has said that each must ask by itself. */
  isOwn: boolean
  /** An operator wants a result of this director. */
  isWanted: boolean
  plan: Plan | null
}

/** Directors that are heard. */
export const MOST_DIRECTORS = 64
/** Verdicts of one director. */
export const MOST_VOTES = 30_000
/** Heartbeats after which verdicts that cannot be read are forgotten. */
const UNREAD = 2
/** An observer that is gone is remembered as awaited for this many times of a question without a result. */
const COMES_AND_GOES = 3
const NOBODY: ReadonlyMap<string, number> = new Map()

export class SharedVerdicts {
  readonly #parts: SharedVerdictsParts
  #settings: SharingSettings | null = null
  #items = new Map<string, Item>()
  #byKey = new Map<string, Item>()
  readonly #directors = new Map<string, Director>()
  /** Own verdicts, by the time at which they are withdrawn. */
  readonly #own = new DueHeap<Item>()
  readonly #disputed = new Set<Item>()
  readonly #outliers = new Outliers()
  /** The candidates at the last look. */
  #fingerprint = ''
  /** Until when somebody may be awaited; null: nobody is. */
  #awaitedUntil: number | null = null
  /** The longest time of a question without a result. */
  #longest = 0
  /** The longest heartbeat of the living directors. */
  #slowest = 0
  #version = 0
  /** The version that the others have. */
  #told = 0
  #unsaid = new Set<string>()
  #asks = new Set<Item>()
  #news = new Set<Item>()

  constructor(parts: SharedVerdictsParts) {
    this.#parts = parts
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
      this.#unsaid.clear()
      // Who has this version must not take later changes for all that follows it.
      this.#told = ++this.#version
      this.#lookForOutliers([])
      if (before.size > 0) this.#parts.onAsk([...before.keys()])
      return
    }
    for (const question of questions.slice(0, MOST_VOTES)) {
      const old = before.get(question.job)
      const isSame = old?.question.key === question.key
      const item: Item = {
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
    const { ups, downs, voters } = this.#count(item)
    const since = this.#parts.now() - this.#patience(item)
    const isAwaited = (id: string) => (item.awaited.get(id) ?? since) > since
    const awaited = item.observers.filter(({ id }) => !voters.has(id) && isAwaited(id))
    return agreed({ ups, downs, awaited: awaited.length }, this.#settings.agree, current)
  }

  /** Returns what those have found who say this. */
  found(job: string, state: HealthState): CheckResult {
    const item = this.#items.get(job)
    const votes = item ? toldApart(this.#votes(item)).filter(([, vote]) => vote.state === state) : []
    const hosts = votes.map(([{ host }]) => host).join(', ')
    const found = votes.find(([, vote]) => vote.found)?.[1].found
    const isUp = state === 'up'
    return {
      ok: isUp,
      reason: isUp ? null : (found?.reason ?? 'error'),
      phase: isUp ? null : (found?.phase ?? null),
      detail: `${isUp ? 'the check passes' : (found?.detail ?? 'the check fails')}; asked by ${hosts}`,
      ms: 0,
      phases: [],
    }
  }

  /** Who says what of a question. */
  viewOf(job: string): readonly VoteView[] {
    const item = this.#items.get(job)
    if (!item || item.isOwn) return []
    return toldApart(this.#votes(item)).flatMap(([voter, { state, found }]) =>
      state === 'own' ? [] : [{ ...voter, state, detail: state === 'down' ? (found?.detail ?? null) : null }],
    )
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
      directors: [this.#parts.self, ...this.#living()].map(({ host }) => host),
      shares: this.#shares(),
      outliers: this.#outliers.current.map(({ host }) => host),
    }
  }

  #shares(): readonly Share[] {
    const { self, now } = this.#parts
    const own = { id: self.id, host: self.host, isSelf: true, verdicts: this.#ownCount, oldest: this.#oldest }
    const others = this.#living().map(({ id, host, votes, oldest, beatAt }) => {
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
    return this.#unsaid.size > 0
  }

  /** Returns what has changed since the others were told last, or nothing but a sign of life. */
  toSay(): Said {
    if (this.#unsaid.size > 0) this.#version++
    const votes: (readonly [string, Vote])[] = []
    const gone: string[] = []
    for (const key of this.#unsaid) {
      const own = this.#byKey.get(key)?.own
      if (own) votes.push([key, own])
      else gone.push(key)
    }
    return { ...this.#saidOfSelf(), base: this.#told, votes, gone }
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
    return { ...about, version: this.#version, isAble: isAble(), config: config() }
  }

  /** The others have been told this. */
  told(said: Said): void {
    this.#told = said.version
    for (const [key, vote] of said.votes) if (this.#byKey.get(key)?.own === vote) this.#unsaid.delete(key)
    for (const key of said.gone) if (!this.#byKey.get(key)?.own) this.#unsaid.delete(key)
  }

  // ---------------------------------------------------------------- the others

  /** Takes a sign of life with changes. Returns false if all verdicts of that director have to be read. */
  heard(said: Said): boolean {
    if (!this.#settings || said.id === this.#parts.self.id) return true
    const director = this.#directorOf(said)
    if (!director) return true
    if (director.instance !== said.instance) this.#forget(director)
    const { host, instance, oldest, isAble, config, base, version } = said
    const heartbeat = said.heartbeat ?? this.#settings.heartbeat
    const beatAt = this.#parts.now()
    Object.assign(director, { host, instance, heartbeat, oldest, isAble, config, beatAt })
    const isNext = base !== null && base === director.version
    if (isNext) {
      for (const [key, vote] of said.votes) this.#take(director, key, vote)
      for (const key of said.gone) this.#take(director, key, null)
      director.version = version
    }
    const isRead = isNext || (director.version >= version && director.version >= 0)
    director.unreadSince = isRead ? null : (director.unreadSince ?? this.#parts.now())
    this.#look()
    return isRead
  }

  /** Takes all verdicts of a director. */
  loaded(said: Said): void {
    const director = this.#directors.get(said.id)
    if (director?.instance !== said.instance || said.version < director.version) return
    const votes = new Map(said.votes)
    for (const key of director.votes.keys()) if (!votes.has(key)) this.#take(director, key, null)
    for (const [key, vote] of votes) this.#take(director, key, vote)
    director.version = said.version
    director.unreadSince = null
    this.#look()
  }

  /** Messages may have been lost: all verdicts are to be read again. */
  mayHaveMissed(): void {
    for (const director of this.#directors.values()) director.version = -1
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
    for (const director of this.#directors.values()) {
      const { beatAt, unreadSince, heartbeat } = director
      if (beatAt === null) continue
      if (now - beatAt > heartbeat) {
        director.beatAt = null
        director.unreadSince = null
        this.#forget(director)
      } else if (unreadSince !== null && now - unreadSince > UNREAD * heartbeat) this.#forget(director)
    }
    if (this.#awaitedUntil !== null && now >= this.#awaitedUntil) {
      this.#awaitedUntil = null
      for (const item of this.#items.values()) this.#news.add(item)
    }
    this.#look()
    this.#lookForOutliers(this.#disputed)
  }

  #directorOf({ id }: Said): Director | null {
    const known = this.#directors.get(id)
    if (known) return known
    if (this.#directors.size >= MOST_DIRECTORS) {
      const gone = [...this.#directors.values()].find(({ beatAt }) => beatAt === null)
      if (!gone) return null
      this.#directors.delete(gone.id)
    }
    const director: Director = {
      id,
      hashed: hashed(id),
      host: '',
      instance: '',
      heartbeat: 0,
      oldest: null,
      isAble: false,
      config: '',
      version: -1,
      beatAt: null,
      unreadSince: null,
      votes: new Map(),
    }
    this.#directors.set(id, director)
    return director
  }

  #take(director: Director, key: string, vote: Vote | null): void {
    const hasRoom = director.votes.size < MOST_VOTES || director.votes.has(key)
    if (vote && hasRoom) director.votes.set(key, vote)
    else director.votes.delete(key)
    const item = this.#byKey.get(key)
    if (!item) return
    if (vote?.state === 'own') item.isOwn = true
    this.#touch(item)
  }

  #forget(director: Director): void {
    const { votes } = director
    director.votes = new Map()
    director.version = -1
    for (const key of votes.keys()) {
      const item = this.#byKey.get(key)
      if (item) this.#touch(item)
    }
  }

  // ---------------------------------------------------------------- what follows

  /** Milliseconds without a result after which a verdict is withdrawn. */
  #limit({ question: { interval, timeout } }: Item): number {
    return interval + timeout + (this.#settings?.heartbeat ?? 0)
  }

  /** Milliseconds for which a new observer is awaited. */
  #patience({ question: { interval, timeout } }: Item): number {
    return interval + timeout + this.#slowest
  }

  #living(): readonly Director[] {
    return [...this.#directors.values()].filter(({ beatAt, isAble }) => beatAt !== null && isAble)
  }

  #isCandidate({ config }: Director, { question }: Item): boolean {
    const { isSame, config: own } = this.#parts
    return config === own() || question.services.some(name => isSame(config, name))
  }

  /** What counts, of this director and of others. */
  #votes(item: Item): readonly (readonly [Voter, Vote])[] {
    const { self } = this.#parts
    const own = item.own ? [[{ id: self.id, host: self.host, isSelf: true }, item.own] as const] : []
    return [...own, ...this.#votesOfOthers(item)]
  }

  #votesOfOthers(item: Item): readonly (readonly [Voter, Vote])[] {
    return [...this.#directors.values()].flatMap(director => {
      if (director.beatAt === null || !director.isAble) return []
      const vote = director.votes.get(item.question.key)
      if (!vote || !this.#isCandidate(director, item)) return []
      return [[{ id: director.id, host: director.host, isSelf: false }, vote] as const]
    })
  }

  #count(item: Item) {
    const voters = new Set<string>()
    let [ups, downs] = [0, 0]
    for (const [{ id }, { state }] of this.#votes(item)) {
      voters.add(id)
      if (state === 'up') ups++
      else if (state === 'down') downs++
    }
    return { ups, downs, voters }
  }

  #touch(item: Item): void {
    this.#dispute(item)
    this.#plan(item)
    this.#news.add(item)
  }

  #dispute(item: Item): void {
    const { ups, downs } = this.#count(item)
    if (ups > 0 && downs > 0) this.#disputed.add(item)
    else this.#disputed.delete(item)
  }

  /** Chooses the observers anew if the candidates are others. */
  #look(): void {
    const { self, isAble, config, knows } = this.#parts
    const own = config()
    const others = this.#living().map(
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
    const living = this.#living()
    this.#longest = 0
    this.#slowest = Math.max(settings.heartbeat, ...living.map(each => each.heartbeat))
    for (const item of this.#items.values()) {
      const others = living.filter(director => this.#isCandidate(director, item))
      const candidates = [...own, ...others.map(each => each.hashed)]
      item.observers = observersOf(item.hashed, candidates, settings.observers)
      item.awaited = this.#awaitedOf(item)
      this.#longest = Math.max(this.#longest, this.#patience(item))
      this.#touch(item)
    }
    this.#awaitedUntil = now() + this.#longest
  }

  /** One that comes and goes is not awaited anew each time: it would keep all others from deciding. */
  #awaitedOf(item: Item): ReadonlyMap<string, number> {
    const now = this.#parts.now()
    const { voters } = this.#count(item)
    const silent = item.observers.filter(({ id }) => !voters.has(id))
    if (silent.length + item.awaited.size === 0) return NOBODY
    const oldest = now - COMES_AND_GOES * this.#patience(item)
    const before = [...item.awaited].filter(([id, since]) => since > oldest && !voters.has(id))
    return new Map([...silent.map(({ id }) => [id, now] as const), ...before])
  }

  #plan(item: Item): void {
    const phase = this.#phaseOf(item)
    if (phase === (item.plan?.phase ?? null)) return
    item.plan = phase === null ? null : { phase }
    this.#asks.add(item)
  }

  #phaseOf(item: Item): number | null {
    const { id } = this.#parts.self
    const { key, interval } = item.question
    const rank = item.observers.findIndex(observer => observer.id === id)
    if (rank >= 0) return phaseOf(item.hashed, rank, item.observers.length, interval)
    const isAnswered = this.#votesOfOthers(item).some(([, { state }]) => state !== 'own')
    if (isAnswered && !item.isOwn && !item.isWanted) return null
    return phaseOf(hashed(`${key} ${id}`), 0, 1, interval)
  }

  #unsay({ question }: Item): void {
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

  #lookForOutliers(disputed: Iterable<Item>): void {
    const disputes = [...disputed].map(item => this.#votes(item))
    const { now, onOutlier } = this.#parts
    const comparedOf = ({ id, isSelf }: Voter) =>
      isSelf ? this.#ownCount : (this.#directors.get(id)?.votes.size ?? 0)
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
