/** A time in the past in the form of the command line: `2h`, `06:00`, `2026-11-29T06:00`. */
import { durationOf } from './override-end.js'

/** Returns milliseconds of the wall clock; null if the text is not a time. A time of day is its last occurrence. */
export function sinceOf(text: string, now: number): number | null {
  const ms = durationOf(text)
  if (ms !== null) return now - ms
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? []
  if (hours === undefined || minutes === undefined) {
    const at = /^\d{4}-\d{2}-\d{2}/.test(text)
      ? Date.parse(text.length === 10 ? `${text}T00:00` : text)
      : Number.NaN
    return Number.isNaN(at) ? null : at
  }
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null
  const last = new Date(now)
  last.setHours(Number(hours), Number(minutes), Number(seconds), 0)
  if (last.getTime() > now) last.setDate(last.getDate() - 1)
  return last.getTime()
}
