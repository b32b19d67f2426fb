/** A raw tree as YAML, with comments beside the lines that they are about. */
import type { RawList, RawMap, RawNode, RawScalar } from '../raw.js'

/** A remark on a line of the text that the tree was read from. */
export interface YamlComment {
  /** In the text that was read. */
  readonly line: number
  /** The lines of the section it belongs to, the second not included; it stays within what came of them. */
  readonly section: readonly [from: number, until: number]
  readonly text: string
  readonly where: 'behind' | 'before'
}

/** A line of YAML and the line it comes from. */
interface OutputLine {
  readonly indent: number
  readonly text: string
  readonly from: number
}

const WIDTH = 110

/** The tree as YAML, each remark beside the line it is about, or where that line would be. */
export function writeYaml(root: RawMap, remarks: readonly YamlComment[] = []): string {
  const lines = mapLines(root, 0)
  const placed = place(lines, remarks)
  const text = lines.flatMap((line, i) => [...spacing(lines, i), ...render(line, placed.get(i) ?? NONE)])
  return `${text.join('\n')}\n`
}

/** The remarks at one line of the output. */
interface CommentSlots {
  readonly before: readonly YamlComment[]
  readonly behind: readonly YamlComment[]
  readonly below: readonly (YamlComment & { readonly indent: number })[]
}

const NONE: CommentSlots = { before: [], behind: [], below: [] }

/** An empty line before each part of the file but the first, and between the services. */
function spacing(lines: readonly OutputLine[], i: number): string[] {
  const [before, line] = [lines[i - 1], lines[i]]
  if (!before || !line) return []
  const isPart = line.indent === 0
  const isNext = line.indent === 2 && before.indent > 2 && line.text.endsWith(':')
  return isPart || isNext ? [''] : []
}

function render(line: OutputLine, { before, behind, below }: CommentSlots): string[] {
  const pad = ' '.repeat(line.indent)
  return [
    ...before.flatMap(({ text }) => commentLines(text, pad)),
    [`${pad}${line.text}`, ...behind.map(({ text }) => comment(text))].join(' '),
    ...below.flatMap(({ text, indent }) => commentLines(text, ' '.repeat(indent))),
  ]
}

/** The text as comments, broken where it gets too long. */
function commentLines(text: string, pad: string): string[] {
  const lead = text.startsWith('!') ? '!' : ''
  const lines = ['']
  for (const word of text.trimEnd().split(/(?<=\S)(?= )/)) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && pad.length + 2 + last.length + word.length > WIDTH)
      lines.push(`${lead}  ${word.trimStart()}`)
    else lines[lines.length - 1] = last + word
  }
  return lines.map(line => `${pad}${comment(line)}`)
}

function comment(text: string): string {
  const clean = text
    .trimEnd()
    .replaceAll('\t', '    ')
    .replace(/\p{Cc}/gu, ' ')
  return clean === '' || clean.startsWith(' ') || clean.startsWith('#') || clean.startsWith('!')
    ? `#${clean}`
    : `# ${clean}`
}

/** Which remarks stand at which line of the output. */
function place(
  lines: readonly OutputLine[],
  remarks: readonly YamlComment[],
): ReadonlyMap<number, CommentSlots> {
  const placed = new Map<number, CommentSlots>()
  const add = (i: number, how: keyof CommentSlots, remark: YamlComment, indent = 0) => {
    const there = placed.get(i) ?? NONE
    placed.set(i, { ...there, [how]: [...there[how], { ...remark, indent }] })
  }
  const first = firstByLine(lines)
  const blocks = new Map<number, Block>()
  for (const remark of remarks) {
    const { line, where, section } = remark
    const block = blocks.get(section[0]) ?? blockOf(lines, section)
    blocks.set(section[0], block)
    const exact = (where === 'behind' ? first.ofValue : first.ofAny).get(line)
    const next = exact ?? nextIn(lines, block, line, section[1])
    if (next === undefined) add(block.end, 'below', remark, block.indent)
    else add(next, where === 'behind' && exact !== undefined ? 'behind' : 'before', remark)
  }
  return placed
}

/** The first line of the output that comes from each line of the text; of those with a value, and of any. */
function firstByLine(lines: readonly OutputLine[]) {
  const ofAny = new Map<number, number>()
  const ofValue = new Map<number, number>()
  for (const [i, line] of lines.entries()) {
    if (!ofAny.has(line.from)) ofAny.set(line.from, i)
    if (!ofValue.has(line.from) && !isOpening(line)) ofValue.set(line.from, i)
  }
  return { ofAny, ofValue }
}

