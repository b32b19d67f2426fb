/**
 * What lvsd is to reach, each aim with the benchmark that measures it and with its source: the table of how near it is.
 * `npm run bench -- limit` runs these benchmarks. A ratio is that of the medians of one run.
 */
import type { Row } from './benchmark.js'
import type { Variable } from './chosen.js'
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
  /** Who wants it. */
  readonly source: string
}

/** How one benchmark measures its aims. */
export interface Plan {
  /** Times that the whole of it runs. One that makes several runs by itself, after one warm-up, runs once. */
  readonly runs: number
  /** What narrows it down to its aims: variables of its environment. */
  readonly narrowed: Environment
  /** Samples of each run, which make at least nine in all. With --quick the benchmark's own few. */
  readonly times?: number
}

type Environment = Readonly<Partial<Record<Variable, string>>>

const KEEPALIVED = 'keepalived'
const BESIDE = { BESIDE: KEEPALIVED }

/** Sites whose longest turn is measured: one of each format. */
const TURNS = ['yaml, 100 services', 'ldirectord, 2 services of 5,000']

export const PLANS: Readonly<Record<string, Plan>> = {
  checks: { runs: 1, narrowed: BESIDE },
  detect: { runs: 3, narrowed: BESIDE, times: 8 },
  faults: { runs: 3, narrowed: { INTERVALS: '1', FAULTS: 'kill,close,refuse,drop,link' }, times: 3 },
  'start-in-memory': { runs: 3, narrowed: {} },
  start: { runs: 3, narrowed: { ...BESIDE, SIZES: '500' }, times: 3 },
  commands: { runs: 3, narrowed: {} },
  // Few reloads, because the first ones count: an operator does not reload a hundred times in a row.
  'reload-in-memory': { runs: 3, narrowed: { SIZES: '1000,5000' }, times: 5 },
  reload: { runs: 3, narrowed: { SIZES: '500' }, times: 3 },
  turns: { runs: 1, narrowed: { ONLY: TURNS.join(';') } },
  watching: { runs: 1, narrowed: {}, times: 3 },
  drift: { runs: 1, narrowed: { SIZES: '1000' } },
}

/** The times that a plan's benchmark runs, and its environment. With `quick` once. */
export function planOf(
  benchmark: string,
  quick: boolean,
): { readonly runs: number; readonly env: Environment } {
  const { runs, narrowed, times } = PLANS[benchmark] ?? { runs: 1, narrowed: {} }
  if (quick) return { runs: 1, env: narrowed }
  return { runs, env: { ...narrowed, ...(times !== undefined && { TIMES: String(times) }) } }
}

const TABLE = 'issue 13: the table'
const START = 'issue 13: start, reload, memory'
const SEEING = 'issue 13: seeing it before a client does'
const PROOF = 'issue 13: how it is proved'
const HINTS = 'README: Checks that come early'

const WITHOUT = 'lvsd without'
/** Milliseconds: without hints a check each second whose time limit is one second, with `early-timeout` after 250 ms of silence. */
const SILENT = { without: 1500, withHints: 500 }
/**
 * Milliseconds until a server that refuses is out, without hints: the 0.5 s are half the interval, the median of who asks once
 * in it, and here is what it takes then until a guest's kernel has it.
 */
const REFUSED = 500 + 25

