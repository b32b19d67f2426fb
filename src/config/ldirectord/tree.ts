/** Builds raw trees whose values keep the places of another text. */
import type { Position } from '../problems/problem.js'
import type { RawList, RawMap, RawNode, RawScalar } from '../raw.js'

/** Where values stand that no line of the file gives: its beginning. */
export const BEGINNING: Position = Object.freeze({ line: 1, column: 1, length: 1 })

export type Entry = RawMap['entries'][number]

export function scalar(value: RawScalar['value'], at: Position): RawScalar {
  return { kind: 'scalar', value, at }
}

export function list(items: readonly RawNode[], at: Position): RawList {
  return { kind: 'list', items, at }
}

export function map(entries: readonly (Entry | null)[], at: Position): RawMap {
  return { kind: 'map', entries: entries.filter(entry => entry !== null), at }
}

/** An entry whose key and value stand at one place. */
export function entry(key: string, value: RawNode | RawScalar['value'], at: Position): Entry {
  const node = typeof value === 'object' && value !== null ? value : scalar(value, at)
  return { key, keyAt: at, value: node }
}
