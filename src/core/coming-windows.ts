/** The next maintenance windows of several services, in their order. Pure. */
import type { MaintenanceWindow, Service } from './model.js'
import { comingOccurrences, type Occurrence } from './window.js'

/** The fields of a service that are needed. */
export type WithWindows = Pick<Service, 'name' | 'windows'>

/** One occurrence of a window that one or several services have. */
export interface ComingWindow extends Occurrence {
  readonly window: MaintenanceWindow
  /** Names of the services. Services share a row where their windows are equal and for all of their real servers. */
  readonly services: readonly string[]
  readonly isOpen: boolean
}

/** Openings of one window that are worth a line. */
const MOST_OF_ONE = 3

/**
 * Returns openings in the order of their start times, at most `count`: of each window the one that is open or comes next,
 * and as many of the later ones as there is room for, three of a window in all. A window of once a year is not lost among
 * those of each day.
 */
export function comingWindows(
  services: readonly WithWindows[],
  now: number,
  count: number,
): readonly ComingWindow[] {
  const rows = rowsOf(services).map(row => {
    const coming = comingOccurrences(row.window, now)
    return { ...row, coming, head: coming.next().value, left: MOST_OF_ONE }
  })
  const found: ComingWindow[] = []
  const take = (among: typeof rows) => {
    const first = found.length < count ? earliest(among) : undefined
    if (!first?.head) return null
    const { window, services: names, head } = first
    found.push({ ...head, window, services: names, isOpen: head.begin <= now })
    first.head = --first.left > 0 ? first.coming.next().value : undefined
    return first
  }
  for (let left = rows; left.length > 0; ) {
    const taken = take(left)
    if (!taken) break
    left = left.filter(row => row !== taken)
  }
  while (take(rows));
  return found.sort((a, b) => a.begin - b.begin)
}

interface WithHead {
  readonly head: Occurrence | undefined
}

function earliest<T extends WithHead>(rows: readonly T[]): T | undefined {
  const begin = ({ head }: WithHead) => head?.begin ?? Number.POSITIVE_INFINITY
  return rows.reduce<T | undefined>(
    (first, row) => (first === undefined || begin(row) < begin(first) ? row : first),
    undefined,
  )
}

interface Row {
  readonly window: MaintenanceWindow
  readonly services: string[]
}

function rowsOf(services: readonly WithWindows[]): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const { name, windows = [] } of services)
    for (const window of windows) {
      const key = JSON.stringify(window.reals === null ? [window] : [window, name])
      const row = rows.get(key) ?? { window, services: [] }
      rows.set(key, row)
      row.services.push(name)
    }
  return [...rows.values()]
}
