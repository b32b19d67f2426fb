/** Reads YAML text into the raw tree. */
import { MAX_BYTES } from '../../system/read-file.js'
import { runSync, type Sliced } from '../../util/time-slice.js'
import type { Code } from '../problems/codes.js'
import { type Locate, locator } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import { newReport, type Report } from '../problems/report.js'
import type { RawDocument, RawEntry, RawMap, RawNode, RawScalar } from '../raw.js'
import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from './library.js'
import { type Item, type ShortText, shortening } from './plain-items.js'
import { reportFaults } from './yaml-faults.js'

/** Limit of values, those of aliases at each use. */
export const MAX_NODES = 1_000_000
const MAX_DEPTH = 32
/** Limit of syntax errors that are reported. */
const MOST_FAULTS = 50

/** Reads a YAML configuration. Never throws: errors in the text are in `problems`. */
export function readYaml(text: string, file: string, how: HowToRead = {}): RawDocument {
  return runSync(readingYaml(text, file, how))
}

interface HowToRead {
  /** If true, positions contain the name of the file. */
  readonly isIncluded?: boolean
}

/** Same as `readYaml`, in time slices: a file with 10,000 real servers needs most of a second. */
export function* readingYaml(
  text: string,
  file: string,
  { isIncluded }: HowToRead = {},
): Sliced<RawDocument> {
  // A byte order mark is removed, so that it does not shift columns.
  const bare = text.replace(/^\ufeff/, '')
  const locate = locator(bare, isIncluded ? file : undefined)
  if (Buffer.byteLength(bare) > MAX_BYTES) {
    const report = newReport(file)
    report.error('FILE_TOO_BIG', locate(0), 'the file has more than 16 MiB; is it the right one?')
    return { root: null, problems: report.problems(), values: 0 }
  }
  const short = yield* shortening(bare)
  const quick = short && (yield* readingText(short, locate, file))
  // What is wrong is told of the whole text.
  if (quick?.problems.length === 0) return quick
  const whole = { text: bare, stretches: new Map(), whole: (offset: number) => offset }
  return (yield* readingText(whole, locate, file)) as RawDocument
}

/** Returns null if a line that was left out is no item of a list. */
function* readingText(short: ShortText, locate: Locate, file: string): Sliced<RawDocument | null> {
  const report = newReport(file)
  const reader = new Reader(short, locate, report)
  const root = yield* readRoot(short.text, reader, report)
  if (reader.stretches < short.stretches.size && report.problems().length === 0) return null
  return { root, problems: report.problems(), values: reader.count }
}

function* readRoot(text: string, reader: Reader, report: Report): Sliced<RawMap | null> {
  const { locate } = reader
  const tokens = yield* tokensOf(text)
  if (!tokens) {
    report.error(
      'TOO_DEEP',
      locate(0),
      'brackets or indentation are nested hundreds deep: this is no configuration',
    )
    return null
  }
  const document = compose(tokens, text, locate, report)
  yield
  if (!document) return null
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    report.error('EMPTY', locate(0), 'nothing is configured: the file is empty or holds only comments')
    return null
  }
  const root = reader.read(document.contents)
  if (!root || root.kind === 'map') return root
  report.error('WRONG_TYPE', root.at, 'expected settings, defaults and services, each as "key: value"')
  return null
}

// ---------------------------------------------------------------- syntax

const OPTIONS = { merge: true, uniqueKeys: false, prettyErrors: false, version: '1.2' } as const

/** Limit of nesting. The composer is recursive, and deeper nesting can overflow the stack. */
const TOO_DEEP = 200
/** Tokens of the lexer in one time slice. */
const PIECE = 512

/**
 * Returns null if the nesting exceeds the limit. Such a text must not be composed: a stack overflow would end the
 * process.
 */
function* tokensOf(text: string): Sliced<CST.Token[] | null> {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let count = 0
  for (const part of new Lexer().lex(text)) {
    for (const token of parser.next(part)) tokens.push(token)
    if (parser.stack.length > TOO_DEEP) return null
    if (++count % PIECE === 0) yield
  }
  tokens.push(...parser.end())
  return tokens
}

