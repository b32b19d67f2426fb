/** The raw tree: what stands in a file, each value with its place. The same from both readers, in the YAML's shape. */
import type { Position, Problem } from './problems/problem.js'

export interface RawScalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly at: Position
  /** Where the text goes on over several lines, the last of them. */
  readonly lastLine?: number
}

export interface RawList {
  readonly kind: 'list'
  readonly items: readonly RawNode[]
  readonly at: Position
}

export interface RawMap {
  readonly kind: 'map'
  readonly entries: readonly RawEntry[]
  readonly at: Position
}

export interface RawEntry {
  readonly key: string
  readonly keyAt: Position
  readonly value: RawNode
  /** How messages call it where the key is not written: `persistence: 300s` is its timeout. */
  readonly called?: string
}

export type RawNode = RawScalar | RawList | RawMap

/** What a reader gives: the tree, or null where the text cannot be read at all, and the problems met on the way. */
export interface RawDocument {
  readonly root: RawMap | null
  /** What files that it includes have as defaults, for their own services. */
  readonly defaults?: ReadonlyMap<string, RawMap['entries']>
  readonly problems: readonly Problem[]
}

export function sortOf(node: RawNode): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping'
  if (node.value === null) return 'empty'
  if (typeof node.value === 'number') return `the number ${node.value}`
  return typeof node.value === 'string' ? `the text "${node.value}"` : String(node.value)
}

/** The node as plain JavaScript, without its places. */
export function plain(node: RawNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]))
}

export function isNothing(node: RawNode): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** The text of a scalar, or null. */
export function textOf(node: RawNode | undefined): string | null {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : null
}
