/** Formats the rates of services and real servers, the busiest first. Pure, but for the rates that it keeps. */
import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { hostWithAddress, isSameName } from '../../core/display-names.js'
import { type Paint, painter } from '../../util/paint.js'
import { printable } from '../../util/printable.js'
import { dateTime } from '../../util/time-text.js'
import { pad, widthsOf } from './columns.js'
import type { ListSection } from './list-view.js'
import { RateHistory, type Rates } from './rates.js'
import { sparkline } from './sparkline.js'
import { STATE_STYLE } from './state-style.js'
import type { StatusView } from './status-view.js'

export const SORT_KEYS = ['connections', 'in', 'out', 'active', 'name'] as const
export type SortKey = (typeof SORT_KEYS)[number]

const SORT_WORDS: Readonly<Record<SortKey, string>> = {
  connections: 'new connections',
  in: 'bytes in',
  out: 'bytes out',
  active: 'active connections',
  name: 'name',
}

/** A service or a real server, with what its row shows. */
interface Entry {
  readonly name: string
  readonly state: string
  readonly paintState: (text: string, paint: Paint) => string
  readonly weight: string
  readonly active: number
  readonly inactive: number
  readonly rates: Rates
  readonly history: readonly number[]
}

interface Column {
  readonly title: string
  /** If the screen is narrow, columns with the highest rank are omitted first. */
  readonly rank: number
  readonly side?: 'right'
  readonly cell: (entry: Entry) => string
}

const LINE_WIDTH = 20
const COLUMNS: readonly Column[] = [
  { title: 'STATE', rank: 1, cell: ({ state }) => state },
  { title: 'SERVER', rank: 0, cell: ({ name }) => name },
  { title: 'WEIGHT', rank: 3, side: 'right', cell: ({ weight }) => weight },
  { title: 'CONN/S', rank: 0, side: 'right', cell: ({ rates }) => amount(rates.connections) },
  { title: 'ACTIVE', rank: 1, side: 'right', cell: ({ active }) => amount(active) },
  { title: 'INACT', rank: 4, side: 'right', cell: ({ inactive }) => amount(inactive) },
  { title: 'B/S IN', rank: 1, side: 'right', cell: ({ rates }) => amount(rates.inBytes) },
  { title: 'B/S OUT', rank: 2, side: 'right', cell: ({ rates }) => amount(rates.outBytes) },
  { title: 'PKT/S IN', rank: 6, side: 'right', cell: ({ rates }) => amount(rates.inPackets) },
  { title: 'PKT/S OUT', rank: 6, side: 'right', cell: ({ rates }) => amount(rates.outPackets) },
  { title: 'CONN/S, LAST MINUTE', rank: 5, cell: ({ history }) => sparkline(history, LINE_WIDTH) },
]
const RANKS = [6, 5, 4, 3, 2, 1, 0]
const GAP = 2

/** The content of `lvsd top`: keeps the rates and the order. */
export class Top {
  readonly #rates = new RateHistory()
  #sort: SortKey
  readonly keys = [
    ['s', 'sort'],
    ['c, i, o, a, n', 'by connections/s, bytes in, bytes out, active, name'],
  ] as const

  constructor(sort: SortKey) {
    this.#sort = sort
  }

  take(document: StatusDocument): void {
    this.#rates.take(document)
  }

  press(key: string): boolean {
    const chosen = SORT_KEYS.find(name => name.startsWith(key))
    if (key !== 's' && !chosen) return false
    this.#sort = chosen ?? SORT_KEYS[(SORT_KEYS.indexOf(this.#sort) + 1) % SORT_KEYS.length] ?? 'connections'
    return true
  }