/** Returns the document, or null if its syntax is invalid. */
function compose(
  tokens: readonly CST.Token[],
  text: string,
  locate: Locate,
  report: Report,
): Document | null {
  const documents: Document[] = [...new Composer(OPTIONS).compose(tokens)]
  if (documents.length === 0) {
    report.error('EMPTY', locate(0), 'nothing is configured: the file is empty or holds only comments')
    return null
  }
  const [first, second] = documents
  const faults = first ? [...first.errors, ...first.warnings] : []
  const openers = first && faults.length > 0 ? openersIn(first) : []
  const withOpeners = faults.slice(0, MOST_FAULTS).map(({ code, message, pos }) => ({
    code,
    message,
    pos,
    opener: openers.findLast(([start, end]) => start < pos[0] && end >= pos[0] - 1)?.[0] ?? null,
  }))
  reportFaults(withOpeners, text, locate, report)
  if (second) {
    const at = locate(second.range?.[0] ?? 0)
    report.error('SEVERAL_DOCUMENTS', at, 'a second document begins here: keep one, without "---" between')
  }
  return first && faults.length === 0 && !second ? first : null
}

/** Returns the ranges of quoted texts, { and [, in the order of the text. */
function openersIn(document: Document): readonly (readonly [start: number, end: number])[] {
  const openers: [number, number][] = []
  const look = (node: Node & { type?: string; flow?: boolean }) => {
    const [start, end] = node.range ?? [0, 0]
    if (node.flow === true || node.type?.startsWith('QUOTE')) openers.push([start, end])
  }
  visit(document, { Scalar: (_, node) => look(node as never), Collection: (_, node) => look(node as never) })
  return openers
}

// ---------------------------------------------------------------- the tree

/** The value of an anchor. */
interface Anchored {
  /** Null while the value is being read. An alias to it is then a loop. */
  node: RawNode | null
  /** Number of values in it, including those of aliases. */
  size: number
}

/**
 * Converts nodes of the library to the raw tree. The library is not used for aliases and merges: it resolves them only
 * to values without positions, searches the whole document for each alias, and compares each key with each other to
 * find duplicates.
 */
class Reader {
  readonly #short: ShortText
  /** Converts offsets of the short text. */
  readonly locate: Locate
  readonly #report: Report
  /** The latest value of each anchor, in the order of the text. */
  readonly #anchors = new Map<string, Anchored>()
  /** Number of values so far. The values of an alias count at each use. */
  count = 0
  /** Number of lists to which the items that were left out are added. */
  stretches = 0
  /**
   * True if a part could not be read. The tree is then not used: problems that follow from the gap would be misleading.
   */
  #hasGap = false

  constructor(short: ShortText, locate: Locate, report: Report) {
    const { whole } = short
    this.#short = short
    this.locate = (start, end = start + 1) => locate(whole(start), whole(end))
    this.#report = report
  }

  /** Returns the tree, or null if a part of it could not be read. */
  read(node: Node): RawNode | null {
    const root = this.#node(node, 0)
    if (this.count > MAX_NODES)
      this.#gap('FILE_TOO_BIG', this.locate(0), 'aliases make more than a million values of this file')
    return this.#hasGap ? null : root
  }

