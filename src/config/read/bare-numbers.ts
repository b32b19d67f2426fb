/** Warns about durations that may be meant in milliseconds, as in other programs. */

import type { Report } from '../problems/report.js'
import type { RawEntry } from '../raw.js'

/** Threshold in seconds. An interval of a check is never that long, but such a number is usual in milliseconds. */
const LONG = 1000

/** Warns about a value such as `interval: 5000`. */
export function reportBareNumber(entry: RawEntry, report: Report): void {
  const value = entry.value.kind === 'scalar' ? entry.value.value : null
  const seconds = value !== null && /^\d+$/.test(String(value)) ? Number(value) : 0
  if (seconds < LONG) return
  report.warn(
    'LONG_INTERVAL',
    entry.value.at,
    `${entry.key}: ${seconds} is ${inMinutes(seconds)}, because a number without a unit is in seconds; for milliseconds write ${seconds}ms, else ${seconds}s`,
  )
}

function inMinutes(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`
}
