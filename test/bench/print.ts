/** Rows as a table for people, and as JSON lines for programs. */
import type { Row } from './benchmark.js'
import { brief, type Figure, figureOf } from './figures.js'
import type { Reached } from './limit.js'
import type { Load } from './load.js'

const NUMBERS = ['n', 'min', 'p90', 'max']
const HEADS = ['figure', 'unit', 'lvsd', ...NUMBERS, 'beside', 'is', ...NUMBERS, 'lvsd is']
const TEXTS = new Set(['figure', 'unit', 'beside', 'lvsd is'])

/** Columns with their heads and one row for each line; those in `texts` begin at the left. */
function renderColumns(lines: readonly (readonly string[])[], texts: ReadonlySet<string>): string[] {
  const [heads = []] = lines
  const widths = heads.map((_, column) => Math.max(...lines.map(cells => cells[column]?.length ?? 0)))
  const pad = (cell: string, i: number) =>
    texts.has(heads[i] ?? '') ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  return lines.map(cells => cells.map(pad).join('  ').trimEnd())
}

/** `lvsd is 0.25 x`: of time, of work or of bytes a quarter. Runs are joined. The notes follow below the table. */
export function renderTable(all: readonly Row[]): string {
  const rows = joined(all)
  const notes = [...new Set(rows.flatMap(row => row.note ?? []))]
  const lines = [HEADS, ...rows.map(row => cellsOf(row, notes))]
  return [...renderColumns(lines, TEXTS), ...notes.map((note, i) => `  ${i + 1}) ${note}`)].join('\n')
}

/** One row for each figure, with the samples of all its runs. */
function joined(rows: readonly Row[]): Row[] {
  const byFigure = new Map<string, Row>()
  for (const row of rows) {
    const key = `${row.figure}|${row.beside}`
    const before = byFigure.get(key)
    byFigure.set(key, before ? { ...before, ...samplesOf([before, row]) } : row)
  }
  return [...byFigure.values()]
}

function samplesOf(rows: readonly Row[]): Pick<Row, 'ours' | 'theirs'> {
  return { ours: rows.flatMap(({ ours }) => ours), theirs: rows.flatMap(({ theirs }) => theirs) }
}

function cellsOf(row: Row, notes: readonly string[]): string[] {
  const mark = row.note === undefined ? '' : ` ${notes.indexOf(row.note) + 1})`
  const ratio = ratioOf(row)
  return [
    row.figure,
    row.unit,
    ...numbersOf(row.ours),
    row.beside,
    ...numbersOf(row.theirs),
    `${ratio === null ? '-' : `${brief(ratio)} x`}${mark}`,
  ]
}

function numbersOf(samples: readonly number[]): string[] {
  const figure = figureOf(samples)
  if (!figure) return ['-', '0', '', '', '']
  const { median, n, min, p90, max } = figure
  return [brief(median), String(n), ...(n > 1 ? [min, p90, max].map(brief) : ['', '', ''])]
}

/** Our median over theirs; null where either is missing. */
export function ratioOf({ ours, theirs }: Row): number | null {
  const mine = figureOf(ours)
  const other = figureOf(theirs)
  return mine && other && other.median !== 0 ? mine.median / other.median : null
}

/** One line of JSON, with the samples in it. */
export function renderJson(benchmark: string, row: Row): string {
  const { figure, unit, ours, beside, theirs, note = null, run = null } = row
  const lvsd = { ...figureOf(ours), samples: ours }
  const peer = { ...figureOf(theirs), samples: theirs }
  return JSON.stringify({ benchmark, run, figure, unit, lvsd, beside, peer, ratio: ratioOf(row), note })
}

/** One line of JSON: the load of the machine in one run of a benchmark. */
export function renderLoadJson(benchmark: string, run: number | null, load: Load): string {
  return JSON.stringify({ benchmark, run, load })
}

const AIM_HEADS = ['aim', 'unit', 'lvsd', 'beside', 'is', 'lvsd / it', 'wanted', 'met', 'source']
const AIM_TEXTS = new Set(['aim', 'unit', 'beside', 'met', 'source'])

/** Each figure as minimum, median and maximum of the runs. `isBusy`: true for a benchmark that a busy machine has run. */
export function renderAims(
  aims: readonly Reached[],
  isBusy: (benchmark: string) => boolean = () => false,
): string {
  const rows = aims.map(reached => [
    `${reached.benchmark}: ${reached.figure}${reached.of === 'max' ? ', maximum' : ''}`,
    reached.unit,
    rangeOf(reached.ours),
    reached.beside,
    rangeOf(reached.theirs),
    rangeOf(reached.ratio),
    `<= ${reached.wanted}${reached.of === 'ratio' ? ' x' : ''}`,
    verdictOf(reached, isBusy(reached.benchmark)),
    reached.source,
  ])
  return renderColumns([AIM_HEADS, ...rows], AIM_TEXTS).join('\n')
}

function verdictOf({ isMet }: Reached, isBusy: boolean): string {
  return isMet === null ? 'not measured' : `${isMet ? 'yes' : 'NO'}${isBusy ? ' (busy)' : ''}`
}

function rangeOf(figure: Figure | null): string {
  if (!figure) return '-'
  const { min, median, max, n } = figure
  return n === 1 ? brief(median) : [min, median, max].map(brief).join(' / ')
}

/** One line of JSON for an aim, with the load in each run of its benchmark. */
export function renderAimJson(reached: Reached, loads: readonly Load[]): string {
  return JSON.stringify({ limit: reached, loads })
}
