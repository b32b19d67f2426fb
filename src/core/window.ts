/**
 * Maintenance windows: times at which real servers are taken out of service. The state at a time follows from the
 * window and the time alone, so it does not matter whether lvsd ran when the window began. Pure.
 *
 *   time                              override
 *   before `at`                       none
 *   from `at`, for `drain`            drain (weight 0), until `at` + `drain`
 *   then, until `at` + `for`          disable, until `at` + `for`
 *   from `at` + `for`                 none
 *
 * An operator may end one opening early (`isEndedEarly`): it then has no override, and the next opening is as usual.
 *
 * `at` is a wall time of the zone (util/zoned-time.ts defines it for nights on which clocks change). `drain` and `for`
 * are elapsed time: a window of 2h is 2 hours long on each night.
 */
import { instantOf, wallText, wallTime } from '../util/zoned-time.js'
import { type Cron, isCron, parseCron } from './cron.js'
import type { MaintenanceWindow } from './model.js'
import type { Override } from './override.js'

/** One time of a window, in milliseconds of the wall clock. The end is not part of it. */
export interface Occurrence {
  readonly begin: number
  readonly end: number
}

const DAY = 86_400_000
/** A window that does not begin within this time never does: 29 February may be a given weekday every 40 years only. */
const LONGEST_SEARCH = 41 * 366 * DAY

type Times = Pick<MaintenanceWindow, 'at' | 'zone' | 'for'>

/** Returns the occurrence that is open at `now`; of several, the one that began first. Null if there is none. */
export function windowAt(window: Times, now: number): Occurrence | null {
  const [open] = occurrences(window, now - window.for, now)
  return open && open.begin <= now ? open : null
}

/** Returns the first occurrence that begins after `from`; null if there is none. */
export function nextWindow(window: Times, from: number): Occurrence | null {
  const [next] = occurrences(window, from, from + LONGEST_SEARCH)
  return next ?? null
}

/** Yields the open occurrence, if there is one, then those that begin after `now`, without an end. */
export function* comingOccurrences(window: Times, now: number): Generator<Occurrence, undefined> {
  const open = windowAt(window, now)
  if (open) yield open
  for (let next = nextWindow(window, now); next; next = nextWindow(window, next.begin)) yield next
  return undefined
}

/** Yields the occurrences that begin after `from`, and not on a later day than `to`, in their order. */
function* occurrences({ at, zone, for: length }: Times, from: number, to: number): Generator<Occurrence> {
  const cron = cronOf(at)
  let last = from
  // Where clocks change at midnight, an instant may belong to the day before or after the one that its wall time names.
  const end = wallTime(to, zone) + DAY
  for (let day = startOfDay(wallTime(from, zone)) - DAY; day <= end; day += DAY) {
    if (!cron.isOn(day)) continue
    for (const begin of beginsOn(day, cron, zone))
      if (begin > last) {
        last = begin
        yield { begin, end: begin + length }
      }
  }
}

/** Returns the instants of a day in ascending order: a shifted time may be later than the next one. */
function beginsOn(day: number, { times }: Cron, zone: string): readonly number[] {
  return times.map(time => instantOf(day + time, zone)).sort((a, b) => a - b)
}

function startOfDay(wall: number): number {
  return Math.floor(wall / DAY) * DAY
}

const crons = new Map<string, Cron>()
/** Number of parsed expressions that are kept. */
const MOST_CRONS = 1000

function cronOf(at: string): Cron {
  const known = crons.get(at)
  if (known) return known
  const parsed = parseCron(at)
  if (!isCron(parsed)) throw new Error(`no cron expression: ${at}`)
  if (crons.size >= MOST_CRONS) crons.clear()
  crons.set(at, parsed)
  return parsed
}

/** A leap year, so that all days are among those that are compared. */
const SAMPLE_BEGIN = Date.UTC(2024, 0, 1)
const SAMPLE_DAYS = 800
const SAMPLE_BEGINS = 1500
const distances = new Map<string, number>()

/**
 * Returns the shortest time from one begin of a cron expression to the next in milliseconds, without nights on which
 * clocks change; infinity if it is years.
 */
export function shortestDistance(at: string): number {
  const known = distances.get(at)
  if (known !== undefined) return known
  let [shortest, last, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  const end = SAMPLE_BEGIN + SAMPLE_DAYS * DAY
  for (const { begin } of occurrences({ at, zone: 'UTC', for: 0 }, SAMPLE_BEGIN - 1, end)) {
    shortest = Math.min(shortest, begin - last)
    last = begin
    if (++count > SAMPLE_BEGINS) break
  }
  if (distances.size >= MOST_CRONS) distances.clear()
  distances.set(at, shortest)
  return shortest
}

/** Returns `window 0 2 * * sun Europe/Berlin`, the author of its overrides. */
export function nameOfWindow({ at, zone }: Pick<MaintenanceWindow, 'at' | 'zone'>): string {
  return `window ${at} ${zone}`
}

/** An opening of a window that an operator has ended early. */
export interface EndedOpening {
  /** `nameOfWindow` of the window. */
  readonly window: string
  /** Begin of the opening, and the end that it would have had, milliseconds of the wall clock. */
  readonly begin: number
  readonly end: number
}

/**
 * Returns whether the occurrence is one that has been ended. Its begin decides, so another `for`, `drain` or reason after
 * a reload does not open it again, and the next occurrence, which begins later, is another one.
 */
export function isEndedEarly(
  window: Pick<MaintenanceWindow, 'at' | 'zone'>,
  { begin }: Pick<Occurrence, 'begin'>,
  ended: readonly EndedOpening[],
): boolean {
  if (ended.length === 0) return false
  const name = nameOfWindow(window)
  return ended.some(one => one.begin === begin && one.window === name)
}

/** Returns the override of an occurrence of the window at `now`, by the table above. */
export function overrideOfWindow(
  window: MaintenanceWindow,
  { begin, end }: Occurrence,
  now: number,
): Override {
  const disabledFrom = Math.min(begin + window.drain, end)
  const base = { source: 'window', who: nameOfWindow(window), reason: window.reason } as const
  if (now >= disabledFrom) return { ...base, effect: { kind: 'disable' }, since: disabledFrom, until: end }
  const reason = [window.reason, ...afterDrain(window, disabledFrom, end)]
    .filter(part => part !== '')
    .join('; ')
  return { ...base, effect: { kind: 'drain' }, reason, since: begin, until: disabledFrom }
}

/** States that the end of the drain is not the end of the window. */
function afterDrain({ zone }: MaintenanceWindow, disabledFrom: number, end: number): readonly string[] {
  return disabledFrom < end ? [`then disabled until ${wallText(wallTime(end, zone))} ${zone}`] : []
}

/** Returns the next time after `now` at which the override of the window changes; null: never. */
export function nextEdge(window: MaintenanceWindow, now: number): number | null {
  const open = windowAt(window, now)
  if (!open) return nextWindow(window, now)?.begin ?? null
  const disabledFrom = open.begin + window.drain
  return now < disabledFrom ? Math.min(disabledFrom, open.end) : open.end
}
