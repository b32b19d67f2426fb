/** Spans of time as people read them. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `12s`, `3m12s`, `2h05m`, `3d04h`: two units at most. Spans below zero count as none. */
export function formatUptime(ms: number): string {
  const left = Math.max(0, ms)
  if (left < MINUTE) return `${Math.floor(left / SECOND)}s`
  if (left < HOUR) return `${Math.floor(left / MINUTE)}m${two((left % MINUTE) / SECOND)}s`
  if (left < DAY) return `${Math.floor(left / HOUR)}h${two((left % HOUR) / MINUTE)}m`
  return `${Math.floor(left / DAY)}d${two((left % DAY) / HOUR)}h`
}

/** `0.4ms`, `12ms`, `1.25s`: how long something took. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)}ms`
  return ms < 1000 ? `${Math.round(ms)}ms` : `${(ms / 1000).toFixed(2)}s`
}

/** `500ms`, `3s`, `2m`: a duration as configurations write it. */
export function duration(ms: number): string {
  if (ms % HOUR === 0) return `${ms / HOUR}h`
  if (ms % MINUTE === 0) return `${ms / MINUTE}m`
  return ms % SECOND === 0 ? `${ms / SECOND}s` : `${ms}ms`
}

/** `2026-11-28 14:03:59 UTC`: a wall-clock time in the local zone, and which one that is. */
export function dateTime(at: number): string {
  return `${date(at)} ${clockTime(at)} ${zoneOf(at)}`
}

/** `14:03:59` of the day of `now`, `2026-11-27 14:03` of another; local, without the zone. */
export function shortTime(at: number, now: number): string {
  return date(at) === date(now) ? clockTime(at) : `${date(at)} ${clockTime(at).slice(0, -3)}`
}

/** `14:03:59` of a wall-clock time, in the local zone. */
export function clockTime(at: number): string {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

function date(at: number): string {
  const date = new Date(at)
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(two).join('-')
}

/** `UTC`, `+02:00`: names of zones are ambiguous, and not every Node has them. */
function zoneOf(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const [sign, size] = minutes < 0 ? ['-', -minutes] : ['+', minutes]
  return `${sign}${two(size / 60)}:${two(size % 60)}`
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0')
}
