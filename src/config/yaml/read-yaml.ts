/** YAML text to the raw tree. */
import { MAX_BYTES } from '../../system/read-file.js'
import { runSync, type Sliced } from '../../util/time-slice.js'
import type { Code } from '../problems/codes.js'
import { type Locate, locator } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import { newReport, type Report } from '../problems/report.js'
import type { RawDocument, RawList, RawMap, RawNode } from '../raw.js'
import {
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
  visit,
  type YAMLMap,
} from './library.js'
import { tellFaults } from './yaml-faults.js'

const MAX_NODES = 1_000_000
const MAX_DEPTH = 32
/** More faults of syntax than this help nobody. */
const MOST_FAULTS = 50

type Entry = RawMap['entries'][number]
interface Sized<T extends RawNode = RawNode> {
  readonly node: T
  /** Values in it, with those behind aliases counted where they are used. */
  readonly size: number
}

/** Reads a YAML configuration. Never throws: what is wrong with the text is in `problems`. */
export function readYaml(text: string, file: string, how: HowToRead = {}): RawDocument {
  return runSync(readingYaml(text, file, how))
}

interface HowToRead {
  /** Places then tell the file. */
  readonly isIncluded?: boolean
}

/** The same in pieces: a text of 10,000 real servers takes most of a second. */
export function* readingYaml(
  text: string,
  file: string,
  { isIncluded }: HowToRead = {},
): Sliced<RawDocument> {
  const report = newReport(file)
  // An editor's byte order mark counts for nothing, and shifts no column.
  const bare = text.replace(/^\ufeff/, '')
  const root = yield* readRoot(bare, locator(bare, isIncluded ? file : undefined), report)
  return { root, problems: report.problems() }
}

function* readRoot(text: string, locate: Locate, report: Report): Sliced<RawMap | null> {
  if (text.length > MAX_BYTES) {
    report.error('FILE_TOO_BIG', locate(0), 'the file has more than 16 MiB; is it the right one?')
    return null
  }
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
  const root = new Reader(locate, report).read(document.contents)
  if (!root || root.kind === 'map') return root
  report.error('WRONG_TYPE', root.at, 'expected settings, defaults and services, each as "key: value"')
  return null
}

// ---------------------------------------------------------------- syntax

const OPTIONS = { merge: true, uniqueKeys: false, prettyErrors: false, version: '1.2' } as const

/** Nesting at which the composer, which is recursive, comes near the end of the stack. */
const TOO_DEEP = 200
/** What the lexer gives before the text of a scalar. */
const SCALAR = '\x1f'
/** Of the lexer's parts, between two rests. */
const PIECE = 512

/** Null for nesting that no person writes: it must never be composed, which would take the process with it. */
function* tokensOf(text: string): Sliced<CST.Token[] | null> {
  if (/^(?:[ \t]|[-?:](?=[ \t])){200}/m.test(text)) return null
  const parser = new Parser()
  const tokens: CST.Token[] = []
  let depth = 0
  let previous = ''
  let count = 0
  for (const part of new Lexer().lex(text)) {
    if (previous !== SCALAR && (part === '[' || part === '{')) depth++
    if (previous !== SCALAR && (part === ']' || part === '}')) depth--
    if (depth > TOO_DEEP) return null
    previous = part
    for (const token of parser.next(part)) tokens.push(token)
    if (++count % PIECE === 0) yield
  }
  tokens.push(...parser.end())
  return tokens
}

/** The document, or null where its syntax is broken. */
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
  tellFaults(withOpeners, text, locate, report)
  if (second) {
    const at = locate(second.range?.[0] ?? 0)
    report.error('SEVERAL_DOCUMENTS', at, 'a second document begins here: keep one, without "---" between')
  }
  return first && faults.length === 0 && !second ? first : null
}

/** Where quoted texts, { and [ begin and end, in the order of the text. */
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

class Reader {
  readonly #locate: Locate
  readonly #report: Report
  /** What each anchored node became, so that a thousand aliases of it cost nothing. */
  readonly #anchored = new Map<Node, Sized | null>()
  /** The last node with each anchor so far, in the order of the text: what an alias means. */
  readonly #byAnchor = new Map<string, Node>()
  readonly #open = new Set<Node>()
  /** Something could not be read: what follows from the gap would only confuse. */
  #hasGap = false
  /** Entries that merges have brought so far. */
  #merged = 0

  constructor(locate: Locate, report: Report) {
    this.#locate = locate
    this.#report = report
  }

  /** The tree, or null where a part of it cannot be read. */
  read(node: Node): RawNode | null {
    const sized = this.#node(node, 0)
    if (sized && sized.size > MAX_NODES)
      this.#gap('FILE_TOO_BIG', this.#locate(0), 'aliases make more than a million values of this file')
    return this.#hasGap ? null : (sized?.node ?? null)
  }

