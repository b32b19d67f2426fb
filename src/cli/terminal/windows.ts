/** Formats maintenance windows for people, and as JSON. Pure. */
import type { EndedWindow } from '../../api/windows-types.js'
import type { ComingWindow } from '../../core/coming-windows.js'
import { nameOfWindow } from '../../core/window.js'
import { painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { widthOf } from '../../util/text-width.js'
import { duration, formatUptime, shortTime } from '../../util/time-text.js'
import { wallText, wallTime } from '../../util/zoned-time.js'
import { clip, pad } from './columns.js'

interface View {
  readonly width: number
  readonly colour: boolean
  /** Zone of the person who reads. */
  readonly zone: string
  /** Openings that operators have ended early. */
  readonly ended: readonly EndedWindow[]
}

/** Services and real servers that are named. */
const MOST_NAMED = 4
/** Columns of a line where the output has no limit of its own. */
const WIDTH = 100

/** Returns two or three lines for each window: when; what and why. `now`: milliseconds of the wall clock. */
export function renderWindows(coming: readonly ComingWindow[], now: number, view: View): string {
  if (coming.length === 0) return 'no maintenance windows'
  const heads = coming.map(one => {
    if (!one.isOpen) return `in ${formatUptime(one.begin - now)}`
    return isWhollyEnded(one, view.ended) ? 'ended' : 'open'
  })
  const indent = Math.max(...heads.map(widthOf)) + 2
  const paint = painter(view.colour)
  return coming
    .map((one, i) => {
      const head = pad(heads[i] ?? '', indent)
      const [first = '', ...rest] = linesOf(one, now, {
        ...view,
        width: Math.min(view.width, WIDTH) - indent,
      })
      const lines = [
        (heads[i] === 'open' ? paint('yellow', head) : head) + first,
        ...rest.map(line => ' '.repeat(indent) + line),
      ]
      return lines.map(line => clip(line, view.width)).join('\n')
    })
    .join('\n')
}

function linesOf(one: ComingWindow, now: number, { width, zone: here, ended }: View): readonly string[] {
  const { window, begin, end, isOpen } = one
  const span = spanText(begin, end, window.zone)
  const own = `${span} ${window.zone}`
  const isElsewhere = [begin, end].some(at => wallTime(at, window.zone) !== wallTime(at, here))
  const local = isElsewhere ? `(here ${spanText(begin, end, here)})` : ''
  const line = `${own} ${local}`.trimEnd()
  const halves = widthOf(own) <= width ? [own, local] : [span, `${window.zone} ${local}`]
  const times = widthOf(line) <= width ? [line] : halves.filter(half => half !== '')
  const left = isOpen && !isWhollyEnded(one, ended) ? [`${formatUptime(end - now)} left`] : []
  const drain = window.drain === 0 ? [] : [`${duration(window.drain)} of drain first`]
  const what = [whoseText(one), ...drain, ...left].join(', ')
  const early = endsOf(one, ended).map(({ service, real, at, who }) => {
    const target = real === null ? service : `${service}/${real}`
    return printable(`${target}: ended early at ${shortTime(Date.parse(at), now)} by ${who}`)
  })
  return [...times, printable(window.reason === '' ? what : `${what}: ${window.reason}`), ...shortened(early)]
}

function shortened(lines: readonly string[]): readonly string[] {
  const left = lines.length - MOST_NAMED
  return left > 1 ? [...lines.slice(0, MOST_NAMED), `and for ${left} more targets`] : lines
}

/** Returns the early ends of this opening. */
function endsOf(
  { services, window, begin, isOpen }: ComingWindow,
  ended: readonly EndedWindow[],
): readonly EndedWindow[] {
  if (!isOpen) return []
  const name = nameOfWindow(window)
  return ended.filter(
    one =>
      services.includes(one.service) &&
      one.window === name &&
      Date.parse(one.begin) === begin &&
      (one.real === null || window.reals === null || window.reals.includes(one.real)),
  )
}

/** True if the opening is over for all of its servers. Where the window is for a whole service, only its end as a whole counts. */
function isWhollyEnded(one: ComingWindow, ended: readonly EndedWindow[]): boolean {
  const ends = endsOf(one, ended)
  return one.services.every(service =>
    (one.window.reals ?? [null]).every(wanted =>
      ends.some(({ service: name, real }) => name === service && (real === null || real === wanted)),
    ),
  )
}

/** Returns `web: [fd00::1]:80`, or `web, mail`. */
function whoseText({ services, window }: ComingWindow): string {
  const whose = named(services, 'services')
  return window.reals === null ? whose : `${whose}/${named(window.reals, 'servers')}`
}

function named(names: readonly string[], what: string): string {
  const left = names.length - MOST_NAMED
  const shown = left > 1 ? names.slice(0, MOST_NAMED) : names
  return `${shown.join(', ')}${left > 1 ? ` and ${left} more ${what}` : ''}`
}

/** Returns `Sun 2026-11-29 02:00 to 04:00`, with the date of the end where it is another one. */
function spanText(begin: number, end: number, zone: string): string {
  const [from, to] = [dayText(begin, zone), dayText(end, zone)]
  return `${from} to ${from.slice(0, 14) === to.slice(0, 14) ? to.slice(15) : to}`
}

/** Returns `Sun 2026-11-29 02:00`. */
function dayText(instant: number, zone: string): string {
  const wall = wallTime(instant, zone)
  return `${new Date(wall).toUTCString().slice(0, 3)} ${wallText(wall)}`
}

/** Returns the windows as JSON. `zone`: that of the person who asks. */
export function windowsAsJson(
  coming: readonly ComingWindow[],
  now: number,
  { zone, ended }: Pick<View, 'zone' | 'ended'>,
): string {
  const windows = coming.map(one => {
    const { services, window, begin, end, isOpen } = one
    return {
      services,
      reals: window.reals,
      at: window.at,
      zone: window.zone,
      open: isOpen,
      begin: new Date(begin).toISOString(),
      drainedUntil: new Date(Math.min(begin + window.drain, end)).toISOString(),
      end: new Date(end).toISOString(),
      inZone: timesIn(window.zone, begin, end),
      local: timesIn(zone, begin, end),
      reason: window.reason,
      endedEarly: endsOf(one, ended).map(({ service, real, at, who }) => ({ service, real, at, who })),
    }
  })
  return JSON.stringify({ schema: 1, now: new Date(now).toISOString(), zone, windows }, null, 2)
}

function timesIn(zone: string, begin: number, end: number) {
  return { begin: wallText(wallTime(begin, zone)), end: wallText(wallTime(end, zone)) }
}
