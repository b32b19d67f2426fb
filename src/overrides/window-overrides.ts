/**
 * Overrides by the maintenance windows of the configuration. Which windows are open follows from the configuration and
 * the time, so a start or a reload in the middle of a window is in it.
 */
import { type Config, keyAsWritten, type MaintenanceWindow, type Real, type Service } from '../core/model.js'
import type { Override } from '../core/override.js'
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
    for (const service of services)
      for (const window of service.windows ?? []) {
        const key = keyAsWritten(service.virtual)
        const id = JSON.stringify([key, window])
        next.set(id, { ...(this.#watched.get(id) ?? watchedAt(window, now)), key, service, window })
      }
    this.#take(next, now)
  }

  /** Returns what the open windows want of this server. */
  of(service: Service, real: Real): readonly Override[] {
    const windows = this.#byService.get(keyAsWritten(service.virtual)) ?? []
    const now = this.#now()
    return windows.flatMap(({ window, open }) =>
      open && isInWindow(window, real) ? [overrideOfWindow(window, open, now)] : [],
    )
  }

  close(): void {
    this.#isClosed = true
    this.#cancelAlarm()
  }

  #look(): void {
    const before = this.#watched
    const now = this.#now()
    this.#take(before, now)
    if ([...this.#watched].some(([id, watched]) => before.get(id) !== watched)) this.#parts.onChange()
  }

  /** Brings each state up to date, logs what has begun and ended, and sets the alarm. */
  #take(next: ReadonlyMap<string, Watched>, now: number): void {
    const before = this.#watched
    this.#watched = new Map([...next].map(([id, watched]) => [id, current(watched, now)]))
    this.#byService = byKey([...this.#watched.values()].filter(({ open }) => open))
    for (const [id, watched] of before)
      if (watched.open && !this.#watched.get(id)?.open) this.#tell('window.ended', watched)
    for (const [id, watched] of this.#watched)
      if (watched.open && !before.get(id)?.open) this.#tell('window.begun', watched)
    this.#setAlarm(now)
  }

  #tell(event: 'window.begun' | 'window.ended', { service, window, open }: Watched): void {
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
    const next = Math.min(...[...this.#watched.values()].map(({ until }) => until))
    this.#cancelAlarm = this.#alarm(Math.max(0, Math.min(next - now, LONGEST_ALARM)), () => this.#look())
  }
}

type State = Pick<Watched, 'open' | 'from' | 'until'>

function watchedAt(window: MaintenanceWindow, now: number): State {
  return {
    open: windowAt(window, now),
    from: now,
    until: nextEdge(window, now) ?? Number.POSITIVE_INFINITY,
  }
}

/** Computes the state again only after an edge, or where the wall clock was set back. */
function current(watched: Watched, now: number): Watched {
  const { window, from, until } = watched
  return now >= from && now < until ? watched : { ...watched, ...watchedAt(window, now) }
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
