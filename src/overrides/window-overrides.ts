/**
 * Overrides by the maintenance windows of the configuration. Which windows are open follows from the configuration and
 * the time, so a start or a reload during a window applies it.
 */
import { type Config, keyAsWritten, type MaintenanceWindow, type Real, type Service } from '../core/model.js'
import { isInForce, type Override } from '../core/override.js'
import {
  isEndedEarly,
  nameOfWindow,
  nextEdge,
  type Occurrence,
  overrideOfWindow,
  windowAt,
} from '../core/window.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { nameOfReal, targetOf } from './command-overrides.js'
import { type EarlyEnd, EarlyEnds, earlyEndsFor } from './early-ends.js'

export interface WindowOverridesParts {
  readonly log: Log
  /** Openings that operators have ended; without it none is kept. */
  readonly ends?: EarlyEnds
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
  readonly service: Service
  readonly window: MaintenanceWindow
  readonly open: Occurrence | null
  readonly from: number
  readonly until: number
}

export class WindowOverrides {
  readonly #parts: WindowOverridesParts
  readonly #now: () => number
  readonly #alarm: Clock['alarm']
  readonly #ends: EarlyEnds
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
    this.#ends =
      parts.ends ?? new EarlyEnds({ path: null, log: parts.log, now: this.#now, alarm: this.#alarm })
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

  /** True if a service has windows, open or not. */
  get areAny(): boolean {
    return this.#byService.size > 0
  }

  /** Returns the overrides of the open windows for this server. */
  of(service: Service, real: Real): readonly Override[] {
    const windows = this.#byService.get(keyAsWritten(service.virtual)) ?? []
    const now = this.#now()
    const ended = windows.length > 0 ? earlyEndsFor(this.#ends.entries, service, real) : []
    return windows.flatMap(watched =>
      isInWindow(watched.window, real) && !isOver(watched, ended)
        ? (this.#overrideBy(watched, now) ?? [])
        : [],
    )
  }

  /** Returns the ends of the windows that are open for these targets; `real` null: for the whole service. */
  prepared(targets: readonly Ended[], who: string): readonly EarlyEnd[] {
    const at = this.#now()
    return targets.flatMap(({ service, real }) => {
      const ended = earlyEndsFor(this.#ends.entries, service, real)
      const windows = this.#byService.get(keyAsWritten(service.virtual)) ?? []
      return windows.flatMap(watched => {
        const isMeant = real === null || isInWindow(watched.window, real)
        if (!watched.open || !isMeant || isOver(watched, ended)) return []
        const window = nameOfWindow(watched.window)
        return [{ ...watched.open, target: targetOf(service, real), window, who, at }]
      })
    })
  }

  /**
   * Ends these openings, those only. Resolves to whether the disk has it. They come from here or from another director,
   * so the configuration need not have their windows.
   */
  end(ends: readonly EarlyEnd[]): Promise<boolean> {
    const added = ends.filter(end => !this.ends.some(known => isSameEnd(known, end)))
    if (added.length === 0) return Promise.resolve(true)
    const isKept = this.#ends.add(added)
    const now = this.#now()
    for (const end of added) if (end.end > now) this.#reportEnd(end)
    this.#parts.onChange()
    return isKept
  }

  /** All that are kept. */
  get ends(): readonly EarlyEnd[] {
    return this.#ends.entries
  }

  /** Returns the openings that operators have ended and that would still be open. */
  get endedEarly(): readonly EarlyEnd[] {
    return this.#ends.entries.filter(end =>
      this.#byService.get(end.target.key)?.some(watched => isOver(watched, [end])),
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

  /** Says nothing of a window that an operator has ended for the whole service. */
  #report(event: 'window.begun' | 'window.ended', watched: Watched): void {
    const { service, window, open } = watched
    if (isOver(watched, earlyEndsFor(this.#ends.entries, service, null))) return
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

  #reportEnd({ target: { service, real }, window, end, who }: EarlyEnd): void {
    const fields = { service, real: real ?? 'all', window, until: new Date(end).toISOString(), who }
    this.#parts.log.warn('window.ended-early', fields, 'an operator has ended a maintenance window early')
  }

  #setAlarm(now: number): void {
    this.#cancelAlarm()
    if (this.#isClosed || this.#watched.size === 0) return
    const wait = Math.max(0, Math.min(this.#until - now, LONGEST_ALARM))
    this.#cancelAlarm = this.#alarm(wait, () => this.#look())
  }
}

/** A real server of a service, or all of it, for which windows end. */
interface Ended {
  readonly service: Service
  readonly real: Real | null
}

/** True if one of these ends is that of the open occurrence. */
function isOver({ window, open }: Watched, ended: readonly EarlyEnd[]): boolean {
  return open !== null && isEndedEarly(window, open, ended)
}

function isSameEnd(a: EarlyEnd, b: EarlyEnd): boolean {
  const isSameTarget = a.target.key === b.target.key && a.target.real === b.target.real
  return isSameTarget && a.window === b.window && a.begin === b.begin
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
