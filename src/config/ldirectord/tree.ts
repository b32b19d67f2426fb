/** Builds raw trees whose values keep their positions in another text. */
import type { Position } from '../problems/problem.js'
import type { RawList, RawMap, RawNode, RawScalar } from '../raw.js'

/** Position of values that no line of the file contains: the beginning of the file. */
export const BEGINNING: Position = Object.freeze({ line: 1, column: 1, length: 1 })

export type Entry = RawMap['entries'][number]
export type Value = RawNode | RawScalar['value']

export function scalar(value: RawScalar['value'], at: Position): RawScalar {
  return { kind: 'scalar', value, at }
}

export function list(items: readonly RawNode[], at: Position): RawList {
  return { kind: 'list', items, at }
}

export function texts(words: readonly string[], at: Position): RawList {
  return list(
    words.map(word => scalar(word, at)),
    at,
  )
}

export function map(entries: readonly (Entry | null)[], at: Position): RawMap {
  return { kind: 'map', entries: entries.filter(entry => entry !== null), at }
}

/** Creates an entry whose key and value have the same position. */
export function entry(key: string, value: Value, at: Position): Entry {
  const node = typeof value === 'object' && value !== null ? value : scalar(value, at)
  return { key, keyAt: at, value: node }
}

/**
 * A value with the path of its key, such as `check.interval`. Null adds no value, but can give the mappings around it
 * their position.
 */
export interface Leaf {
  readonly path: string
  readonly value: Value
  readonly at: Position
}

/**
 * Returns the tree of all values, in their order. A mapping has the position of its first value. Mappings in `begun`
 * have the position `BEGINNING`.
 */
export function treeOf(
  leaves: readonly Leaf[],
  at: Position,
  begun: ReadonlySet<string> = new Set(),
): RawMap {
  const within = (leaf: Leaf, key: string) => ({ ...leaf, path: leaf.path.slice(key.length + 1) })
  const keys = new Set(leaves.map(({ path }) => path.replace(/\..*/, '')))
  const entries = [...keys].map((key): Entry | null => {
    const inner = leaves.filter(({ path }) => path === key || path.startsWith(`${key}.`))
    const [first] = inner
    if (!first) return null
    if (first.path === key) return first.value === null ? null : entry(key, first.value, first.at)
    const own = begun.has(key) ? BEGINNING : first.at
    const below = new Set(
      [...begun].flatMap(path => (path.startsWith(`${key}.`) ? path.slice(key.length + 1) : [])),
    )
    const tree = treeOf(
      inner.map(leaf => within(leaf, key)),
      own,
      below,
    )
    return tree.entries.length === 0 ? null : entry(key, tree, own)
  })
  return map(entries, at)
}
