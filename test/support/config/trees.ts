/** Converts plain values to raw trees without positions. */
import type { RawMap, RawNode, RawScalar } from '../../../src/config/raw.js'

export type Plain = RawScalar['value'] | readonly Plain[] | { readonly [key: string]: Plain }

const NOWHERE = { line: 1, column: 1, length: 1 }

/** Returns the mapping as a tree. */
export function treeOf(value: { readonly [key: string]: Plain }): RawMap {
  const entries = Object.entries(value).map(([key, inner]) => ({ key, keyAt: NOWHERE, value: nodeOf(inner) }))
  return { kind: 'map', entries, at: NOWHERE }
}

function nodeOf(value: Plain): RawNode {
  if (typeof value !== 'object' || value === null) return { kind: 'scalar', value, at: NOWHERE }
  if (isList(value)) return { kind: 'list', items: value.map(nodeOf), at: NOWHERE }
  return treeOf(value)
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value)
}

/** Inverse of `treeOf`. */
export function plainOf(node: RawNode): Plain {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainOf)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainOf(value)]))
}
