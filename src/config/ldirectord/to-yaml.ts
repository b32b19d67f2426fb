/** Converts an ldirectord.cf to YAML. Comments stay at their lines, and each line gets the messages about it. */
import type { Position, Problem } from '../problems/problem.js'
import type { RawMap, RawNode, RawScalar } from '../raw.js'
import { type IsSecretName, withoutSecrets } from '../secret-text.js'
import { writeYaml, type YamlComment } from '../yaml/write-yaml.js'
import { SPELLING_CODES } from './ldirectord-codes.js'
import type { LdirectordDocument } from './read-ldirectord.js'
import { BEGINNING, type Entry, scalar } from './tree.js'

/** Returns the equivalent YAML of a file that has been read without errors. */
export function ldirectordToYaml(
  text: string,
  { root, comments, problems, heads, isSecret }: LdirectordDocument,
): string {
  if (!root) throw new Error('a document that could not be read has no YAML')
  const source = text.split(/\r?\n/)
  const bounds = boundsOf(heads, source.length)
  const traces = linesOf(root)
  const remarks = [
    ...comments.map(comment => remarkOf(comment, bounds, source)),
    ...problems
      .filter(isOfMeaning)
      .filter(firstOnly())
      .map(problem => noteOf(problem, source, traces, bounds, isSecret)),
  ]
  return writeYaml(
    withWholePaths(withShortForms(root)) as RawMap,
    remarks.sort((a, b) => a.line - b.line),
  )
}

/** True for messages about the meaning of a line. Messages about its spelling are not written to the YAML. */
function isOfMeaning({ code }: Problem): boolean {
  return !Object.hasOwn(SPELLING_CODES, code)
}

/** Returns a filter that keeps one of equal messages about a line. */
function firstOnly(): (problem: Problem) => boolean {
  const told = new Set<string>()
  return ({ at, message }) => {
    const key = `${at.line} ${message}`
    const isFirst = !told.has(key)
    told.add(key)
    return isFirst
  }
}

/** Returns the section of a line: its first line, and that of the next section. */
type Bounds = (line: number) => YamlComment['section']

function boundsOf(heads: readonly number[], end: number): Bounds {
  return line => [heads.findLast(head => head <= line) ?? 0, heads.find(head => head > line) ?? end + 1]
}

/**
 * A comment in column 1 before a virtual describes that virtual. Other comments describe the section that contains
 * them.
 */
function remarkOf(
  { line, text, trailing, indent }: LdirectordDocument['comments'][number],
  bounds: Bounds,
  source: readonly string[],
): YamlComment {
  const section = bounds(line)
  if (trailing) return { line, section, text, where: 'behind' }
  // Before the first directive, a comment describes the whole file.
  if (source.slice(0, line).every(isRemark)) return { line: 0, section: [0, 1], text, where: 'before' }
  const isIntroduction = indent === 0 && introduces(line, section[1], source)
  return { line, section: isIntroduction ? bounds(section[1]) : section, text, where: 'before' }
}

/**
 * True if a comment introduces the next virtual: only comments and empty lines are between them, and the comment is
 * closer to it than to the text above (no empty line below the comment, or one above it).
 */
function introduces(line: number, head: number, source: readonly string[]): boolean {
  const below = source.slice(line, head - 1)
  const above = source.slice(0, line - 1).findLast(text => !isComment(text)) ?? ''
  return head <= source.length && below.every(isRemark) && (below.every(isComment) || above.trim() === '')
}

function isComment(text: string): boolean {
  return /^\s*#/.test(text)
}

function isRemark(text: string): boolean {
  return text.trim() === '' || isComment(text)
}

/** Returns the message for the YAML. A line that contributes nothing to the tree is quoted before the message. */
function noteOf(
  { at, message }: Problem,
  source: readonly string[],
  traces: ReadonlySet<number>,
  bounds: Bounds,
  isSecret: IsSecretName,
): YamlComment {
  const quoted = traces.has(at.line)
    ? ''
    : `${withoutSecrets(source[at.line - 1] ?? '', isSecret)
        .replace(/\s#[^"]*$/, '')
        .trim()} -- `
  return { line: at.line, section: bounds(at.line), text: `! ${quoted}${message}`, where: 'before' }
}

/** Returns the lines of the file that contribute to the tree. */
function linesOf(node: RawNode): ReadonlySet<number> {
  const lines = new Set<number>()
  const walk = (inner: RawNode) => {
    if (inner.kind === 'scalar') lines.add(inner.at.line)
    else
      for (const one of inner.kind === 'list' ? inner.items : inner.entries.map(({ value }) => value))
        walk(one)
  }
  walk(node)
  return lines
}

// ---------------------------------------------------------------- short forms

const REAL_WORDS = ['address', 'forwarding', 'weight']

/** Writes real servers and fallbacks that have only address, forwarding and weight on one line. */
function withShortForms(root: RawMap): RawMap {
  return mapEntry(withBeginningAbove(root), 'services', services => ({
    ...services,
    entries: services.entries.map(service => ({ ...service, value: shortService(service.value as RawMap) })),
  }))
}

function shortService(service: RawMap): RawMap {
  const entries = service.entries.map((one): Entry => {
    const { value } = one
    if (one.key === 'reals' && value.kind === 'list')
      return { ...one, value: { ...value, items: value.items.map(shortReal) } }
    return one.key === 'fallback' ? { ...one, value: shortReal(value) } : one
  })
  return { ...service, entries }
}

function shortReal(node: RawNode): RawNode {
  if (node.kind !== 'map' || !node.entries.every(({ key }) => REAL_WORDS.includes(key))) return node
  return scalar(node.entries.map(({ value }) => (value as RawScalar).value).join(' '), node.at)
}

const PATHS: ReadonlySet<string> = new Set(['checkcommand', 'monitorfile', 'maintenancedir'])

/**
 * Makes paths absolute. ldirectord's daemon runs in /, so its relative paths begin there; those of YAML begin in the
 * folder of the file.
 */
function withWholePaths(node: RawNode): RawNode {
  if (node.kind === 'scalar') return node
  if (node.kind === 'list') return { ...node, items: node.items.map(withWholePaths) }
  const entries = node.entries.map(one => {
    const path = one.value.kind === 'scalar' ? one.value.value : null
    const isRelative = typeof path === 'string' && /^[^/]/.test(path) && PATHS.has(one.key)
    if (!isRelative || (one.key === 'checkcommand' && !path.includes('/')))
      return { ...one, value: withWholePaths(one.value) }
    return { ...one, value: scalar(`/${path.replace(/^\.\//, '')}`, one.value.at) }
  })
  return { ...node, entries }
}

/** Positions of output lines that come from no line of the file: before the first one, and outside all sections. */
const ABOVE = { line: 0, column: 1, length: 1 }
const NOWHERE = { line: -1, column: 1, length: 1 }

function mapEntry(node: RawMap, key: string, change: (value: RawMap) => RawMap): RawMap {
  const changed = (one: Entry) => ({ ...one, keyAt: NOWHERE, value: change(one.value as RawMap) })
  return { ...node, entries: node.entries.map(one => (one.key === key ? changed(one) : one)) }
}

/** Returns the tree with values that the file does not contain moved before its first line. */
function withBeginningAbove(node: RawMap): RawMap {
  const place = (at: Position) => (at === BEGINNING ? ABOVE : at)
  const entries = node.entries.map(({ key, keyAt, value }): Entry => {
    const inner = value.kind === 'map' ? withBeginningAbove(value) : { ...value, at: place(value.at) }
    return { key, keyAt: place(keyAt), value: inner }
  })
  return { ...node, entries, at: place(node.at) }
}
