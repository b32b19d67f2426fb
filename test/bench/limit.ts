/**
 * What lvsd is to reach, each aim with the benchmark that measures it: the table of how near it is. `npm run bench --
 * limit` runs these benchmarks several times. A ratio is that of the medians of one run.
 */
import type { Row } from './benchmark.js'
import { type Figure, figureOf } from './figures.js'
import { ratioOf } from './print.js'

export interface Aim {
  readonly benchmark: string
  /** As the benchmark's row says it. */
  readonly figure: string
  readonly beside: string
  /**
   * What is compared with `wanted`: lvsd's figure over the other's, lvsd's median, or its largest sample. What is wanted is the most
   * that it may be.
   */
  readonly of: 'ratio' | 'median' | 'max'
  readonly wanted: number
}

/** Runs of each benchmark, unless RUNS is another number. */
export const RUNS = 3

/** What narrows a benchmark down to its aims, as variables of its environment. */
export const NARROWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  faults: { INTERVALS: '1', FAULTS: 'kill,refuse,drop,link' },
}

const KEEPALIVED = 'keepalived'

export const AIMS: readonly Aim[] = [
  ...[
    [100, 0.6, 65],
    [1000, 0.6, 75],
    [5000, 1, 110],
  ].flatMap(([rate, cpu = 0, rss = 0]): Aim[] => [
    aim('checks', `${rate}/s: CPU of a check`, KEEPALIVED, 'ratio', cpu),
    aim('checks', `${rate}/s: RSS`, KEEPALIVED, 'median', rss),
  ]),
  aim('checks', '5000/s: time between two, p99', KEEPALIVED, 'median', 1010),
  ...(['median', 'max'] as const).map(of =>
    aim(
      'faults',
      '1 s, with sentinels: kill -9, until it is out',
      'lvsd without',
      of,
      of === 'max' ? 50 : 20,
    ),
  ),
  aim('faults', '1 s, with sentinels: kill -9, failed requests', 'lvsd without', 'median', 1),
  aim('faults', '1 s: refuses new connections, until it is out', KEEPALIVED, 'median', 500),
  aim('faults', '1 s: drops packets of TCP, until it is out', KEEPALIVED, 'median', 1500),
  aim('faults', '1 s, with sentinels: drops packets of TCP, until it is out', 'lvsd without', 'median', 500),
  aim('faults', '1 s: its link goes down, until it is out', KEEPALIVED, 'median', 500),
  aim('faults', '1 s: refuses new connections, mended, until it is in', KEEPALIVED, 'median', 250),
  ...[
    [10, 150],
    [1000, 300],
    [5000, 800],
  ].flatMap(([count, ms = 0]) =>
    ['a text that is new', 'the text of the last start'].map(text =>
      aim('start-in-memory', `${count} servers, ${text}: all are up`, 'node alone', 'median', ms),
    ),
  ),
  aim('start', '500: until all are in', KEEPALIVED, 'median', 2000),
  aim('start', '500 again: until all are in', KEEPALIVED, 'median', 2000),
  ...['lvsd status', 'lvsd --help'].map(command =>
    aim('commands', `${command}, CPU`, 'node -e 0', 'median', 120),
  ),
  aim('reload-in-memory', '1000 servers, a reload', 'before the first', 'median', 30),
  aim('reload-in-memory', '5000 servers, a reload', 'before the first', 'median', 80),
  aim('reload', '500: until it is in the kernel', KEEPALIVED, 'median', 150),
  aim('reload', '500: messages that change the table', KEEPALIVED, 'median', 1),
  ...[100, 1000].flatMap(count => [
    aim('watching', `${count} servers: the table is read back`, 'the limit', 'median', 0.3),
    aim('watching', `${count} servers: connections are watched`, 'the limit', 'median', 0.3),
  ]),
]

function aim(benchmark: string, figure: string, beside: string, of: Aim['of'], wanted: number): Aim {
  return { benchmark, figure, beside, of, wanted }
}

/** The benchmarks that measure aims, in the order of these. */
export function measuring(aims: readonly Aim[]): readonly string[] {
  return [...new Set(aims.map(({ benchmark }) => benchmark))]
}

export interface Reached extends Aim {
  readonly unit: string
  /** Of all runs: the median of each, or for `max` the largest. Null: not measured. */
  readonly ours: Figure | null
  readonly theirs: Figure | null
  /** Of the ratios of the runs. */
  readonly ratio: Figure | null
  readonly isMet: boolean | null
}

/** Compares an aim with the rows of its benchmark, of each run. An aim is met by the median of the runs, by `max` in all. */
export function reached(aim: Aim, runs: readonly (readonly Row[])[]): Reached {
  const rows = runs.flatMap(
    rows => rows.find(row => row.figure === aim.figure && row.beside === aim.beside) ?? [],
  )
  const pick = (samples: readonly number[]): number[] => {
    const figure = figureOf(samples)
    return figure ? [aim.of === 'max' ? figure.max : figure.median] : []
  }
  const ours = figureOf(rows.flatMap(row => pick(row.ours)))
  const ratio = figureOf(rows.flatMap(row => ratioOf(row) ?? []))
  const compared = aim.of === 'ratio' ? ratio?.median : aim.of === 'max' ? ours?.max : ours?.median
  return {
    ...{ ...aim, unit: rows[0]?.unit ?? '', ours, ratio },
    theirs: figureOf(rows.flatMap(row => pick(row.theirs))),
    isMet: compared === undefined ? null : compared <= aim.wanted,
  }
}
