/**
 * Looks at the active connections of real servers, and gives a hint where they grow and none ends (core/active-growth.ts),
 * or where they are refused (core/refusals.ts). Where a check may fail early, the first connection that does not end is
 * followed by a bare connect, which gives the hint sooner if nobody answers it, or it is refused.
 */
import {
  type Growing,
  type Growth,
  growingOf,
  looksBy,
  nextGrowth,
  type Sooner,
  TIMED,
} from '../core/active-growth.js'
import type { Hint } from '../core/hints.js'
import { keyOfService, type ServiceId } from '../core/model.js'
import { nextRefusals, type Refusals, refusingOf } from '../core/refusals.js'
import type { ActiveConnections, Kernel } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { CostMeter } from '../util/cost-meter.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'
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
  /** Returns the milliseconds that a look takes; replaced in tests. */
  readonly timed?: (look: () => void) => number
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
const AGAIN_AFTER = { first: 2000, most: 32_000 } as const
/** Looks at the same services before it is the turn of others, where one look cannot read all: a sign takes three. */
const LOOKS_IN_TURN = 4
/** Milliseconds until the next look if the table cannot be read. */
const RETRY = 60_000

/** When something was last done about a real server, and the pause after it, by sign, service and real server. */
class Pauses {
  readonly #last = new Map<string, { readonly at: number; readonly pause: number }>()

  isOver(key: string, now: number): boolean {
    const last = this.#last.get(key)
    return last === undefined || now - last.at >= last.pause
  }

  begin(key: string, now: number): void {
    const last = this.#last.get(key)
    const pause = last ? Math.min(2 * last.pause, AGAIN_AFTER.most) : AGAIN_AFTER.first
    this.#last.set(key, { at: now, pause })
  }

  /** Forgets servers about which nothing was to be done for as long as a pause. */
  forget(now: number): void {
    for (const [key, { at, pause }] of this.#last) if (now - at >= 2 * pause) this.#last.delete(key)
  }
}

interface Watched extends Omit<ActiveConnections, 'flowOf'> {
  readonly growth: readonly Growth[]
  readonly refusals: readonly Refusals[]
}

/** What connections of clients tell of a server. */
type Sign = 'unanswered' | 'refused'

export class ActiveGrowth {
  readonly #parts: ActiveGrowthParts
  readonly #looks: Poller
  #services = new Map<string, Watched>()
  /** Milliseconds that one service took in the last looks. */
  #times: readonly number[] = []
  /** The services whose turn it is, by their place among all, and the looks at them. */
  #turn = { from: 0, to: 0, looks: 0 }
  #changedAt: number
  /** Why the next look is to come sooner: this one has found a first connection. */
  #wanted: Sooner | null = null
  /** Why this look came sooner: the next pause is as much longer. */
  #cameFor: Sooner | null = null
  readonly #given = new Pauses()
  readonly #asked = new Pauses()

  constructor(parts: ActiveGrowthParts) {
    this.#parts = parts
    this.#changedAt = parts.clock.now()
    this.#looks = new Poller('active connections', () => this.#look(), parts)
    this.#looks.every(FIRST_IN)
  }

  close(): Promise<void> {
    return this.#looks.stop()
  }