  #gap(code: Code, at: Position, message: string): null {
    this.#hasGap = true
    this.#report.error(code, at, message)
    return null
  }

  #node(node: Node | null, depth: number): Sized | null {
    if (!node) return null
    if (isAlias(node)) return this.#alias(node, depth)
    const known = this.#anchored.get(node)
    if (known !== undefined) return known
    if (depth > MAX_DEPTH) {
      return this.#gap('TOO_DEEP', this.#at(node), 'mappings and lists are nested more than 32 deep')
    }
    const anchor = 'anchor' in node ? node.anchor : undefined
    if (anchor) this.#byAnchor.set(anchor, node)
    this.#open.add(node)
    const result = this.#value(node, depth)
    this.#open.delete(node)
    if (anchor) this.#anchored.set(node, result)
    return result
  }

  #value(node: Node, depth: number): Sized | null {
    if (isMap(node)) return this.#map(node, depth)
    if (isSeq(node)) return this.#list(node.items as (Node | null)[], this.#at(node), depth)
    if (!isScalar(node)) return null
    const at = this.#at(node)
    const value = plainValue(node.value, node.source)
    return { node: { kind: 'scalar', value, at, ...this.#lastLine(node, at) }, size: 1 }
  }

  #alias(node: Node & { source: string }, depth: number): Sized | null {
    const target = this.#byAnchor.get(node.source)
    if (!target) {
      const message = `there is no anchor &${node.source} before this alias; a value that begins with * needs quotes`
      return this.#gap('UNKNOWN_ANCHOR', this.#at(node), message)
    }
    if (this.#open.has(target))
      return this.#gap(
        'ALIAS_LOOP',
        this.#at(node),
        `*${node.source} stands inside the value that it repeats`,
      )
    return this.#node(target, depth)
  }

  #list(items: readonly (Node | null)[], at: Position, depth: number): Sized<RawList> {
    const read = items.flatMap(item => this.#node(item, depth + 1) ?? [])
    return { node: { kind: 'list', items: read.map(one => one.node), at }, size: total(read) }
  }

  #map(node: YAMLMap, depth: number): Sized<RawMap> {
    const own = new Map<string, Entry>()
    const merges: RawNode[] = []
    let size = 1
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const value = this.#node(pair.value ?? null, depth + 1) ?? this.#nothing(pair)
      size += value.size
      if (isMerge(pair)) merges.push(value.node)
      else this.#own(pair, value.node, own)
    }
    this.#merge(merges, own)
    return { node: { kind: 'map', entries: [...own.values()], at: this.#at(node) }, size }
  }

  /** What `<<: *anchor` and `<<: [*one, *two]` bring; the first of equal keys counts, and a mapping once. */
  #merge(nodes: readonly RawNode[], own: Map<string, Entry>): void {
    const waiting = [...nodes].reverse()
    const done = new Set<RawNode>()
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (done.has(node)) continue
      done.add(node)
      if (node.kind === 'list') for (const item of node.items.toReversed()) waiting.push(item)
      else if (node.kind === 'map') this.#takeOver(node.entries, own)
      else if (node.value !== null)
        this.#report.error('WRONG_TYPE', node.at, '"<<" takes an alias of a mapping: <<: *name')
    }
  }

  #takeOver(entries: readonly Entry[], own: Map<string, Entry>): void {
    this.#merged += entries.length
    if (this.#merged > MAX_NODES) {
      if (!this.#hasGap)
        this.#gap('FILE_TOO_BIG', this.#locate(0), 'merges (<<) make more than a million values of this file')
      return
    }
    for (const entry of entries) if (!own.has(entry.key)) own.set(entry.key, entry)
  }

  #own(pair: Pair<Node, Node | null>, value: RawNode, own: Map<string, Entry>): void {
    const { key } = pair
    if (!isScalar(key) || key.value === null) {
      this.#report.error('KEY_NOT_TEXT', this.#at(key ?? pair.value), 'expected a word before the colon')
      return
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
    const before = own.get(name)
    const keyAt = this.#at(key)
    if (!before) own.set(name, { key: name, keyAt, value })
    else
      this.#report.error(
        'DUPLICATE_KEY',
        keyAt,
        `"${name}" stands here twice; the first is in line ${before.keyAt.line}`,
      )
  }

  /** `key:` with nothing after it. */
  #nothing(pair: Pair<Node, Node | null>): Sized {
    return { node: { kind: 'scalar', value: null, at: this.#at(pair.key) }, size: 1 }
  }

  /** Of a text that goes on behind its first line. */
  #lastLine({ range }: Node, at: Position): { lastLine?: number } {
    const [start, end] = range ?? [0, 0]
    if (end - start <= at.length) return {}
    const { line } = this.#locate(end - 1)
    return line > at.line ? { lastLine: line } : {}
  }

  #at(node: Node | null | undefined): Position {
    const [start, end] = node?.range ?? [0, 1]
    return this.#locate(start, end)
  }
}

function isMerge({ key }: Pair<Node, Node | null>): boolean {
  return isScalar(key) && typeof key.value === 'symbol'
}

/** `010` is text: whether it means eight or ten nobody knows, and as a password it is neither. */
function plainValue(value: unknown, source: string | undefined): string | number | boolean | null {
  if (typeof value === 'number' && source !== undefined && /^[-+]?0\d/.test(source)) return source
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value))
    return value as string | number | boolean | null
  return typeof value === 'bigint' ? Number(value) : (source ?? String(value))
}

function total(items: readonly Sized[]): number {
  return items.reduce((sum, { size }) => sum + size, 1)
}
