/** Rows as a table for people, and as JSON lines for programs. */
import type { Row } from './benchmark.js'
import { brief, figureOf } from './figures.js'

const NUMBERS = ['n', 'min', 'p90', 'max']
const HEADS = ['figure', 'unit', 'lvsd', ...NUMBERS, 'beside', 'is', ...NUMBERS, 'lvsd is']
const TEXTS = new Set(['figure', 'unit', 'beside', 'lvsd is'])

/** `lvsd is 0.25 x`: of time, of work or of bytes a quarter. The notes follow below the table. */
export function renderTable(rows: readonly Row[]): string {
  const notes = [...new Set(rows.flatMap(row => row.note ?? []))]
  const lines = [HEADS, ...rows.map(row => cellsOf(row, notes))]
  const widths = HEADS.map((_, column) => Math.max(...lines.map(cells => cells[column]?.length ?? 0)))
  const table = lines.map(cells => cells.map((cell, i) => pad(cell, widths[i] ?? 0, HEADS[i])).join('  '))
  return [...table.map(line => line.trimEnd()), ...notes.map((note, i) => `  ${i + 1}) ${note}`)].join('\n')
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

function pad(cell: string, width: number, head = ''): string {
  return TEXTS.has(head) ? cell.padEnd(width) : cell.padStart(width)
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
