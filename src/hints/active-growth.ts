/**
 * Looks at the active connections of real servers, and gives a hint where they grow and none ends (core/active-growth.ts),
 * or where they are refused (core/refusals.ts). Where a check may fail early, the first connection that does not end is
 * followed by a bare connect, which gives the hint sooner if nobody answers it, or it is refused.
 */
import {
  type Growing,
  type Growth,
  growingOf,
  type Looks,
  looksBy,
  nextGrowth,
  type Saved,
  type Sooner,
  TIMED,
} from '../core/active-growth.js'
import { type Budget, fullBudget, type Hint, spend } from '../core/hints.js'
import { keyOfService, type ServiceId } from '../core/model.js'
import { retryAfter } from '../core/read-pace.js'
import { nextRefusals, type Refusals, refusingOf } from '../core/refusals.js'
import type { ActiveConnections, Kernel } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'
import { wakeCost } from '../util/wake-cost.js'
import type { ConnectAttempts } from './connect-attempts.js'

export interface ActiveGrowthParts {
  readonly clock: Pick<Clock, 'alarm' | 'now'>
  readonly log: Pick<Log, 'error'>
  readonly kernel: Pick<Kernel, 'active'>
  /** Returns the services over TCP that are in the kernel's table. */
  services(): Iterable<ServiceId>
  /** Returns the jobs of a real server that gets new connections, else none. Keys are those of the kernel's table. */
  jobsOf(service: string, real: string): readonly string[]
  onHint(ids: readonly string[], hint: Hint): void
  readonly attempts: Pick<ConnectAttempts, 'mayAsk' | 'ask' | 'isUsed'>
  /** Milliseconds of one processor to wake up for a look; replaced in tests. */
  readonly wake?: number
}

/** Milliseconds to the first look. */
const FIRST_IN = 1000
/** The first looks take longer, whatever there is to read: so many come at this pause, in milliseconds, before what they take counts. */
const UNKNOWN = { looks: 8, pause: 100 } as const
/** Milliseconds between two looks where nothing changes, and after which that is so. */
const IDLE = { every: 250, after: 5000 } as const
/**
 * Milliseconds between the first two hints about the same server, or bare connects to it, and the most: each pause is twice
 * as long as the one before. The server has answered then, and connections that last for hours would go on for ever.
 */
const AGAIN_AFTER = { hint: 2000, ask: 500, most: 32_000 } as const
/** Bare connects for the whole director: a slow answer of a server is no reason for one at each look. */
const ASKED = { perSecond: 5, burst: 10 } as const
/** Looks at the same services before it is the turn of others, where one look cannot read all: a sign takes three. */
const LOOKS_IN_TURN = 4

/** When something was last done about a real server, and the pause after it, by sign, service and real server. */
class Pauses {
  readonly #first: number
  readonly #last = new Map<string, { readonly at: number; readonly pause: number }>()

  /** `first`: milliseconds of the first pause. */
  constructor(first: number) {
    this.#first = first
  }

  isOver(key: string, now: number): boolean {
    const last = this.#last.get(key)
    return last === undefined || now - last.at >= last.pause
  }

  begin(key: string, now: number): void {
    const last = this.#last.get(key)
    const pause = last ? Math.min(2 * last.pause, AGAIN_AFTER.most) : this.#first
    this.#last.set(key, { at: now, pause })
  }

