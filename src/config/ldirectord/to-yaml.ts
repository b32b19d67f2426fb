/** An ldirectord.cf as YAML: its comments where they stand, and beside each line what there is to say about it. */
import type { Position, Problem } from '../problems/problem.js'
import type { RawMap, RawNode, RawScalar } from '../raw.js'
import { type IsSecretName, withoutSecrets } from '../secrets.js'
import { writeYaml, type YamlComment } from '../yaml/write-yaml.js'
import { SPELLING_CODES } from './ldirectord-codes.js'
import type { LdirectordDocument } from './read-ldirectord.js'
import { BEGINNING, type Entry, scalar } from './tree.js'

/** The equivalent YAML of a file that has been read without errors. */
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

/** What a line means here is worth a remark in the YAML; how it was spelt is not. */
function isOfMeaning({ code }: Problem): boolean {
  return !Object.hasOwn(SPELLING_CODES, code)
}

/** The same is said of a line once. */
function firstOnly(): (problem: Problem) => boolean {
  const told = new Set<string>()
  return ({ at, message }) => {
    const key = `${at.line} ${message}`
    const isFirst = !told.has(key)
    told.add(key)
    return isFirst
  }
}

/** The section of a line: where it begins, and where the next one does. */
type Bounds = (line: number) => YamlComment['section']

function boundsOf(heads: readonly number[], end: number): Bounds {
  return line => [heads.findLast(head => head <= line) ?? 0, heads.find(head => head > line) ?? end + 1]
}

/** A comment in column 1 above a virtual is about that virtual; others are about the section they stand in. */
function remarkOf(
  { line, text, trailing, indent }: LdirectordDocument['comments'][number],
  bounds: Bounds,
  source: readonly string[],
): YamlComment {
  const section = bounds(line)
  if (trailing) return { line, section, text, where: 'behind' }
  // Above the first directive: of the whole file.
  if (source.slice(0, line).every(isRemark)) return { line: 0, section: [0, 1], text, where: 'before' }
  const isIntroduction = indent === 0 && introduces(line, section[1], source)
  return { line, section: isIntroduction ? bounds(section[1]) : section, text, where: 'before' }
}

/**
 * Nothing but comments and empty lines up to the next virtual, and nearer to that than to what stands above: no empty
 * line below, or one above.
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

/** A line that left nothing in the tree is quoted above what is said about it. */
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

/** The lines of the file from which something in the tree comes. */
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

/** Real servers and fallbacks that are no more than address, forwarding and weight, in one line. */
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

/** ldirectord's daemon runs in /, and relative paths begin there; those of YAML begin in the folder of the file. */
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

/** Lines of the output that come from no line of the file: above the first one, and of no section at all. */
const ABOVE = { line: 0, column: 1, length: 1 }
const NOWHERE = { line: -1, column: 1, length: 1 }

function mapEntry(node: RawMap, key: string, change: (value: RawMap) => RawMap): RawMap {
  const changed = (one: Entry) => ({ ...one, keyAt: NOWHERE, value: change(one.value as RawMap) })
  return { ...node, entries: node.entries.map(one => (one.key === key ? changed(one) : one)) }
}

/** The tree in which what the file does not say comes from above its first line. */
function withBeginningAbove(node: RawMap): RawMap {
  const place = (at: Position) => (at === BEGINNING ? ABOVE : at)
  const entries = node.entries.map(({ key, keyAt, value }): Entry => {
    const inner = value.kind === 'map' ? withBeginningAbove(value) : { ...value, at: place(value.at) }
    return { key, keyAt: place(keyAt), value: inner }
  })
  return { ...node, entries, at: place(node.at) }
}