  head(document: StatusDocument, { now, colour }: StatusView): readonly (readonly string[])[] {
    const paint = painter(colour)
    const sum = (pick: (rates: Rates) => number) =>
      amount(document.services.reduce((total, { name }) => total + pick(this.#rates.of(name)), 0))
    return [
      [
        [
          paint('bold', `lvsd ${document.version} top`),
          dateTime(now),
          `sorted by ${SORT_WORDS[this.#sort]}`,
        ].join('  '),
        [
          `${sum(rates => rates.connections)} new connections/s`,
          `in ${sum(rates => rates.inBytes)} bytes/s, ${sum(rates => rates.inPackets)} packets/s`,
          `out ${sum(rates => rates.outBytes)} bytes/s, ${sum(rates => rates.outPackets)} packets/s`,
        ].join(paint('dim', ' · ')),
      ],
    ]
  }

  sections(document: StatusDocument, view: StatusView): readonly ListSection[] {
    const paint = painter(view.colour)
    const services = this.#sorted(
      document.services.map(service => ({ service, entry: this.#ofService(service) })),
    )
    const rows = services.map(({ service, entry }) => ({
      service,
      entry,
      reals: this.#sorted(service.reals.map(real => ({ real, entry: this.#ofReal(service, real) }))),
    }))
    const all = rows.flatMap(({ entry, reals }) => [entry, ...reals.map(real => real.entry)])
    const { columns, widths } = fitting(all, view.width)
    const line = (entry: Entry) =>
      `  ${columns
        .map((column, i) => {
          const text = pad(column.cell(entry), widths[i] ?? 0, column.side)
          return column.title === 'STATE' ? entry.paintState(text, paint) : text
        })
        .join(' '.repeat(GAP))}`.trimEnd()
    const titles = `  ${columns.map((column, i) => pad(column.title, widths[i] ?? 0, column.side)).join(' '.repeat(GAP))}`
    return rows.map(({ service, entry, reals }, i) => ({
      id: service.name,
      head: [...(i === 0 ? [paint('dim', titles.trimEnd())] : []), paint('bold', line(entry))],
      items: reals.map(({ real, entry }) => ({
        id: `${service.name} ${real.name}`,
        lines: [line(entry)],
        words: `${service.name}/${entry.name} ${entry.state}`.toLowerCase(),
        isQuiet: real.state === 'up' && entry.rates.connections === 0 && entry.active === 0,
      })),
      foot: [],
      words: service.name.toLowerCase(),
      quietWord: 'without traffic',
    }))
  }

  /** Returns the rates of all services and servers, for programs. */
  data({ now, services }: StatusDocument) {
    return {
      schema: 1,
      at: now,
      services: services.map(({ name, reals }) => ({
        service: name,
        rates: rounded(this.#rates.of(name)),
        reals: reals.map(real => ({
          real: real.name,
          state: real.state,
          weight: real.weight.kernel,
          active: real.counters?.active ?? null,
          inactive: real.counters?.inactive ?? null,
          rates: rounded(this.#rates.of(`${name} ${real.name}`)),
        })),
      })),
    }
  }

  #sorted<T extends { readonly entry: Entry }>(rows: readonly T[]): readonly T[] {
    const value = ({ rates, active }: Entry) =>
      ({ connections: rates.connections, in: rates.inBytes, out: rates.outBytes, active, name: 0 })[
        this.#sort
      ]
    return [...rows].sort(
      (one, other) => value(other.entry) - value(one.entry) || one.entry.name.localeCompare(other.entry.name),
    )
  }

  #ofService({ name, key, state, reals }: ServiceStatus): Entry {
    const sum = (pick: (real: RealStatus) => number) => reals.reduce((total, real) => total + pick(real), 0)
    return {
      name: key === null || isSameName(name, key) ? (key ?? printable(name)) : `${printable(name)} ${key}`,
      state,
      paintState: (text, paint) => paint(STATE_STYLE[state], text),
      weight: '',
      active: sum(({ counters }) => counters?.active ?? 0),
      inactive: sum(({ counters }) => counters?.inactive ?? 0),
      rates: this.#rates.of(name),
      history: this.#rates.historyOf(name),
    }
  }

  #ofReal({ name }: ServiceStatus, real: RealStatus): Entry {
    const id = `${name} ${real.name}`
    return {
      name: `  ${hostWithAddress(real)}`,
      state: real.state,
      paintState: (text, paint) => paint(STATE_STYLE[real.state], text),
      weight: String(real.weight.kernel ?? '-'),
      active: real.counters?.active ?? 0,
      inactive: real.counters?.inactive ?? 0,
      rates: this.#rates.of(id),
      history: this.#rates.historyOf(id),
    }
  }
}

/** Returns the largest set of columns that fits. */
function fitting(entries: readonly Entry[], width: number) {
  const allWidths = widthsOf([
    COLUMNS.map(({ title }) => title),
    ...entries.map(entry => COLUMNS.map(column => column.cell(entry))),
  ])
  const layouts = RANKS.map(rank => {
    const shown = COLUMNS.flatMap((column, i) =>
      column.rank <= rank ? [{ column, width: allWidths[i] ?? 0 }] : [],
    )
    const widths = shown.map(({ width }) => width)
    return {
      columns: shown.map(({ column }) => column),
      widths,
      used: widths.reduce((sum, each) => sum + each + GAP, 0),
    }
  })
  return layouts.find(({ used }) => used <= width) ?? (layouts.at(-1) as (typeof layouts)[number])
}

const UNITS = ['', 'k', 'M', 'G', 'T', 'P']

/** Returns at most five characters: `0`, `0.4`, `12`, `1.2k`, `350M`. Decimal units. */
export function amount(value: number): string {
  if (value < 0.05) return '0'
  if (value < 9.95) return value.toFixed(1).replace(/\.0$/, '')
  let unit = 0
  let left = value
  while (left >= 999.5 && unit < UNITS.length - 1) {
    left /= 1000
    unit++
  }
  const text = unit > 0 && left < 9.95 ? left.toFixed(1).replace(/\.0$/, '') : left.toFixed(0)
  return `${text}${UNITS[unit]}`
}

function rounded(rates: Rates): Rates {
  return Object.fromEntries(
    Object.entries(rates).map(([name, value]) => [name, Math.round(value * 10) / 10]),
  ) as unknown as Rates
}
