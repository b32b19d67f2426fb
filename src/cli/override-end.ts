/** The end of an override as it stands on a command line: `--for 2h`, `--until 06:00`. */
import { LATEST_END } from '../core/override.js'
import { parseDuration } from '../util/duration.js'
import { usageError } from './parse.js'

const DAY_HOURS = 24

/** Returns milliseconds of the wall clock, or null without an end. Throws a usage error. `now` is one of the wall clock. */
export function endOf(
  options: { readonly for: string | undefined; readonly until: string | undefined },
  now: number,
  command: string,
): number | null {
  const { for: lasting, until } = options
  if (lasting !== undefined && until !== undefined)
    throw usageError('give either --for or --until, not both', command)
  if (lasting !== undefined) {
    const ms = durationOf(lasting)
    if (ms === null)
      throw usageError(`--for takes a duration such as 90s, 30m or 2h, not "${lasting}"`, command)
    if (now + ms > LATEST_END) throw usageError(`--for ${lasting} ends after the year 9999`, command)
    return now + ms
  }
  if (until === undefined) return null
  const end = momentOf(until, now)
  if (end === null)
    throw usageError(
      `--until takes a time such as 06:00 or 2026-11-29T06:00 (local time), not "${until}"`,
      command,
    )
  if (end > LATEST_END) throw usageError(`--until ${until} is after the year 9999`, command)
  if (end <= now) throw usageError(`--until ${until} is in the past`, command)
  return end
}

/** As in a configuration, and days too. Returns milliseconds, or null. */
export function durationOf(text: string): number | null {
  const [, days] = /^(\d+(?:\.\d+)?)\s*d$/.exec(text) ?? []
  return parseDuration(days === undefined ? text : `${Number(days) * DAY_HOURS}h`)
}

/** A time of day is the next such moment by local time; where clocks are set forward over it, the moment after that. */
function momentOf(text: string, now: number): number | null {
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? []
  if (hours === undefined || minutes === undefined) {
    const at = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN
    return Number.isNaN(at) ? null : at
  }
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null
  const next = new Date(now)
  next.setHours(Number(hours), Number(minutes), Number(seconds), 0)
  if (next.getTime() <= now) next.setDate(next.getDate() + 1)
  return next.getTime()
}
