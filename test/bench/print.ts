/** Rows as a table for people, and as JSON lines for programs. */
import type { Row } from './benchmark.js'
import { brief, type Figure, figureOf } from './figures.js'
import type { Reached } from './limit.js'

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

/** `lvsd is 0.25 x`: of time, of work or of bytes a quarter. The notes follow below the table. */
export function renderTable(rows: readonly Row[]): string {
  const notes = [...new Set(rows.flatMap(row => row.note ?? []))]
  const lines = [HEADS, ...rows.map(row => cellsOf(row, notes))]
  return [...renderColumns(lines, TEXTS), ...notes.map((note, i) => `  ${i + 1}) ${note}`)].join('\n')
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
  const { figure, unit, ours, beside, theirs, note = null } = row
  const lvsd = { ...figureOf(ours), samples: ours }
  const peer = { ...figureOf(theirs), samples: theirs }
  return JSON.stringify({ benchmark, figure, unit, lvsd, beside, peer, ratio: ratioOf(row), note })
}

const AIM_HEADS = ['aim', 'unit', 'lvsd', 'beside', 'is', 'lvsd / it', 'wanted', 'met']
const AIM_TEXTS = new Set(['aim', 'unit', 'beside', 'met'])

/** Each figure as minimum, median and maximum of the runs. */
export function renderAims(aims: readonly Reached[]): string {
  const rows = aims.map(({ benchmark, figure, unit, ours, beside, theirs, ratio, of, wanted, isMet }) => [
    `${benchmark}: ${figure}${of === 'max' ? ', the longest' : ''}`,
    unit,
    rangeOf(ours),
    beside,
    rangeOf(theirs),
    rangeOf(ratio),
    `<= ${wanted}${of === 'ratio' ? ' x' : ''}`,
    isMet === null ? 'not measured' : isMet ? 'yes' : 'NO',
  ])
  return renderColumns([AIM_HEADS, ...rows], AIM_TEXTS).join('\n')
}

function rangeOf(figure: Figure | null): string {
  if (!figure) return '-'
  const { min, median, max, n } = figure
  return n === 1 ? brief(median) : [min, median, max].map(brief).join(' / ')
}

/** One line of JSON for an aim. */
export function renderAimJson(reached: Reached): string {
  return JSON.stringify({ limit: reached })
}
