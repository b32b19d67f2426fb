/** A raw tree as YAML, with comments beside the lines that they are about. */
import type { RawList, RawMap, RawNode, RawScalar } from '../raw.js'
import { Document, isCollection, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from './library.js'

/** A remark on a line of the text that the tree was read from. */
export interface YamlComment {
  /** In the text that was read. */
  readonly line: number
  /** The lines of the section it belongs to, the second not included; it stays within what came of them. */
  readonly section: readonly [from: number, until: number]
  readonly text: string
  readonly where: 'behind' | 'before'
}

/** What the printer begins a line for, and the line of the text it comes from. */
interface OutputLine {
  readonly indent: number
  readonly from: number
  /** The key or item that begins the line. Its `commentBefore` stands before the line. */
  readonly start: Node
  /** The value. Its `comment` stands behind the line, or below where the value is a block of lines. */
  readonly value: Node
}

const WIDTH = 110

/** Folded text and broken flow collections are hard to edit. */
const STYLE = { lineWidth: 0, singleQuote: true, doubleQuotedAsJSON: true } as const

/** The tree as YAML, each remark beside the line it is about, or where that line would be. */
export function writeYaml(root: RawMap, remarks: readonly YamlComment[] = []): string {
  // `compat`: words such as `yes` get quotes too.
  const document = new Document<Node>(null, { compat: 'yaml-1.1' })
  const { node, lines } = mapOf(root, 0)
  document.contents = node
  spaceOut(lines)
  place(lines, remarks, node)
  return document.toString(STYLE)
}

/** An empty line before each part of the file but the first, and between the services. */
function spaceOut(lines: readonly OutputLine[]): void {
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1]
    if (!before) continue
    const isNext = line.indent === 2 && before.indent > 2 && isOpening(line)
    if (line.indent === 0 || isNext) line.start.spaceBefore = true
  }
}

// ---------------------------------------------------------------- remarks

/** Adds the text to a node's comments, broken where it gets too long for a line of its own. */
function addComment(node: Node, how: 'comment' | 'commentBefore', text: string, width = Infinity): void {
  const more = brokenAt(width, text).map(commentText).join('\n')
  node[how] = node[how] ? `${node[how]}\n${more}` : more
}

function brokenAt(width: number, text: string): string[] {
  const lead = text.startsWith('!') ? '!' : ''
  const lines = ['']
  for (const word of text.trimEnd().split(/(?<=\S)(?= )/)) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && 2 + last.length + word.length > width) lines.push(`${lead}  ${word.trimStart()}`)
    else lines[lines.length - 1] = last + word
  }
  return lines
}

