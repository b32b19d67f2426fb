/** Directors that share checks, on a clock of the test: their servers, and the Redis between them, which loses and delays. */
import type { Check } from '../../src/check/check.js'
import { questionsOf } from '../../src/cluster/verdicts/question-key.js'
import { SharedVerdicts } from '../../src/cluster/verdicts/shared-verdicts.js'
import { saidOf, textOf } from '../../src/cluster/verdicts/verdict-text.js'
import type { Said } from '../../src/cluster/verdicts/verdict-types.js'
import type { Agreement } from '../../src/core/agreement.js'
import { HealthStore } from '../../src/health/health-store.js'
import { config, failed, passed, real, service, use } from './tables.js'

export const HEARTBEAT = 1000
export const INTERVAL = 2000
export const TIMEOUT = 500
export const FALL = 2
/** Milliseconds of a step of the clock. */
export const STEP = 25
/** Milliseconds after which what has been decided of an unreachable server has to be in force everywhere. */
export const DECIDED = 2 * (INTERVAL + TIMEOUT + HEARTBEAT) + FALL * INTERVAL + HEARTBEAT

const CHECKS = new Map<string, Check>([
  ['ask', { name: 'ask', summary: 'ask', options: () => ({}), run: async () => passed() }],
])

interface Transit {
  readonly at: number
  readonly to: SimulatedDirector
  readonly text: string
}

/** The servers, Redis, and the time. */
export class VerdictSite {
  now = 0
  readonly directors: SimulatedDirector[] = []
  /** Whether each server answers, and since when. */
  readonly servers: { isUp: boolean; since: number }[]
  /** Milliseconds and directors of all questions, by server. */
  readonly asked: { readonly at: number; readonly by: string }[][]
  /** Removals of servers that had answered for long. */
  readonly falseRemovals: string[] = []
  isRedisThere = true
  readonly stored = new Map<string, string>()
  readonly #transit: Transit[] = []
  readonly #random: () => number
  /** The part of the messages that get lost, and milliseconds of delay at most. */
  readonly loss: number
  readonly delay: number

  constructor(random: () => number, { servers = 12, loss = 0, delay = 50 } = {}) {
    this.#random = random
    this.loss = loss
    this.delay = delay
    this.servers = Array.from({ length: servers }, () => ({ isUp: true, since: 0 }))
    this.asked = this.servers.map(() => [])
  }

  send(from: SimulatedDirector, text: string): void {
    for (const to of this.directors)
      if (to !== from && to.isConnected && this.#random() >= this.loss)
        this.#transit.push({ at: this.now + this.#random() * this.delay, to, text })
  }

  set(server: number, isUp: boolean): void {
    const one = this.servers[server]
    if (one && one.isUp !== isUp) Object.assign(one, { isUp, since: this.now })
  }

  run(ms: number): void {
    for (const end = this.now + ms; this.now < end; this.now += STEP) {
      const arrived = this.#transit.filter(({ at }) => at <= this.now)
      for (const each of arrived) {
        this.#transit.splice(this.#transit.indexOf(each), 1)
        each.to.hear(each.text)
      }
      for (const director of this.directors) director.step()
    }
  }
}

export class SimulatedDirector {
  readonly name: string
  isAlive = true
  isStopped = false
  /** It reaches Redis. */
  isJoined = true
  hasNetwork = true
  /** Servers that this director alone cannot reach, although it has its network. */
  readonly unreachable = new Set<number>()
  readonly shared: SharedVerdicts
  readonly store: HealthStore
  readonly #site: VerdictSite
  /** Milliseconds by which its clocks differ from those of the others. */
  readonly #offset: number
  readonly #jobs: readonly string[]
  readonly #inbox: string[] = []
  #lastAsk = new Map<string, number>()
  #saidAt = Number.NEGATIVE_INFINITY
  #isToSay = false