function isOpening(line: OutputLine | undefined): boolean {
  return line?.text.endsWith(':') ?? false
}

/** The lines of the output that a section became; the first line where it left no trace. */
interface Block {
  readonly start: number
  readonly end: number
  /** Of what stands within it. */
  readonly indent: number
}

function blockOf(lines: readonly OutputLine[], [from, until]: YamlComment['section']): Block {
  const start = Math.max(
    0,
    lines.findIndex(out => out.from >= from && out.from < until),
  )
  const indent = lines[start]?.indent ?? 0
  const belongs = (out: OutputLine) =>
    out.indent > indent || (out.indent === indent && out.from >= from && out.from < until)
  let end = start
  for (let next = lines[end + 1]; next && belongs(next); next = lines[end + 1]) end++
  return { start, end, indent: isOpening(lines[start]) ? indent + 2 : indent }
}

/** The line of the block that comes soonest after a line of the text. */
function nextIn(
  lines: readonly OutputLine[],
  { start, end }: Block,
  line: number,
  until: number,
): number | undefined {
  let best: number | undefined
  for (let i = start; i <= end; i++) {
    const from = lines[i]?.from ?? -1
    if (from >= line && from < until && (best === undefined || from < (lines[best]?.from ?? 0))) best = i
  }
  return best
}

// ---------------------------------------------------------------- the lines

function mapLines({ entries }: RawMap, indent: number): OutputLine[] {
  return entries.flatMap(({ key, keyAt, value }) => {
    const name = plainOrQuoted(key)
    const flow = inline(value)
    if (flow !== null) return [{ indent, text: `${name}: ${flow}`, from: lineOf(value, keyAt.line) }]
    const head = { indent, text: `${name}:`, from: keyAt.line }
    return [
      head,
      ...(value.kind === 'list' ? listLines(value, indent + 2) : mapLines(value as RawMap, indent + 2)),
    ]
  })
}

function lineOf(value: RawNode, line: number): number {
  return value.kind === 'scalar' ? value.at.line : line
}

function listLines({ items }: RawList, indent: number): OutputLine[] {
  return items.flatMap(item => {
    const flow = inline(item)
    if (flow !== null) return [{ indent, text: `- ${flow}`, from: item.at.line }]
    const [first, ...rest] = item.kind === 'list' ? listLines(item, 0) : mapLines(item as RawMap, 0)
    const inner = [first, ...rest].filter(line => line !== undefined)
    return inner.map((line, i) => ({
      ...line,
      indent: indent + (i === 0 ? 0 : line.indent + 2),
      text: i === 0 ? `- ${line.text}` : line.text,
      from: i === 0 ? item.at.line : line.from,
    }))
  })
}

/** The value on one line: scalars, empty collections, lists of scalars, and short maps of scalars; null for others. */
function inline(node: RawNode): string | null {
  if (node.kind === 'scalar') return scalarText(node)
  if (node.kind === 'list') {
    if (node.items.length === 0) return '[]'
    const words = node.items.map(item => (item.kind === 'scalar' ? scalarText(item) : null))
    return words.every(word => word !== null && isPlain(word)) ? `[${words.join(', ')}]` : null
  }
  if (node.entries.length === 0) return '{}'
  const isOneLine = node.entries.every(
    ({ value }) => value.kind === 'scalar' && value.at.line === node.at.line,
  )
  if (!isOneLine || node.entries.length > 3) return null
  const pairs = node.entries.map(
    ({ key, value }) => `${plainOrQuoted(key)}: ${scalarText(value as RawScalar)}`,
  )
  return pairs.join(', ').length < 80 ? `{ ${pairs.join(', ')} }` : null
}

/** Without quotes: reads well beside others. */
function isPlain(text: string): boolean {
  return !/^['"]/.test(text) && text.length < 40
}

// ---------------------------------------------------------------- scalars

function scalarText({ value }: RawScalar): string {
  return typeof value === 'string' ? plainOrQuoted(value) : String(value)
}

/** Words that YAML readers of one version or another take for something else than text. */
const RESERVED = /^(?:true|false|yes|no|on|off|y|n|null|~)$/i

/** Text that is text in every YAML: plain where it is a simple word, else in quotes. */
function plainOrQuoted(text: string): string {
  const isWord = /^[A-Za-z_/][\w./-]*$/.test(text) || /^\d+(ms|s|m|h)$/.test(text)
  if (isWord && !RESERVED.test(text)) return text
  if (/[\p{Cc}\u0085\u2028\u2029\ufeff]|[\ud800-\udfff]/u.test(text)) return JSON.stringify(text)
  return `'${text.replaceAll("'", "''")}'`
}