  #gap(code: Code, at: Position, message: string): RawNode {
    this.#hasGap = true
    this.#report.error(code, at, message)
    return nothing(at)
  }

  #node(node: Node, depth: number): RawNode {
    if (isAlias(node)) return this.#alias(node)
    const at = this.#at(node)
    if (depth > MAX_DEPTH) return this.#gap('TOO_DEEP', at, 'mappings and lists are nested more than 32 deep')
    const anchored: Anchored = { node: null, size: 0 }
    if (node.anchor) this.#anchors.set(node.anchor, anchored)
    const before = this.count++
    anchored.node = this.#value(node, at, depth)
    anchored.size = this.count - before
    return anchored.node
  }

  #value(node: Node, at: Position, depth: number): RawNode {
    if (isMap(node)) return this.#map(node, at, depth)
    if (isSeq<Node>(node)) return { kind: 'list', items: this.#items(node, depth + 1), at }
    const { value, source } = node as Scalar
    const plain = plainValue(value, source)
    return { kind: 'scalar', value: plain, at, ...sourceOf(plain, source), ...this.#lastLine(node, at) }
  }

  #items({ items, flow }: YAMLSeq<Node>, depth: number): readonly RawNode[] {
    return items.flatMap(item => {
      const node = this.#node(item, depth)
      const [start = -1, end] = item.range ?? []
      const stretch = flow === true || !isScalar(item) ? undefined : this.#short.stretches.get(start)
      if (stretch === undefined || stretch.end !== end) return node
      this.stretches++
      this.count += stretch.others.length
      return [node, ...stretch.others.map((other, i) => itemAfter(node.at, i + 1, other))]
    })
  }

  #alias(node: Alias): RawNode {
    const at = this.#at(node)
    const target = this.#anchors.get(node.source)
    if (!target) {
      // Without the name: the value may be a password.
      const message = 'there is no such anchor before this alias; a value that begins with * needs quotes'
      return this.#gap('UNKNOWN_ANCHOR', at, message)
    }
    if (!target.node) return this.#gap('ALIAS_LOOP', at, 'this alias stands inside the value that it repeats')
    this.count += target.size
    return this.count > MAX_NODES ? nothing(at) : target.node
  }

  #map({ items }: YAMLMap, at: Position, depth: number): RawMap {
    const entries = new Map<string, RawEntry>()
    const merged: RawNode[] = []
    for (const { key, value: node } of items as Pair<Node, Node | null>[]) {
      const value = node ? this.#node(node, depth + 1) : nothing(this.#at(key))
      if (isMerge(key)) merged.push(value)
      else this.#add(key, value, entries)
    }
    for (const value of merged)
      for (const one of value.kind === 'list' ? value.items : [value]) this.#merge(one, entries)
    return { kind: 'map', entries: [...entries.values()], at }
  }

  #add(key: Node, value: RawNode, entries: Map<string, RawEntry>): void {
    const keyAt = this.#at(key)
    if (!isScalar(key) || key.value === null) {
      this.#report.error('KEY_NOT_TEXT', keyAt, 'expected a word before the colon')
      return
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
    const line = entries.get(name)?.keyAt.line
    if (line === undefined) entries.set(name, { key: name, keyAt, value })
    else
      this.#report.error('DUPLICATE_KEY', keyAt, `"${name}" stands here twice; the first is in line ${line}`)
  }

  /** Adds the entries of `<<: *anchor`, or of one item of `<<: [*one, *two]`. The first of equal keys is kept. */
  #merge(node: RawNode, entries: Map<string, RawEntry>): void {
    if (node.kind === 'map') {
      for (const entry of node.entries) if (!entries.has(entry.key)) entries.set(entry.key, entry)
    } else if (node.kind === 'list' || node.value !== null)
      this.#report.error('WRONG_TYPE', node.at, '"<<" takes an alias of a mapping: <<: *name')
  }

  /** Returns the last line of a text that spans several lines. */
  #lastLine({ range }: Node, at: Position): { lastLine?: number } {
    const [start, end] = range ?? [0, 0]
    if (end - start <= at.length) return {}
    const { line } = this.locate(end - 1)
    return line > at.line ? { lastLine: line } : {}
  }

  #at(node: Node): Position {
    const [start, end] = node.range ?? [0, 1]
    return this.locate(start, end)
  }
}

/** Returns an item that stands some lines below another one. */
function itemAfter(at: Position, lines: number, { value, length }: Item): RawScalar {
  return { kind: 'scalar', value, at: { ...at, line: at.line + lines, length: length || 1 } }
}

function isMerge(key: Node): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

function nothing(at: Position): RawScalar {
  return { kind: 'scalar', value: null, at }
}

/** `010` stays text: it can be octal or decimal, and a password must not change. */
function plainValue(value: unknown, source: string | undefined): string | number | boolean | null {
  if (typeof value === 'number' && source !== undefined && /^[-+]?0\d/.test(source)) return source
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
    return value as string | number | boolean | null
  return typeof value === 'bigint' ? Number(value) : (source ?? String(value))
}

/** Returns the text of a number, true or false, if it is not the usual one. */
function sourceOf(value: RawScalar['value'], source: string | undefined): { source?: string } {
  const isText = value === null || typeof value === 'string'
  return isText || source === undefined || source === String(value) ? {} : { source }
}
