/** Writes a raw tree as YAML, with comments next to the lines that they describe. */
import type { RawList, RawMap, RawNode, RawScalar } from '../raw.js'
import { Document, isCollection, type Node, Pair, Scalar, YAMLMap, YAMLSeq } from './library.js'

/** A comment on a line of the source, the text that the tree was read from. */
export interface YamlComment {
  /** Line number in the source. */
  readonly line: number
  /**
   * First line of its section in the source, and the line after the last one. The comment stays within the output of
   * the section.
   */
  readonly section: readonly [from: number, until: number]
  readonly text: string
  readonly where: 'behind' | 'before'
}

/** A line of the output, with the source line that it comes from. */
interface OutputLine {
  readonly indent: number
  readonly from: number
  /** The key or item that begins the line. Its `commentBefore` is written before the line. */
  readonly start: Node
  /** The value. Its `comment` is written after the line, or below the line if the value spans several lines. */
  readonly value: Node
}

const WIDTH = 110

/** Long texts and flow collections are not broken into lines, because they would be hard to edit. */
const STYLE = { lineWidth: 0, singleQuote: true, doubleQuotedAsJSON: true } as const

/** Returns the tree as YAML. Each remark is next to the line that it describes, or where that line would be. */
export function writeYaml(root: RawMap, remarks: readonly YamlComment[] = []): string {
  // With `compat`, words such as `yes`, a boolean in YAML 1.1, are quoted too.
  const document = new Document<Node>(null, { compat: 'yaml-1.1' })
  const { node, lines } = mapOf(root, 0)
  document.contents = node
  spaceOut(lines)
  place(lines, remarks, node)
  return document.toString(STYLE)
}

/** Adds an empty line between the parts of the file, and between services. */
function spaceOut(lines: readonly OutputLine[]): void {
  for (const [i, line] of lines.entries()) {
    const before = lines[i - 1]
    if (!before) continue
    const isNext = line.indent === 2 && before.indent > 2 && isOpening(line)
    if (line.indent === 0 || isNext) line.start.spaceBefore = true
  }
}

// ---------------------------------------------------------------- remarks

/** Adds the text to a comment of the node. A text longer than `width` is broken into lines. */
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

/** Returns the text after the #. It is never empty: the printer writes no # for an empty line. */
function commentText(text: string): string {
  const clean = text
    .trimEnd()
    .replaceAll('\t', '    ')
    .replace(/\p{Cc}/gu, ' ')
  return /^[ #!]/.test(clean) ? clean : ` ${clean}`
}

/**
 * Puts each remark at the node of its line. If that line is not in the output, uses the next one that is, or the end of
 * the section.
 */
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

/** Returns, for each source line, the first output line that comes from it or from a later line. */
function nextByLine(lines: readonly OutputLine[]): readonly OutputLine[] {
  const next: OutputLine[] = []
  for (const line of lines.toReversed()) if (line.from >= 0) next[line.from] = line
  for (let i = next.length - 1; i > 0; i--) next[i - 1] ??= next[i] as OutputLine
  return next
}

/** Returns the last outermost output line of a section. */
function lastPart(lines: readonly OutputLine[], [from, until]: YamlComment['section']) {
  const isOfSection = (line: OutputLine) => line.from >= from && line.from < until
  const first = lines.find(isOfSection)
  return lines.findLast(line => line.indent === first?.indent && isOfSection(line))
}

/** True if the value is written in the lines below. */
function isOpening({ value }: OutputLine): boolean {
  return isCollection(value) && value.flow !== true
}

// ---------------------------------------------------------------- nodes

/** A node and the output lines within it. A node on one line has none. */
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

/** The first line of an item follows its dash. */
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

/** True for empty collections, lists of short words, and short mappings that were on one line. */
function isInline(raw: RawList | RawMap): boolean {
  if (raw.kind === 'list')
    return raw.items.every(item => item.kind === 'scalar' && isWord(item.value) && lengthOf(item) < 40)
  const values = raw.entries.map(({ value }) => value)
  const length = raw.entries.reduce((sum, { key, value }) => sum + key.length + lengthOf(value) + 4, 0)
  return values.length <= 3 && length < 80 && values.every(({ at }) => at.line === raw.at.line)
}

/** Returns the length of a scalar. Other nodes do not fit on one line. */
function lengthOf(raw: RawNode): number {
  return raw.kind === 'scalar' ? String(raw.value).length : Number.POSITIVE_INFINITY
}

/** Returns the node of a scalar. Text without quotes is a simple word that YAML does not read as another type. */
function scalarOf(value: RawScalar['value']): Scalar {
  const node = new Scalar(value)
  if (typeof value === 'string') node.type = typeOf(value)
  return node
}

function typeOf(text: string): Scalar.Type {
  if (isWord(text)) return 'PLAIN'
  return /[\p{Cc}\u2028\u2029\ufeff]|[\ud800-\udfff]/u.test(text) ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE'
}

/** True if the characters of the text do not require quotes. */
function isWord(value: RawScalar['value']): boolean {
  return typeof value !== 'string' || /^(?:[A-Za-z_/][\w./-]*|\d+(?:ms|s|m|h))$/.test(value)
}