export const AIMS: readonly Aim[] = [
  ...[
    [100, 0.6, 65],
    [1000, 0.6, 75],
    [5000, 1, 110],
  ].flatMap(([rate, cpu = 0, rss = 0]): Aim[] => [
    aim(TABLE, 'checks', `${rate}/s: CPU of a check`, KEEPALIVED, 'ratio', cpu),
    aim(TABLE, 'checks', `${rate}/s: RSS`, KEEPALIVED, 'median', rss),
  ]),
  aim(TABLE, 'checks', '5000/s: time between two, p99', KEEPALIVED, 'median', 1010),

  aim(TABLE, 'detect', 'refuses, until it is out', KEEPALIVED, 'median', REFUSED),
  ...atOnce('detect', 'its process ends, until it is out, with sentinels', 'lvsd without sentinels'),
  aim(TABLE, 'detect', 'answers, until it is in', KEEPALIVED, 'median', 250),

  ...['kill -9', 'ends and closes its connections'].flatMap(fault => [
    ...atOnce('faults', `1 s, with sentinels: ${fault}, until it is out`, WITHOUT),
    aim(PROOF, 'faults', `1 s, with sentinels: ${fault}, failed requests`, WITHOUT, 'max', 1),
    aim(TABLE, 'faults', `1 s: ${fault}, until it is out`, KEEPALIVED, 'median', REFUSED),
  ]),
  // Its connections stay, so its sentinel does not see it.
  aim(
    TABLE,
    'faults',
    '1 s, with sentinels: refuses new connections, until it is out',
    WITHOUT,
    'median',
    500,
  ),
  aim(TABLE, 'faults', '1 s: refuses new connections, until it is out', KEEPALIVED, 'median', REFUSED),
  ...silent(TABLE, 'drops packets of TCP'),
  // Without `early-timeout` a check over an interface without a carrier fails after its time limit, as one whose packets are dropped.
  ...silent(HINTS, 'its link goes down'),
  ...[
    'kill -9',
    'ends and closes its connections',
    'refuses new connections',
    'drops packets of TCP',
    'its link goes down',
  ].flatMap(fault => [
    aim(TABLE, 'faults', `1 s, with sentinels: ${fault}, mended, until it is in`, WITHOUT, 'median', 250),
    aim(TABLE, 'faults', `1 s: ${fault}, mended, until it is in`, KEEPALIVED, 'median', 250),
  ]),

  ...[
    [10, 150],
    [1000, 300],
    [5000, 800],
  ].flatMap(([count, ms = 0]) => [
    ...['a text that is new', 'the text of the last start'].map(text =>
      aim(TABLE, 'start-in-memory', `${count} servers, ${text}: all are up`, 'node alone', 'median', ms),
    ),
    ...['a text that is new', 'the text of the last start', 'one of 10 services edited'].map(text =>
      aim(
        START,
        'start-in-memory',
        `${count} servers, ${text}: the first check begins`,
        'node alone',
        'median',
        50,
      ),
    ),
  ]),
  aim(TABLE, 'start', '500: until all are in', KEEPALIVED, 'median', 2000),
  aim(TABLE, 'start', '500 again: until all are in', KEEPALIVED, 'median', 2000),

  ...['lvsd status', 'lvsd --help'].map(command =>
    aim(TABLE, 'commands', `${command}, CPU in user mode`, 'node -e 0', 'median', 120),
  ),

  aim(TABLE, 'reload-in-memory', '1000 servers, a reload', 'before the first', 'median', 30),
  aim(TABLE, 'reload-in-memory', '5000 servers, a reload', 'before the first', 'median', 80),
  aim(TABLE, 'reload', '500: until it is in the kernel', KEEPALIVED, 'median', 150),
  aim(TABLE, 'reload', '500: messages that change the table', KEEPALIVED, 'max', 1),

  ...TURNS.map(site => aim(START, 'turns', `${site}: all of these`, 'the aim', 'max', 20)),

  ...[100, 1000].flatMap(count => [
    aim(SEEING, 'watching', `${count} servers: the table is read back`, 'the limit', 'median', 0.3),
    aim(HINTS, 'watching', `${count} servers: connections are watched`, 'the limit', 'median', 0.3),
  ]),
  aim(SEEING, 'drift', '1000 servers: a deleted service is back', 'between two readings', 'max', 2000),
]

function aim(
  source: string,
  benchmark: string,
  figure: string,
  beside: string,
  of: Aim['of'],
  wanted: number,
): Aim {
  return { benchmark, figure, beside, of, wanted, source }
}

/** A process that ends, with sentinels: p50 and the longest. */
function atOnce(benchmark: string, figure: string, beside: string): Aim[] {
  return [
    aim(TABLE, benchmark, figure, beside, 'median', 20),
    aim(TABLE, benchmark, figure, beside, 'max', 50),
  ]
}

/** A server that does not answer. */
function silent(source: string, fault: string): Aim[] {
  const { without, withHints } = SILENT
  return [
    aim(source, 'faults', `1 s, with sentinels: ${fault}, until it is out`, WITHOUT, 'median', withHints),
    aim(source, 'faults', `1 s: ${fault}, until it is out`, KEEPALIVED, 'median', without),
  ]
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

/** True for a row that measures an aim, one for each run. */
export function isOf(aim: Aim, row: Row): boolean {
  return row.figure === aim.figure && row.beside === aim.beside
}

/** Compares an aim with the rows of its benchmark, of all runs. An aim is met by the median of the runs, by `max` in all. */
export function reached(aim: Aim, all: readonly Row[]): Reached {
  const rows = all.filter(row => isOf(aim, row))
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
