/** Prepares lines of a configuration for display: each character of a secret becomes a star. */
import type { Check } from '../check/check.js'
import { optionKit } from '../check/option-kit.js'
import { markOf } from '../check/option-types.js'
import { closestMatch } from '../util/closest-match.js'
import { continuedSecrets } from './continued-secrets.js'
import type { Position } from './problems/problem.js'
import type { RawNode } from './raw.js'
import { alertFields } from './schema/alert-fields.js'
import { checkFields } from './schema/check-fields.js'
import { realFields } from './schema/real-fields.js'
import { defaultsFields, rootFields, serviceFields, settingsFields } from './schema/schema.js'
import { type IsSecretName, stars, withoutSecrets } from './secret-text.js'
import { withoutUrlPasswords } from './url-passwords.js'

/** An unknown name that matches this pattern is treated as secret. */
const SOUNDS_SECRET = /pas+w|passphrase|secret|token|credential/i

const known = new WeakMap<ReadonlyMap<string, Check>, IsSecretName>()

/**
 * Returns the test of names, based on the marks in the options of all kinds. The options are read at its first call.
 */
export function secretNames(checks: ReadonlyMap<string, Check>): IsSecretName {
  const before = known.get(checks)
  if (before) return before
  let names: OptionNames | null = null
  const answers = new Map<string, boolean>()
  const isSecret = (name: string) => {
    names ??= optionNames(checks)
    const answer = answers.get(name) ?? isOneOf(name, names)
    answers.set(name, answer)
    return answer
  }
  known.set(checks, isSecret)
  return isSecret
}

/** Keys that hold no secret, however similar to the name of a secret they are. */
const KEYED = [rootFields, settingsFields, defaultsFields, serviceFields, realFields, checkFields]

interface OptionNames {
  readonly secret: ReadonlySet<string>
  readonly others: ReadonlySet<string>
}

function optionNames(checks: ReadonlyMap<string, Check>): OptionNames {
  const names = { secret: new Set<string>(), others: new Set(KEYED.flatMap(Object.keys)) }
  for (const [name, type] of Object.entries(alertFields))
    names[markOf(type).secret ? 'secret' : 'others'].add(name)
  for (const check of new Set(checks.values()))
    for (const [name, type] of Object.entries(check.options(optionKit)))
      names[markOf(type).secret ? 'secret' : 'others'].add(name)
  return names
}

function isOneOf(name: string, { secret, others }: OptionNames): boolean {
  if (secret.has(name)) return true
  return !others.has(name) && (SOUNDS_SECRET.test(name) || closestMatch(name, secret) !== null)
}

// ---------------------------------------------------------------- places in the tree

/** Position of a secret. `lastLine` is set if the text spans several lines. */
export interface Hidden extends Position {
  readonly lastLine?: number
}

/** Returns the positions of the secrets in a tree. A node that occurs several times in the tree is visited once. */
export function hiddenIn(root: RawNode | null, isSecret: IsSecretName): readonly Hidden[] {
  const hidden: Hidden[] = []
  const seen = new Set<RawNode>()
  const look = (node: RawNode, isWithin: boolean) => {
    if (seen.has(node)) return
    seen.add(node)
    if (node.kind === 'list') for (const item of node.items) look(item, isWithin)
    else if (node.kind === 'map')
      for (const entry of node.entries) look(entry.value, isWithin || isHolder(entry))
    else if (isWithin && node.value !== null)
      hidden.push(node.lastLine === undefined ? node.at : { ...node.at, lastLine: node.lastLine })
  }
  const isHolder = ({ key, value }: { readonly key: string; readonly value: RawNode }) =>
    isSecret(key) && !standsElsewhere(value)
  if (root) look(root, false)
  return hidden
}

/** True for `{ file: PATH }` and `{ env: NAME }`, which contain no secret. */
function standsElsewhere(node: RawNode): boolean {
  const [entry, ...more] = node.kind === 'map' ? node.entries : []
  return more.length === 0 && entry?.value.kind === 'scalar' && /^(file|env)$/.test(entry.key)
}

// ---------------------------------------------------------------- lines

export interface Hiding {
  readonly isSecret: IsSecretName
  readonly hidden: readonly Hidden[]
}

/**
 * Returns a function that returns a line of the text in displayable form. `file`: the name of an included file;
 * undefined for the main file.
 */
export function shownLines(
  text: string,
  { isSecret, hidden }: Hiding,
  file?: string,
): (line: number) => string {
  const lines = text.split(/\r?\n/)
  const here = hidden.filter(place => place.file === file)
  const isSecretHere = withAnchors(text, isSecret)
  const isContinued = continuedSecrets(lines, isSecretHere)
  return number => {
    let line = lines[number - 1] ?? ''
    const within = here.some(({ line: first, lastLine = first }) => number > first && number <= lastLine)
    if (within || isContinued(number - 1)) line = stars(line)
    for (const place of here) if (place.line === number) line = covered(line, place.column - 1, place.length)
    return withoutUrlPasswords(withoutSecrets(line, isSecretHere))
  }
}

function covered(line: string, from: number, length: number): string {
  const all = [...line]
  return [
    ...all.slice(0, from),
    stars(all.slice(from, from + length).join('')),
    ...all.slice(from + length),
  ].join('')
}

/** Matches `passwd: *name`: what the anchor of this name holds is a secret, too. */
/** Begins at the begin of a word alone, so that a long word is read once. */
const ALIAS = /(?<![\w-])([\w-]{1,100})["']?\s*:\s*\*([\w-]+)/g

/** Returns the test of names, extended by the anchors (`&name`) of secrets in the text. */
function withAnchors(text: string, isSecret: IsSecretName): IsSecretName {
  const anchors = new Set<string>()
  for (const [, key = '', anchor] of text.matchAll(ALIAS)) if (isSecret(key)) anchors.add(`&${anchor}`)
  return name => anchors.has(name) || isSecret(name)
}
