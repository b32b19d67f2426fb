/** Reports the issues that zod finds in a value, with messages and positions. */

import type { z } from '../../check/option-types.js'
import { didYouMean } from '../../util/closest-match.js'
import { plain, type RawEntry, type RawMap, type RawNode, sortOf, writtenOf } from '../raw.js'
import type { Code } from './codes.js'
import type { Position } from './problem.js'
import type { Report } from './report.js'
import { synonymOf, yesOrNo } from './synonyms.js'

type Issue = z.core.$ZodIssue
interface Place {
  readonly name: string
  readonly node: RawNode
  readonly at: Position
}

/** Reports one issue of an entry's value. */
export function reportIssue(entry: RawEntry, issue: Issue, isSecret: boolean, report: Report): void {
  const meant = meantIssue(entry, issue)
  const place = placeOf(entry, meant.path)
  const [code, message] = isSecret ? secretSentence(place, meant) : messageFor(place, meant, issue)
  report.error(code, place.at, message)
}

/**
 * If a value matches none of several types, returns the issue of the type that was probably intended, or else the issue
 * itself.
 */
function meantIssue(entry: RawEntry, issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue
  const value = plain(placeOf(entry, issue.path).node)
  const meant = issue.errors.find(issues => issues.every(one => isNear(one, value)))?.[0]
  return meant ? meantIssue(entry, { ...meant, path: [...issue.path, ...meant.path] }) : issue
}

/** Follows the issue's path to the value, as far as the path exists. */
export function placeOf(entry: RawEntry, path: readonly PropertyKey[]): Place {
  let place: Place = { name: entry.called ?? entry.key, node: entry.value, at: entry.value.at }
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

/** `whole`: the issue of which `issue` may be a part. */
function messageFor(place: Place, issue: Issue, whole: Issue): Sentence {
  const { name, node } = place
  const found = sortOf(node)
  switch (issue.code) {
    case 'invalid_type':
      return [
        'WRONG_TYPE',
        `"${name}" must be ${nameOf(issue.expected)}, not ${found}${remedy(node, issue.expected)}`,
      ]
    case 'too_small':
      return [
        'OUT_OF_RANGE',
        `"${name}" is ${EMPTY[issue.origin] ?? `${found}; the least is ${issue.minimum}`}`,
      ]
    case 'too_big':
      return ['OUT_OF_RANGE', `"${name}" is ${found}; the most is ${issue.maximum}`]
    case 'invalid_value':
      return wordSentence(place, issue.values.map(String), typesOf(whole))
    case 'invalid_union':
      return unionSentence(place, issue.errors)
    default:
      return ['BAD_VALUE', `"${name}" is ${found}: ${issue.message}${asText(name, issue.message)}`]
  }
}

/** Returns advice for an invalid regular expression that is probably a plain text. */
function asText(name: string, message: string): string {
  return name === 'receive' && message.startsWith('Invalid regular expression')
    ? '; to look for it as it is, write text in place of receive'
    : ''
}

/** Messages about a password do not contain its value. */
function secretSentence({ name, node }: Place, issue: Issue): Sentence {
  if (issue.code !== 'invalid_type') return ['BAD_VALUE', `"${name}": ${issue.message}`]
  if (issue.expected !== 'string') return ['WRONG_TYPE', `"${name}" must be ${nameOf(issue.expected)}`]
  if (node.kind === 'map')
    return ['WRONG_TYPE', `"${name}" must be text, not a mapping; if the text has a colon, put it in quotes`]
  return ['WRONG_TYPE', `"${name}" must be text: put it in quotes`]
}

/** Words for a list or text that is too short. No minimum is more than 1. */
const EMPTY: Readonly<Record<string, string>> = { array: 'an empty list', string: 'an empty text' }

/** `types`: all words, and the other types of value that are possible. */
function wordSentence({ name, node }: Place, words: readonly string[], types: readonly string[]): Sentence {
  const choice = types.length > words.length ? orList(types) : `one of ${words.join(', ')}`
  if (node.kind !== 'scalar' || typeof node.value !== 'string')
    return ['WRONG_TYPE', `"${name}" must be ${choice}, not ${sortOf(node)}`]
  const synonym = synonymOf(node.value, words)
  const isQuoted = types.includes(nameOf('number')) && /^\d+$/.test(node.value)
  const near = isQuoted
    ? '; take the quotes away'
    : synonym === null
      ? didYouMean(node.value, words)
      : `; write ${synonym}`
  const advice = near || `; expected ${choice}${asRequest(name, node.value)}`
  return ['UNKNOWN_WORD', `"${name}" cannot be "${node.value}"${advice}`]
}

/** Returns advice for the path of a URL in `path`, which is the way of a check to its server. */
function asRequest(name: string, value: string): string {
  return name === 'path' && value.startsWith('/')
    ? `; the page that a check asks for is request: ${value}`
    : ''
}

/** Message for a value of several possible types, none of which was probably intended. */
function unionSentence(place: Place, branches: readonly (readonly Issue[])[]): Sentence {
  const expected = branches.flatMap(([issue]) => (issue ? typesOf(issue) : []))
  return [
    'WRONG_TYPE',
    `"${place.name}" must be ${orList([...new Set(expected)])}, not ${sortOf(place.node)}${place.node.kind === 'map' ? remedy(place.node, 'string') : ''}`,
  ]
}

function orList(words: readonly string[]): string {
  return words.length < 3 ? words.join(' or ') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function isNear(issue: Issue, value: unknown): boolean {
  if (issue.path.length > 0) return true
  return issue.code === 'invalid_value' ? typeof value === 'string' : issue.code !== 'invalid_type'
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

/** Returns advice for `{address}`, which was meant as text: YAML reads braces as a mapping. */
function quotedBraces({ entries }: RawMap): string {
  const [entry] = entries
  const isPlaceholder = entries.length === 1 && entry?.value.kind === 'scalar' && entry.value.value === null
  return isPlaceholder ? `; put it in quotes: '{${entry.key}}'` : ''
}

/** Returns what to write instead, if that is certain. */
function remedy(node: RawNode, expected: string): string {
  if (expected === 'string' && node.kind === 'map') return quotedBraces(node)
  if (node.kind !== 'scalar') return ''
  const { value } = node
  if (expected === 'string' && value !== null) return `; put it in quotes: '${writtenOf(node)}'`
  if (typeof value === 'number' && !Number.isFinite(value)) return ''
  if (expected === 'array' && value !== null) return `; write [${writtenOf(node)}]`
  if (typeof value !== 'string') return ''
  const meant = expected === 'boolean' ? yesOrNo(value) : null
  if (meant !== null) return `; write ${meant}`
  return (expected === 'number' || expected === 'int') && /^[1-9]\d*$/.test(value)
    ? '; take the quotes away'
    : ''
}