  /** Forgets servers about which nothing was to be done for as long as a pause. */
  forget(now: number): void {
    for (const [key, { at, pause }] of this.#last) if (now - at >= 2 * pause) this.#last.delete(key)
  }
}

interface Watched {
  readonly found: ActiveConnections
  readonly growth: readonly Growth[]
  readonly refusals: readonly Refusals[]
  /** True if nothing but the numbers is known, so that the same ones tell nothing new. */
  readonly isQuiet: boolean
}

/** A look that is to come sooner: why, and the services that it reads. */
interface Wanted {
  readonly why: Sooner
  readonly services: ReadonlySet<ServiceId>
}

/** What connections of clients tell of a server. */
type Sign = 'unanswered' | 'refused'

export class ActiveGrowth {
  readonly #parts: ActiveGrowthParts
  readonly #looks: Poller
  readonly #wake: number
  #services = new Map<string, Watched>()
  /** Milliseconds that one service took in the last looks. */
  #times: readonly number[] = []
  #saved: Saved
  /** The services whose turn it is, by their place among all, and the looks at them. */
  #turn = { from: 0, to: 0, looks: 0 }
  #changedAt: number
  /** What this look wants of the next one: it has found first connections. */
  #wanted: Wanted | null = null
  /** True for a look that reads what the last one wanted. The next one reads all again, so that nobody waits for long. */
  #isPart = false
  /** The services that the last look has read that was no part. */
  #count = 0
  /** Looks in a row that could read nothing. */
  #failures = 0
  readonly #given = new Pauses(AGAIN_AFTER.hint)
  readonly #asked = new Pauses(AGAIN_AFTER.ask)
  #asks: Budget

  constructor(parts: ActiveGrowthParts) {
    this.#parts = parts
    this.#wake = parts.wake ?? wakeCost()
    this.#changedAt = parts.clock.now()
    this.#saved = { ms: 0, at: this.#changedAt }
    this.#asks = fullBudget(ASKED, this.#changedAt)
    this.#looks = new Poller('active connections', () => this.#look(), parts)
    this.#looks.every(FIRST_IN)
  }

  close(): Promise<void> {
    return this.#looks.stop()
  }

  #look(): void {
    try {
      const { clock, attempts } = this.#parts
      const began = clock.now()
      const count = this.#read(began)
      // Processor time is not asked for: where a system call is dear, that would be a part of what a look takes.
      const ended = clock.now()
      // Without services it tells nothing of what one takes.
      if (count > 0) this.#times = [...this.#times, (ended - began) / count].slice(-TIMED)
      const looks = looksBy(this.#times, this.#wake, attempts.isUsed)
      const isKnown = this.#times.length >= UNKNOWN.looks
      this.#saved = isKnown ? looks.after(this.#saved, count, ended) : { ms: 0, at: ended }
      this.#looks.every(this.#pause(looks, count, ended))
      this.#failures = 0
    } catch {
      this.#services.clear()
      // Where it is the turn of some of them, the others may be there.
      this.#turn = { ...this.#turn, looks: LOOKS_IN_TURN }
      this.#looks.every(retryAfter(++this.#failures))
    }
  }

