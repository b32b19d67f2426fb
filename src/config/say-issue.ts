/** What zod finds wrong with a value, in words and at its place. */
import type { Code } from './codes.js'
import type { z } from './fields.js'
import { didYouMean } from './nearest.js'
import type { Position } from './problem.js'
import type { RawNode } from './raw.js'
import { plain, type RawEntry, sortOf } from './read-fields.js'
import type { Report } from './report.js'

type Issue = z.core.$ZodIssue
interface Place {
  readonly name: string
  readonly node: RawNode
  readonly at: Position
}

/** Tells one issue of an entry's value. */
export function sayIssue(entry: RawEntry, issue: Issue, isSecret: boolean, report: Report): void {
  const place = placeOf(entry, issue.path)
  const [code, message] = isSecret ? secretSentence(place.name, issue) : sentenceOf(place, issue)
  report.error(code, place.at, message)
}

/** Follows the issue's path to the value that it is about, as far as there is one. */
function placeOf(entry: RawEntry, path: readonly PropertyKey[]): Place {
  let place: Place = { name: entry.key, node: entry.value, at: entry.value.at }
  for (const step of path) {
    const { node } = place
    if (node.kind === 'list') {
      const item = node.items[Number(step)]
      if (item) place = { name: place.name, node: item, at: item.at }
    } else if (node.kind === 'map') {
      const inner = node.entries.find(({ key }) => key === step)
      if (inner) place = { name: inner.key, node: inner.value, at: inner.value.at }
    }
  }
  return place
}

type Sentence = readonly [Code, string]

function sentenceOf(place: Place, issue: Issue): Sentence {
  const { name, node } = place
  const found = sortOf(node)
  switch (issue.code) {
    case 'invalid_type':
      return [
        'WRONG_TYPE',
        `"${name}" must be ${nameOf(issue.expected)}, not ${found}${remedy(node, issue.expected)}`,
      ]
    case 'too_small':
      return ['OUT_OF_RANGE', `"${name}" is ${found}; the least is ${issue.minimum}`]
    case 'too_big':
      return ['OUT_OF_RANGE', `"${name}" is ${found}; the most is ${issue.maximum}`]
    case 'invalid_value':
      return wordSentence(place, issue.values.map(String))
    case 'invalid_union':
      return unionSentence(place, issue.errors)
    default:
      return ['BAD_VALUE', `"${name}" is ${found}: ${issue.message}`]
  }
}

/** A password is not shown, whatever is wrong with it. */
function secretSentence(name: string, issue: Issue): Sentence {
  if (issue.code !== 'invalid_type') return ['BAD_VALUE', `"${name}": ${issue.message}`]
  return ['WRONG_TYPE', `"${name}" must be text: put it in quotes`]
}

function wordSentence({ name, node }: Place, words: readonly string[]): Sentence {
  const choice = `one of ${words.join(', ')}`
  if (node.kind !== 'scalar' || typeof node.value !== 'string')
    return ['WRONG_TYPE', `"${name}" must be ${choice}, not ${sortOf(node)}`]
  const synonym = SYNONYMS.get(node.value.toLowerCase())
  const near = synonym && words.includes(synonym) ? `; write ${synonym}` : didYouMean(node.value, words)
  return ['UNKNOWN_WORD', `"${name}" cannot be "${node.value}"${near || `; expected ${choice}`}`]
}

/** What others call these things. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['nat', 'masq'],
  ['masquerade', 'masq'],
  ['masquerading', 'masq'],
  ['dr', 'gate'],
  ['droute', 'gate'],
  ['direct', 'gate'],
  ['route', 'gate'],
  ['tun', 'ipip'],
  ['tunnel', 'ipip'],
  ['inet', 'ipv4'],
  ['inet6', 'ipv6'],
  ['v4', 'ipv4'],
  ['v6', 'ipv6'],
  ['4', 'ipv4'],
  ['6', 'ipv6'],
  ['warning', 'warn'],
])

/** Of several types that are all wrong, speaks of the one that the writer seems to have meant. */
function unionSentence(place: Place, branches: readonly (readonly Issue[])[]): Sentence {
  const value = plain(place.node)
  const meant = branches.find(issues => issues.every(issue => isNear(issue, value)))?.[0]
  if (meant) return sentenceOf(place, meant)
  const expected = branches.flatMap(([issue]) => (issue ? typesOf(issue) : []))
  return [
    'WRONG_TYPE',
    `"${place.name}" must be ${[...new Set(expected)].join(' or ')}, not ${sortOf(place.node)}`,
  ]
}

function isNear(issue: Issue, value: unknown): boolean {
  if (issue.code === 'invalid_value') return typeof value === 'string'
  return issue.code !== 'invalid_type' || issue.path.length > 0
}

function typesOf(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [nameOf(issue.expected)]
  if (issue.code === 'invalid_value') return issue.values.map(String)
  return issue.code === 'invalid_union' ? issue.errors.flatMap(([one]) => (one ? typesOf(one) : [])) : []
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function nameOf(expected: string): string {
  return NAMES[expected] ?? expected
}

/** What to type instead, where it is plain. */
function remedy(node: RawNode, expected: string): string {
  if (node.kind !== 'scalar') return ''
  const { value } = node
  if (expected === 'string' && value !== null) return `; put it in quotes: '${value}'`
  if (expected === 'array' && value !== null) return `; write [${value}]`
  if (typeof value !== 'string') return ''
  if (expected === 'boolean' && /^(yes|on|y)$/i.test(value)) return '; write true'
  if (expected === 'boolean' && /^(no|off|n)$/i.test(value)) return '; write false'
  return (expected === 'number' || expected === 'int') && /^[1-9]\d*$/.test(value)
    ? '; take the quotes away'
    : ''
}
