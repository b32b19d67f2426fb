/** Numbers and times as text. Pure. */

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** The two largest units of a duration in milliseconds: `2 d 4 h`, `35 s`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const at = UNITS.findIndex(([size]) => seconds >= size)
  if (at === -1) return '0 s'
  const [size, unit] = UNITS[at] as (typeof UNITS)[number]
  const next = UNITS[at + 1]
  const rest = next ? Math.floor((seconds % size) / next[0]) : 0
  return `${Math.floor(seconds / size)} ${unit}${next && rest > 0 ? ` ${rest} ${next[1]}` : ''}`
}

const clockTime = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

/** The local time of day of seconds since 1970. */
export function clockText(seconds: number): string {
  return clockTime.format(seconds * 1000)
}

/** The local time of an ISO 8601 time: the time of day, with the date unless it is today. */
export function timeText(iso: string, now: number): string {
  const date = new Date(iso)
  return date.toDateString() === new Date(now).toDateString() ? clockTime.format(date) : dayAndTime(date)
}

/** The local date and time with its zone, beside sentences of a director in another one: `2026-11-28 14:03:05 +01:00`. */
export function fullTime(iso: string): string {
  const date = new Date(iso)
  return `${dayAndTime(date)} ${zoneOf(date)}`
}

/** The local day of an ISO 8601 time, with its zone, above times of day: `2026-11-28, +01:00`. */
export function dayText(iso: string): string {
  const date = new Date(iso)
  return `${dayOf(date)}, ${zoneOf(date)}`
}

function dayOf(date: Date): string {
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
}

function dayAndTime(date: Date): string {
  return `${dayOf(date)} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

/** `UTC`, or the offset. */
function zoneOf(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** How long ago, of an ISO 8601 time. */
export function agoText(iso: string, now: number): string {
  return durationText(now - Date.parse(iso))
}

/** Three significant digits with a prefix: `0`, `4.25`, `12.3k`. */
export function amount(value: number): string {
  const prefixes = ['', 'k', 'M', 'G', 'T']
  let rest = value
  let at = 0
  while (rest >= 999.5 && at < prefixes.length - 1) {
    rest /= 1000
    at++
  }
  const digits = at === 0 && Number.isInteger(rest) ? 0 : rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
  return `${Number(rest.toFixed(digits))}${prefixes[at]}`
}

/** `1 server`, `2 servers`; `nouns` where it is not formed with an s. */
export function counted(count: number, noun: string, nouns = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : nouns}`
}

/** The first letter large, a full stop at the end. */
export function asSentence(text: string): string {
  const whole = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[.!?]$/.test(whole) ? whole : `${whole}.`
}

/** Where the table is. */
export function tableText(kernel: 'netlink' | 'memory'): string {
  return kernel === 'memory' ? 'in memory: no packet goes by it' : "the kernel's IPVS table"
}

/** A service by its name, and its key in the table: `web (tcp [2001:db8::80]:80)`. */
export function nameAndKey(name: string | null, key: string): string {
  return name === null ? key : `${name} (${key})`
}

/** The address of a service, or all of them; null while its name does not resolve. */
export function addressesOf({
  key,
  addresses,
}: {
  readonly key: string | null
  readonly addresses?: readonly { readonly key: string }[] | undefined
}): string | null {
  return addresses ? addresses.map(one => one.key).join(', ') : key
}