  /** Returns the milliseconds to the next look, after one that has read so many services. */
  #pause(looks: Looks, count: number, now: number): number {
    const wanted = this.#wanted
    if (count === 0) return IDLE.every
    if (this.#times.length < UNKNOWN.looks) return UNKNOWN.pause
    const isIdle = now - this.#changedAt > IDLE.after
    if (isIdle) return Math.max(IDLE.every, looks.pause(count, this.#saved, null))
    const next = wanted && !this.#isPart ? wanted.services.size : this.#count
    return looks.pause(next, this.#saved, wanted?.why ?? null)
  }

  /** Returns the number of services that it has asked for. Throws the error of the kernel if it could read none of them. */
  #read(now: number): number {
    for (const pauses of [this.#given, this.#asked]) pauses.forget(now)
    const before = this.#services
    const those = this.#those()
    // What is not read any more is forgotten.
    const services = new Map(this.#isPart ? before : [])
    this.#wanted = null
    const errors: unknown[] = []
    for (const id of those) {
      const key = keyOfService(id)
      const known = before.get(key)
      services.delete(key)
      try {
        const watched = this.#followed(known, this.#parts.kernel.active(id), now)
        services.set(key, watched)
        if (watched !== known) this.#judge(id, watched, now)
      } catch (error) {
        // Another program may have deleted it. The others are watched.
        errors.push(error)
      }
    }
    if (!this.#isPart && errors.length > 0 && errors.length === those.length) throw errors[0]
    this.#services = services
    if (!this.#isPart) this.#count = those.length
    return those.length
  }

  /** Returns the services to read: those that are wanted, or all, or those whose turn it is where all would take too long. */
  #those(): readonly ServiceId[] {
    const all = [...this.#parts.services()]
    const wanted = this.#isPart ? [] : all.filter(id => this.#wanted?.services.has(id))
    // Else they have left the table.
    this.#isPart = wanted.length > 0
    if (this.#isPart) return wanted
    const { most } = looksBy(this.#times, this.#wake)
    if (all.length <= most) return all
    const { from, to, looks } = this.#turn
    if (looks > 0 && looks < LOOKS_IN_TURN && from < all.length) this.#turn = { from, to, looks: looks + 1 }
    else {
      const next = to < all.length ? to : 0
      this.#turn = { from: next, to: next + most, looks: 1 }
    }
    return all.slice(this.#turn.from, this.#turn.to)
  }

  #followed(before: Watched | undefined, found: ActiveConnections, at: number): Watched {
    if (before?.found === found && before.isQuiet) return before
    const { reals, counts, flowOf } = found
    const known = before?.found.reals === reals ? before : undefined
    if (known?.found.counts !== counts) this.#changedAt = at
    const growth = counts.map((count, i) => nextGrowth(known?.growth[i], count, at))
    const refusals = counts.map((_, i) => nextRefusals(known?.refusals[i], flowOf(i), at))
    const isQuiet =
      growth.every(({ added }) => added.length === 0) && refusals.every(({ count }) => count === 0)
    return { found, growth, refusals, isQuiet }
  }

  #judge(id: ServiceId, { found, growth, refusals, isQuiet }: Watched, now: number): void {
    if (isQuiet) return
    const realAt = (place: number) => found.reals[place] ?? ''
    for (const one of growingOf(growth, now)) this.#follow('unanswered', id, realAt(one.place), one, now)
    for (const one of refusingOf(refusals)) this.#follow('refused', id, realAt(one.place), one, now)
  }

  #follow(sign: Sign, id: ServiceId, real: string, { count, since }: Growing, now: number): void {
    const service = keyOfService(id)
    const key = `${sign} ${service} ${real}`
    const { attempts, jobsOf, onHint } = this.#parts
    const all = jobsOf(service, real)
    const ids = since === 'sure' ? all : all.filter(attempts.mayAsk)
    const pauses = since !== 'sure' && ids.length > 0 ? this.#asked : this.#given
    if (all.length === 0 || !pauses.isOver(key, now)) return
    if (since === 'first') {
      this.#want(ids.length > 0 ? 'attempt' : 'sure', id)
      return
    }
    if (ids.length === 0 || (since === 'again' && !this.#spendAsk(now))) return
    pauses.begin(key, now)
    const hint = hintOf(sign, count, service)
    if (since === 'sure') onHint(ids, hint)
    else attempts.ask(ids, hint)
  }

  #spendAsk(now: number): boolean {
    const rest = spend(this.#asks, ASKED, now)
    this.#asks = rest ?? this.#asks
    return rest !== null
  }

  #want(why: Sooner, id: ServiceId): void {
    const before = this.#wanted
    const services = new Set(before?.services).add(id)
    this.#wanted = { why: before?.why === 'attempt' ? 'attempt' : why, services }
  }
}

function hintOf(sign: Sign, count: number, service: string): Hint {
  const what = `${counted(count, 'new connection')} of clients to ${service}`
  return sign === 'refused'
    ? { kind: 'refused', detail: `${what}, and none goes on after one answer` }
    : { kind: 'half-open', detail: `${what}, and none ends`, isStrong: true }
}