  #look(): void {
    try {
      let count = 0
      const took = (this.#parts.timed ?? timed)(() => {
        count = this.#read()
      })
      // Without services it tells nothing of what one takes.
      if (count > 0) this.#times = [...this.#times, took / count].slice(-TIMED)
      this.#looks.every(this.#pause(count))
    } catch {
      this.#services.clear()
      this.#looks.every(RETRY)
    }
  }

  /** Returns the milliseconds to the next look, after one that has read so many services. */
  #pause(count: number): number {
    const looks = looksBy(this.#times, this.#parts.attempts.isUsed)
    const [wanted, cameFor] = [this.#wanted, this.#cameFor]
    this.#wanted = null
    this.#cameFor = null
    if (count > 0 && this.#times.length < UNKNOWN.looks) return UNKNOWN.pause
    const every = count > 0 ? looks.every(count) : 0
    const isIdle = this.#parts.clock.now() - this.#changedAt > IDLE.after
    if (isIdle || count === 0) return Math.max(IDLE.every, every)
    if (cameFor) return looks.soon(count, cameFor).next
    const sooner = wanted ? looks.soon(count, wanted).first : every
    if (sooner >= every) return every
    this.#cameFor = wanted
    return sooner
  }

  /** Returns the number of services that it has read. */
  #read(): number {
    const now = this.#parts.clock.now()
    for (const pauses of [this.#given, this.#asked]) pauses.forget(now)
    const services = new Map<string, Watched>()
    for (const id of this.#those()) {
      const key = keyOfService(id)
      const found = this.#parts.kernel.active(id)
      const watched = this.#followed(this.#services.get(key), found, now)
      services.set(key, watched)
      this.#judge(key, watched, now)
    }
    this.#services = services
    return services.size
  }

  /** Returns the services to read: all, or those whose turn it is where all would take too long. */
  #those(): readonly ServiceId[] {
    const all = [...this.#parts.services()]
    const { most } = looksBy(this.#times)
    if (all.length <= most) return all
    const { from, to, looks } = this.#turn
    if (looks > 0 && looks < LOOKS_IN_TURN && from < all.length) this.#turn = { from, to, looks: looks + 1 }
    else {
      const next = to < all.length ? to : 0
      this.#turn = { from: next, to: next + most, looks: 1 }
    }
    return all.slice(this.#turn.from, this.#turn.to)
  }

  #followed(before: Watched | undefined, now: ActiveConnections, at: number): Watched {
    const { reals, counts, flowOf } = now
    const known = before?.reals === reals ? before : undefined
    if (known?.counts !== counts) this.#changedAt = at
    const growth = counts.map((count, i) => nextGrowth(known?.growth[i], count, at))
    const refusals = counts.map((_, i) => nextRefusals(known?.refusals[i], flowOf(i), at))
    return { reals, counts, growth, refusals }
  }

  #judge(service: string, { reals, growth, refusals }: Watched, now: number): void {
    if (growth.some(({ added }) => added.length > 0))
      for (const found of growingOf(growth, now))
        this.#follow('unanswered', service, reals[found.place] ?? '', found, now)
    if (refusals.some(({ count }) => count > 0))
      for (const found of refusingOf(refusals))
        this.#follow('refused', service, reals[found.place] ?? '', found, now)
  }

  #follow(sign: Sign, service: string, real: string, { count, since }: Growing, now: number): void {
    const key = `${sign} ${service} ${real}`
    const { attempts, jobsOf, onHint } = this.#parts
    const all = jobsOf(service, real)
    const ids = since === 'sure' ? all : all.filter(attempts.mayAsk)
    const pauses = since !== 'sure' && ids.length > 0 ? this.#asked : this.#given
    if (all.length === 0 || !pauses.isOver(key, now)) return
    if (since === 'first') {
      // Not twice in a row: looks would come at the short pause for ever.
      if (!this.#cameFor) this.#wanted = ids.length > 0 ? 'attempt' : (this.#wanted ?? 'sure')
      return
    }
    if (ids.length === 0) return
    pauses.begin(key, now)
    const hint = hintOf(sign, count, service)
    if (since === 'sure') onHint(ids, hint)
    else attempts.ask(ids, hint)
  }
}

function hintOf(sign: Sign, count: number, service: string): Hint {
  const what = `${counted(count, 'new connection')} of clients to ${service}`
  return sign === 'refused'
    ? { kind: 'refused', detail: `${what}, and none goes on after one answer` }
    : { kind: 'half-open', detail: `${what}, and none ends`, isStrong: true }
}

function timed(look: () => void): number {
  const meter = new CostMeter()
  meter.start()
  look()
  meter.stop()
  return meter.total
}
