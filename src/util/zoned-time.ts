/**
 * Wall-clock times of time zones. A wall time is what a clock in the zone shows, as the milliseconds that the same date
 * and time would have in UTC; so wall times can be added and subtracted, and a day always has 24 hours.
 */

const DAY = 86_400_000
/** Formats by zone. A format is expensive to make. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** Returns true if this machine knows the zone: `Europe/Berlin`, `UTC`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** Returns the zone of this machine. */
export function localZone(): string {
  return new Intl.DateTimeFormat('en-US').resolvedOptions().timeZone
}

/** Returns the names of all zones, without those that are only other names. */
export function zoneNames(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

/** Returns the wall time at an instant. */
export function wallTime(instant: number, zone: string): number {
  return instant + offsetAt(instant, zone)
}

/**
 * Returns the instant at which a clock in the zone shows a wall time:
 *
 *   the wall time   instant
 *   is shown once   that one
 *   is shown twice  the first one (clocks are set back)
 *   is never shown  as if clocks had not been set forward: 02:30 is the instant that is shown as 03:30
 *
 * These are the rules of Temporal ("compatible") and of iCalendar (RFC 5545).
 */
export function instantOf(wall: number, zone: string): number {
  const before = offsetAt(wall - DAY, zone)
  const after = offsetAt(wall + DAY, zone)
  if (before === after) return wall - before
  const shown = [wall - before, wall - after].filter(instant => wallTime(instant, zone) === wall)
  return shown.length > 0 ? Math.min(...shown) : wall - before
}

/** Returns `2026-11-28 14:03`, and the seconds if they are not 0. */
export function wallText(wall: number): string {
  const text = new Date(wall).toISOString().replace('T', ' ').slice(0, 19)
  return text.replace(/:00$/, '')
}

/** Clocks change at full quarters of an hour of UTC, at least since 1973. */
const QUARTER = 900_000
/** Number of quarters whose offset is kept: each costs 10 us to find, and windows ask for the same ones again. */
const MOST_QUARTERS = 100_000
const offsets = new Map<string, Map<number, number>>()

/** Returns the offset of the zone from UTC in milliseconds. */
function offsetAt(instant: number, zone: string): number {
  const known = offsets.get(zone) ?? new Map<number, number>()
  offsets.set(zone, known)
  const quarter = Math.floor(instant / QUARTER)
  let offset = known.get(quarter)
  if (offset === undefined) {
    offset = calculatedOffset(quarter * QUARTER, zone)
    if (known.size >= MOST_QUARTERS) known.clear()
    known.set(quarter, offset)
  }
  return offset
}

function calculatedOffset(instant: number, zone: string): number {
  const part = Object.fromEntries(
    formatOf(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
}

/** Throws a RangeError if the zone is unknown. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  return format
}
