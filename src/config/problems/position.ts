/** Converts offsets in a text to lines and columns. */
import type { Position } from './problem.js'

/** Start of the file, for problems that concern the whole file. */
export const START: Position = Object.freeze({ line: 1, column: 1, length: 1 })

export type Locate = (start: number, end?: number) => Position

/**
 * Returns a function that converts offsets of `text` to positions. The marked length ends with the line. The time does
 * not depend on the length of the line. `file`: the name of an included file; undefined for the main file.
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

/** Distance in UTF-16 units between two offsets with a stored character count. */
const STRIDE = 128

/** Returns a function that counts the characters between two offsets. A text without surrogates needs no counting. */
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

/** Counts the characters that begin between two offsets. A surrogate pair begins at its first unit. */
function startsIn(text: string, from: number, until: number): number {
  let count = 0
  for (let at = from; at < until; at++) if (!isSecondOfPair(text, at)) count++
  return count
}

function isSecondOfPair(text: string, at: number): boolean {
  const [before, unit] = [text.charCodeAt(at - 1), text.charCodeAt(at)]
  return unit >= 0xdc00 && unit <= 0xdfff && before >= 0xd800 && before <= 0xdbff
}

/** Counts characters, not UTF-16 units. */
export function characters(text: string): number {
  // A configuration has thousands of texts, and nearly none of them a character of two units.
  if (!/[\ud800-\udbff]/.test(text)) return text.length
  let count = 0
  for (const _ of text) count++
  return count
}
