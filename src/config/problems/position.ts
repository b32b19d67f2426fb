/** Offsets in a text to lines and columns. */
import type { Position } from './problem.js'

/** The start of a file, for problems that are of the whole. */
export const START: Position = Object.freeze({ line: 1, column: 1, length: 1 })

export type Locate = (start: number, end?: number) => Position

/**
 * Turns offsets of `text` into positions; the length stays within the line. Each costs the same, however long its line.
 * `file`: where it is one that a configuration includes.
 */
export function locator(text: string, file?: string): Locate {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  const between = counter(text)
  return (start, end = start + 1) => {
    const line = lastAtMost(starts, start)
    const from = starts[line] ?? 0
    const lineEnd = Math.max(start, (starts[line + 1] ?? text.length + 1) - 1)
    const marked = text.slice(start, Math.min(end, lineEnd)).trimEnd()
    return {
      line: line + 1,
      column: between(from, start) + 1,
      length: between(start, start + marked.length) || 1,
      ...(file !== undefined && { file }),
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

/** UTF-16 units between two places at which the characters so far are remembered. */
const STRIDE = 128

/** Counts the characters between two offsets. The places of a text that has no surrogates need no counting. */
function counter(text: string): (from: number, until: number) => number {
  if (!/[\ud800-\udfff]/.test(text)) return (from, until) => until - from
  const counts = [0]
  for (let at = STRIDE; at <= text.length; at += STRIDE)
    counts.push((counts.at(-1) ?? 0) + startsIn(text, at - STRIDE, at))
  const before = (offset: number) => {
    const stride = Math.floor(offset / STRIDE)
    return (counts[stride] ?? 0) + startsIn(text, stride * STRIDE, offset)
  }
  return (from, until) => before(until) - before(from)
}

/** The characters that begin between two offsets: a pair of surrogates begins with the first of them. */
function startsIn(text: string, from: number, until: number): number {
  let count = 0
  for (let at = from; at < until; at++) if (!isSecondOfPair(text, at)) count++
  return count
}

function isSecondOfPair(text: string, at: number): boolean {
  const [before, unit] = [text.charCodeAt(at - 1), text.charCodeAt(at)]
  return unit >= 0xdc00 && unit <= 0xdfff && before >= 0xd800 && before <= 0xdbff
}

/** Characters, not UTF-16 units. */
export function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
