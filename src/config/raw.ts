/**
 * The raw tree: the values of a file with their positions. Both readers return it, in the structure of the YAML format.
 */
import type { Position, Problem } from './problems/problem.js'

export interface RawScalar {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly at: Position
  /** A number, true or false as written in the file, if that differs from its usual form: `1.10`, `0x1F`, `.nan`. */
  readonly source?: string
  /** Last line of a text that spans several lines. */
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
  /** Name for messages if the key is not written: the value of `persistence: 300s` is its timeout. */
  readonly called?: string
}

export type RawNode = RawScalar | RawList | RawMap

/** Result of a reader: the tree, or null if the text cannot be read at all, and the problems found. */
export interface RawDocument {
  readonly root: RawMap | null
  /** `defaults` of included files, by file. They apply to the services of that file only. */
  readonly defaults?: ReadonlyMap<string, RawMap['entries']>
  readonly problems: readonly Problem[]
  /** Number of values of the file itself, those of aliases at each use. Absent: it is not known. */
  readonly values?: number
}

export function sortOf(node: RawNode): string {
  if (node.kind !== 'scalar') return node.kind === 'list' ? 'a list' : 'a mapping'
  if (node.value === null) return 'empty'
  if (typeof node.value === 'string') return `the text "${node.value}"`
  const written = shortened(writtenOf(node))
  if (typeof node.value === 'boolean') return written
  if (Number.isFinite(node.value)) return `the number ${written}`
  return `${written} (${Number.isNaN(node.value) ? 'not a number' : 'infinity'})`
}

/** Returns a scalar as it is written, without quotes. */
export function writtenOf({ value, source }: RawScalar): string {
  return source ?? String(value)
}

/** Limit of characters of a number in a message. */
const LONG_NUMBER = 40

function shortened(text: string): string {
  return text.length > LONG_NUMBER ? `${text.slice(0, LONG_NUMBER)}…` : text
}

/** Returns the node as a plain JavaScript value, without positions. */
export function plain(node: RawNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plain)
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]))
}

export function isNothing(node: RawNode): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** Returns the text of a scalar, or null. */
export function textOf(node: RawNode | undefined): string | null {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : null
}
