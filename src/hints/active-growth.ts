/** Looks at the active connections of real servers, and gives a hint where they grow and none ends (core/active-growth.ts). */
import { type Growth, growingOf, lookEvery, nextGrowth, TIMED } from '../core/active-growth.js'
import type { Hint } from '../core/hints.js'
import { keyOfService, type ServiceId } from '../core/model.js'
import type { ActiveConnections, Kernel } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'

export interface ActiveGrowthParts {
  readonly clock: Pick<Clock, 'alarm' | 'now'>
  readonly log: Pick<Log, 'error'>
  readonly kernel: Pick<Kernel, 'active'>
  /** Returns the services over TCP that are in the kernel's table. */
  services(): Iterable<ServiceId>
  /** Returns the jobs of a real server that gets new connections, else none. Keys are those of the kernel's table. */
  jobsOf(service: string, real: string): readonly string[]
  onHint(ids: readonly string[], hint: Hint): void
  /** Returns the milliseconds that a look takes; replaced in tests. */
  readonly timed?: (look: () => void) => number
}

/** Milliseconds to the first look. */
const FIRST_IN = 1000
/** Milliseconds between two looks where nothing changes, and after which that is so. */
const IDLE = { every: 250, after: 5000 } as const
/** Milliseconds between two hints about the same server, whose check may have passed because it answers slowly. */
const AGAIN_AFTER = 2000
/** Milliseconds until the next look if the table cannot be read. */
const RETRY = 60_000

interface Watched {
  reals: readonly string[]
  counts: readonly number[]
  growth: readonly Growth[]
}

export class ActiveGrowth {
  readonly #parts: ActiveGrowthParts
  readonly #looks: Poller
  #services = new Map<string, Watched>()
  #times: readonly number[] = []
  #changedAt: number
  /** When the last hint about a real server was given, by service and real server. */
  readonly #given = new Map<string, number>()

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
      const took = (this.#parts.timed ?? timed)(() => this.#read())
      this.#times = [...this.#times, took].slice(-TIMED)
      const every = lookEvery(this.#times)
      const isIdle = this.#parts.clock.now() - this.#changedAt > IDLE.after
      this.#looks.every(isIdle ? Math.max(IDLE.every, every) : every)
    } catch {
      this.#services.clear()
      this.#looks.every(RETRY)
    }
  }

  #read(): void {
    const now = this.#parts.clock.now()
    for (const [key, at] of this.#given) if (now - at >= AGAIN_AFTER) this.#given.delete(key)
    const services = new Map<string, Watched>()
    for (const id of this.#parts.services()) {
      const key = keyOfService(id)
      const found = this.#parts.kernel.active(id)
      const watched = this.#followed(this.#services.get(key), found, now)
      services.set(key, watched)
      this.#judge(key, watched, now)
    }
    this.#services = services
  }

  #followed(before: Watched | undefined, { reals, counts }: ActiveConnections, now: number): Watched {
    const known = before?.reals === reals ? before : undefined
    if (known?.counts !== counts) this.#changedAt = now
    const growth = counts.map((count, i) => nextGrowth(known?.growth[i], count, now))
    return { reals, counts, growth }
  }

  #judge(service: string, { reals, growth }: Watched, now: number): void {
    if (growth.every(({ added }) => added.length === 0)) return
    for (const { place, count } of growingOf(growth, now)) {
      const real = reals[place] ?? ''
      const key = `${service} ${real}`
      const ids = this.#given.has(key) ? [] : this.#parts.jobsOf(service, real)
      if (ids.length === 0) continue
      this.#given.set(key, now)
      const detail = `${counted(count, 'new connection')} of clients to ${service}, and none ends`
      this.#parts.onHint(ids, { kind: 'half-open', detail, isStrong: true })
    }
  }
}

function timed(look: () => void): number {
  const began = performance.now()
  look()
  return performance.now() - began
}
