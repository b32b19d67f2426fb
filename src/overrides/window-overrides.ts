/**
 * Overrides by the maintenance windows of the configuration. Which windows are open follows from the configuration and
 * the time, so a start or a reload during a window applies it.
 */
import { type Config, keyAsWritten, type MaintenanceWindow, type Real, type Service } from '../core/model.js'
import { isInForce, type Override } from '../core/override.js'
import { nameOfWindow, nextEdge, type Occurrence, overrideOfWindow, windowAt } from '../core/window.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { nameOfReal } from './command-overrides.js'

export interface WindowOverridesParts {
  readonly log: Log
  /** Other overrides are in force than before. */
  onChange(): void
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  readonly alarm?: Clock['alarm']
}

/** Milliseconds after which the windows are looked at again, since the wall clock may be set. */
const LONGEST_ALARM = 60_000

/** A window of a service, and its state, which is valid from `from` until before `until`. */
interface Watched {
  /** Key of the service, independent of its name. */
  readonly key: string
  readonly service: Pick<Service, 'name'>
  readonly window: MaintenanceWindow
  readonly open: Occurrence | null
  readonly from: number
  readonly until: number
}

export class WindowOverrides {
  readonly #parts: WindowOverridesParts
  readonly #now: () => number
  readonly #alarm: Clock['alarm']
  /** By service and window. */
  #watched: ReadonlyMap<string, Watched> = new Map()
  #byService: ReadonlyMap<string, readonly Watched[]> = new Map()
  /** By occurrence, which windows share that are equal but for their servers. */
  readonly #given = new WeakMap<Occurrence, Override>()
  /** All states are valid from `#from` until before `#until`. */
  #from = 0
  #until = 0
  #cancelAlarm = () => {}
  #isClosed = false

  constructor(parts: WindowOverridesParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.#alarm = parts.alarm ?? systemClock.alarm
  }

  /** Takes the windows of a configuration, which is active after that. */
  follow({ services }: Pick<Config, 'services'>): void {
    const now = this.#now()
    const next = new Map<string, Watched>()
    const stateOf = stateAt(now)
    for (const service of services)
      for (const window of service.windows ?? []) {
        const key = keyAsWritten(service.virtual)
        const id = JSON.stringify([key, window])
        next.set(id, { ...(this.#watched.get(id) ?? stateOf(window)), key, service, window })
      }
    this.#take(next, now)
  }

  /** Returns the overrides of the open windows for this server. */
  of(service: Service, real: Real): readonly Override[] {
    const windows = this.#byService.get(keyAsWritten(service.virtual)) ?? []
    const now = this.#now()
    return windows.flatMap(watched =>
      isInWindow(watched.window, real) ? (this.#overrideBy(watched, now) ?? []) : [],
    )
  }

  /** Returns the override of a window, the same one for all of its servers; null if it is not open. */
  #overrideBy(watched: Watched, now: number): Override | null {
    const { window, open } = watched
    if (!open) return null
    const known = this.#given.get(open)
    if (known && now >= known.since && isInForce(known, now)) return known
    const override = overrideOfWindow(window, open, now)
    this.#given.set(open, override)
    return override
  }

  close(): void {
    this.#isClosed = true
    this.#cancelAlarm()
  }

  #look(): void {
    const now = this.#now()
    if (now >= this.#from && now < this.#until) {
      this.#setAlarm(now)
      return
    }
    this.#take(this.#watched, now)
    this.#parts.onChange()
  }

  /** Brings each state up to date, logs what has begun and ended, and sets the alarm. */
  #take(next: ReadonlyMap<string, Watched>, now: number): void {
    const before = this.#watched
    const stateOf = stateAt(now)
    this.#watched = new Map([...next].map(([id, watched]) => [id, current(watched, now, stateOf)]))
    this.#byService = byKey([...this.#watched.values()].filter(({ open }) => open))
    for (const [id, watched] of before)
      if (watched.open && !this.#watched.get(id)?.open) this.#report('window.ended', watched)
    for (const [id, watched] of this.#watched)
      if (watched.open && !before.get(id)?.open) this.#report('window.begun', watched)
    this.#from = now
    this.#until = Number.POSITIVE_INFINITY
    for (const { until } of this.#watched.values()) this.#until = Math.min(this.#until, until)
    this.#setAlarm(now)
  }

  #report(event: 'window.begun' | 'window.ended', { service, window, open }: Watched): void {
    const { reals, reason } = window
    const fields = {
      service: service.name,
      reals: reals === null ? 'all' : reals.join(', '),
      window: nameOfWindow(window),
      until: open && new Date(open.end).toISOString(),
      ...(reason !== '' && { reason }),
    }
    if (event === 'window.begun') this.#parts.log.warn(event, fields, 'a maintenance window has begun')
    else this.#parts.log.info(event, fields, 'a maintenance window is over')
  }

  #setAlarm(now: number): void {
    this.#cancelAlarm()
    if (this.#isClosed || this.#watched.size === 0) return
    const wait = Math.max(0, Math.min(this.#until - now, LONGEST_ALARM))
    this.#cancelAlarm = this.#alarm(wait, () => this.#look())
  }
}

type State = Pick<Watched, 'open' | 'from' | 'until'>

/** Returns a function that computes the state of windows at `now`, once for equal ones: `defaults` gives them to all services. */
function stateAt(now: number): (window: MaintenanceWindow) => State {
  const known = new Map<string, State>()
  return window => {
    const key = JSON.stringify({ ...window, reals: null })
    const state = known.get(key) ?? {
      open: windowAt(window, now),
      from: now,
      until: nextEdge(window, now) ?? Number.POSITIVE_INFINITY,
    }
    known.set(key, state)
    return state
  }
}

/** Computes the state again only after an edge, or where the wall clock was set back. */
function current(watched: Watched, now: number, stateOf: (window: MaintenanceWindow) => State): Watched {
  const { window, from, until } = watched
  return now >= from && now < until ? watched : { ...watched, ...stateOf(window) }
}

/** True if the window is for this server of its service. */
export function isInWindow({ reals }: MaintenanceWindow, real: Real): boolean {
  return reals === null || reals.includes(nameOfReal(real))
}

function byKey(watched: readonly Watched[]): ReadonlyMap<string, readonly Watched[]> {
  const found = new Map<string, Watched[]>()
  for (const one of watched) found.set(one.key, [...(found.get(one.key) ?? []), one])
  return found
}