  constructor(
    site: VerdictSite,
    name: string,
    offset: number,
    { observers = 2, agree = 'majority' as Agreement } = {},
  ) {
    this.#site = site
    this.name = name
    this.#offset = offset
    this.shared = new SharedVerdicts({
      self: { id: name, host: name, instance: `${name} ${site.now}` },
      config: () => 'c0ffee',
      isAble: () => this.hasNetwork,
      isSame: () => true,
      knows: () => true,
      now: () => this.#now,
      onAsk: () => {},
      onVotes: jobs => this.#heard(jobs),
      onSay: () => {
        this.#isToSay = true
      },
      onOutlier: () => {},
    })
    this.store = new HealthStore(undefined, undefined, {
      setDeadline: () => {},
      setDownDeadline: () => {},
      onChange: () => {},
      wall: () => 0,
      shared: this.shared,
    })
    const policy = { interval: INTERVAL, timeout: TIMEOUT, rise: 2, fall: FALL }
    const reals = site.servers.map((_, i) => real(`fd00:1::${i + 1}`, { checks: [use('ask', {}, policy)] }))
    this.store.applyConfig(config([service('web', { reals })]), CHECKS, this.#now)
    this.#jobs = [...this.store.jobs.keys()]
    const settings = { observers, agree, heartbeat: HEARTBEAT }
    this.shared.follow(
      settings,
      questionsOf(this.store.allSubscribers(), () => false),
    )
    site.directors.push(this)
  }

  get #now(): number {
    return this.#site.now + this.#offset
  }

  get isRunning(): boolean {
    return this.isAlive && !this.isStopped
  }

  get isConnected(): boolean {
    return this.isAlive && this.isJoined && this.#site.isRedisThere
  }

  stateOf(server: number) {
    const found = this.store.config?.services[0]?.reals[server]
    return found ? this.store.stateOf(found) : 'unknown'
  }

  hear(text: string): void {
    this.#inbox.push(text)
  }

  step(): void {
    if (!this.isRunning) return
    for (const text of this.#inbox.splice(0)) this.#take(text)
    if (this.#isToSay || this.#site.now - this.#saidAt >= HEARTBEAT / 4) this.#say()
    for (const [i, job] of this.#jobs.entries()) if (this.#isDue(job)) this.#ask(i, job)
  }

  #take(text: string): void {
    const said = saidOf(text, false)
    if (!said || Math.abs(this.#site.now - said.at) > HEARTBEAT || this.shared.heard(said)) return
    const all = this.isConnected ? saidOf(this.#site.stored.get(said.id) ?? '', true) : null
    if (all) this.shared.loaded(all)
  }

  #say(): void {
    this.#saidAt = this.#site.now
    this.shared.look()
    if (!this.isConnected) return
    this.#isToSay = false
    const said: Said = this.shared.toSay()
    const at = this.#site.now
    this.#site.stored.set(this.name, textOf({ ...this.shared.allToSay(), at }))
    this.#site.send(this, textOf({ ...said, at }))
    this.shared.told(said)
  }

  #isDue(job: string): boolean {
    const plan = this.shared.planOf(job)
    if (!plan) return false
    const last = this.#lastAsk.get(job)
    if (last === undefined) return true
    // The time of the site, which is that of Redis.
    const { now } = this.#site
    const slot = Math.floor((now - plan.phase) / INTERVAL) * INTERVAL + plan.phase
    return slot > last
  }

  #ask(server: number, job: string): void {
    const { now, servers, asked } = this.#site
    this.#lastAsk.set(job, now)
    asked[server]?.push({ at: now, by: this.name })
    const there = servers[server]
    if (!there) return
    const isUp = there.isUp && !this.unreachable.has(server)
    // What is lost with the own network is excused, as the monitor of the connectivity does it.
    const result = this.hasNetwork
      ? isUp
        ? passed()
        : failed()
      : { ...failed(), ok: null, reason: 'no-verdict' as const }
    this.#note(job, this.store.result(job, result, this.#now).transitions)
  }

  #heard(jobs: readonly string[]): void {
    for (const job of jobs) this.#note(job, this.store.heard(job, this.#now).transitions)
  }

  #note(job: string, transitions: readonly { readonly to: string }[]): void {
    const i = this.#jobs.indexOf(job)
    const server = this.#site.servers[i]
    if (!server?.isUp || !transitions.some(({ to }) => to === 'down')) return
    const upFor = this.#site.now - server.since
    if (upFor > DECIDED)
      this.#site.falseRemovals.push(`${this.name} removes ${i} at ${this.#site.now}, up for ${upFor}`)
  }
}
