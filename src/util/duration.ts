/** Reads a duration as people write it. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Returns milliseconds, or null if the text is not a duration: `500ms`, `1.5s`, `2m`, `1h`, or a number of seconds. */
export function parseDuration(value: string | number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(String(value).trim())
  if (!match) return null
  const ms = Math.round(Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 0))
  return ms >= 1 ? ms : null
}
