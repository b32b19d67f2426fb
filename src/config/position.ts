/** Offsets in a text to lines and columns. */
import type { Position } from './problem.js'

/** The start of a file, for problems that are of the whole. */
export const START: Position = Object.freeze({ line: 1, column: 1, length: 1 })

export type Locate = (start: number, end?: number) => Position

/** Turns offsets of `text` into positions; the length stays within the line. */
export function locator(text: string): Locate {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (start, end = start + 1) => {
    const line = lastAtMost(starts, start)
    const from = starts[line] ?? 0
    const lineEnd = Math.max(start, (starts[line + 1] ?? text.length + 1) - 1)
    const marked = text.slice(start, Math.min(end, lineEnd)).trimEnd()
    return {
      line: line + 1,
      column: characters(text.slice(from, start)) + 1,
      length: characters(marked) || 1,
    }
  }
}

function lastAtMost(sorted: readonly number[], wanted: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((sorted[middle] ?? 0) <= wanted) low = middle
    else high = middle - 1
  }
  return low
}

/** Characters, not UTF-16 units. */
export function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
