/** Formats durations and times for people. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Returns `12s`, `3m12s`, `2h05m` or `3d04h`: at most two units. A negative duration counts as 0. */
export function formatUptime(ms: number): string {
  const left = Math.max(0, ms)
  if (left < MINUTE) return `${Math.floor(left / SECOND)}s`
  if (left < HOUR) return `${Math.floor(left / MINUTE)}m${two((left % MINUTE) / SECOND)}s`
  if (left < DAY) return `${Math.floor(left / HOUR)}h${two((left % HOUR) / MINUTE)}m`
  return `${Math.floor(left / DAY)}d${two((left % DAY) / HOUR)}h`
}

/** Returns `in 9s`, or `within a second`: how long until something comes. */
export function untilText(ms: number): string {
  return ms < SECOND ? 'within a second' : `in ${formatUptime(ms)}`
}

/** Returns `0.5s` below ten seconds, else `12s` or `3m12s`, rounded. */
export function formatSpan(ms: number): string {
  if (ms <= 0) return '0s'
  const tenths = Math.max(1, Math.round(ms / 100))
  return tenths < 100 ? `${(tenths / 10).toFixed(1)}s` : formatUptime(Math.round(ms / SECOND) * SECOND)
}

/** Returns `0.4ms`, `12ms` or `1.25s`: a measured duration. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}ms`
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(2)}s`
}

/** Returns `500ms`, `3s` or `2m`: a duration in the notation of configuration files. */
export function duration(ms: number): string {
  if (ms % HOUR === 0) return `${ms / HOUR}h`
  if (ms % MINUTE === 0) return `${ms / MINUTE}m`
  return ms % SECOND === 0 ? `${ms / SECOND}s` : `${ms}ms`
}

/** Returns `2026-11-28 14:03:59 UTC`: local time with its zone. `at` is in wall-clock milliseconds. */
export function dateTime(at: number): string {
  return `${date(at)} ${clockTime(at)} ${zoneOf(at)}`
}

/** Returns `14:03:59` if the time is on the same day as `now`, else `2026-11-27 14:03`. Local time, without the zone. */
export function shortTime(at: number, now: number): string {
  return date(at) === date(now) ? clockTime(at) : `${date(at)} ${clockTime(at).slice(0, -3)}`
}

/** As `shortTime`, with the zone: for sentences that are read elsewhere, beside times of the reader's zone. */
export function zonedTime(at: number, now: number): string {
  return `${shortTime(at, now)} ${zoneOf(at)}`
}

/** Returns `14:03:59`, in local time. */
export function clockTime(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

function date(at: number): string {
  const date = new Date(at)
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('-')
}

/** Returns `UTC` or an offset such as `+02:00`. Names of zones are ambiguous, and not every Node build has them. */
export function zoneOf(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const [sign, size] = minutes < 0 ? ['-', -minutes] : ['+', minutes]
  return `${sign}${two(size / 60)}:${two(size % 60)}`
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}

let lastTime = Number.NaN
let lastText = ''

/** Returns `2026-11-28T14:03:59.123Z` (ISO 8601). `at` is in wall-clock milliseconds. Of several events in a millisecond it is one text. */
export function isoTime(at: number): string {
  if (at === lastTime) return lastText
  lastText = new Date(at).toISOString()
  lastTime = at
  return lastText
}