/** What stands behind the #, never nothing: of an empty line the printer makes no comment. */
function commentText(text: string): string {
  const clean = text
    .trimEnd()
    .replaceAll('\t', '    ')
    .replace(/\p{Cc}/gu, ' ')
  return /^[ #!]/.test(clean) ? clean : ` ${clean}`
}

/** Puts each remark at the node of its line, of the next line that left a trace, or at the end of its section. */
function place(lines: readonly OutputLine[], remarks: readonly YamlComment[], root: Node): void {
  const next = nextByLine(lines)
  const values = nextByLine(lines.filter(line => !isOpening(line)))
  const parts = new Map<number, OutputLine | undefined>()
  for (const { line, where, section, text } of remarks) {
    const [from, until] = section
    if (!parts.has(from)) parts.set(from, lastPart(lines, section))
    const [part, value, start] = [parts.get(from), values[line], next[line]]
    if (where === 'behind' && value?.from === line) addComment(value.value, 'comment', text)
    else if (part && isOpening(part) && (start?.from ?? until) >= until)
      addComment(part.value, 'comment', text, WIDTH - part.indent - 2)
    else if (start) addComment(start.start, 'commentBefore', text, WIDTH - start.indent)
    else addComment(root, 'comment', text, WIDTH)
  }
}

/** For each line of the text the first output line that comes from it, else from the next that left a trace. */
function nextByLine(lines: readonly OutputLine[]): readonly OutputLine[] {
  const next: OutputLine[] = []
  for (const line of lines.toReversed()) if (line.from >= 0) next[line.from] = line
  for (let i = next.length - 1; i > 0; i--) next[i - 1] ??= next[i] as OutputLine
  return next
}

/** The last of the outermost lines that a section became. */
function lastPart(lines: readonly OutputLine[], [from, until]: YamlComment['section']) {
  const isOfSection = (line: OutputLine) => line.from >= from && line.from < until
  const first = lines.find(isOfSection)
  return lines.findLast(line => line.indent === first?.indent && isOfSection(line))
}

/** Its value stands in the lines below. */
function isOpening({ value }: OutputLine): boolean {
  return isCollection(value) && value.flow !== true
}

// ---------------------------------------------------------------- nodes

/** A node, and the lines that the printer makes of what is in it: none for what stands on one line. */
interface Printed<T extends Node = Node> {
  readonly node: T
  readonly lines: readonly OutputLine[]
}

function nodeOf(raw: RawNode, indent: number): Printed {
  if (raw.kind === 'scalar') return { node: scalarOf(raw.value), lines: [] }
  const { node, lines } = raw.kind === 'list' ? listOf(raw, indent) : mapOf(raw, indent)
  node.flow = isInline(raw)
  return { node, lines: node.flow ? [] : lines }
}

function mapOf({ entries }: RawMap, indent: number): Printed<YAMLMap> {
  const node = new YAMLMap<Node, Node>()
  const lines = entries.flatMap(({ key, keyAt, value: raw }) => {
    const start = scalarOf(key)
    const { node: value, lines: inner } = nodeOf(raw, indent + 2)
    node.items.push(new Pair(start, value))
    return [{ indent, from: raw.kind === 'scalar' ? raw.at.line : keyAt.line, start, value }, ...inner]
  })
  return { node, lines }
}

/** The first line of an item stands behind its dash. */
function listOf({ items }: RawList, indent: number): Printed<YAMLSeq> {
  const node = new YAMLSeq<Node>()
  const lines = items.flatMap(raw => {
    const {
      node: start,
      lines: [first, ...rest],
    } = nodeOf(raw, indent + 2)
    node.items.push(start)
    return [{ indent, from: raw.at.line, start, value: first?.value ?? start }, ...rest]
  })
  return { node, lines }
}

/** Empty collections, lists of short words, and short maps that stood on one line. */
function isInline(raw: RawList | RawMap): boolean {
  if (raw.kind === 'list')
    return raw.items.every(item => item.kind === 'scalar' && isWord(item.value) && lengthOf(item) < 40)
  const values = raw.entries.map(({ value }) => value)
  const length = raw.entries.reduce((sum, { key, value }) => sum + key.length + lengthOf(value) + 4, 0)
  return values.length <= 3 && length < 80 && values.every(({ at }) => at.line === raw.at.line)
}

/** Of a scalar; nothing else fits into a line. */
function lengthOf(raw: RawNode): number {
  return raw.kind === 'scalar' ? String(raw.value).length : Number.POSITIVE_INFINITY
}

/** Text is plain where it is a simple word, unless YAML takes the word for something else; else it is in quotes. */
function scalarOf(value: RawScalar['value']): Scalar {
  const node = new Scalar(value)
  if (typeof value === 'string') node.type = typeOf(value)
  return node
}

function typeOf(text: string): Scalar.Type {
  if (isWord(text)) return 'PLAIN'
  return /[\p{Cc}\u2028\u2029\ufeff]|[\ud800-\udfff]/u.test(text) ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE'
}

/** Needs no quotes, by its letters. */
function isWord(value: RawScalar['value']): boolean {
  return typeof value !== 'string' || /^(?:[A-Za-z_/][\w./-]*|\d+(?:ms|s|m|h))$/.test(value)
}
