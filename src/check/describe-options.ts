/** A check's options as people are told of them: for `lvsd checks` and the reference. */
import type { Check } from './check.js'
import { type OptionKit, type OptionShape, optionKit } from './option-kit.js'
import { z } from './option-types.js'

export interface OptionDescription {
  readonly name: string
  /** `text`, `true or false`, `1 to 65535`, `GET | HEAD`, … */
  readonly type: string
  /** As a configuration would have it; undefined where the option must be given. */
  readonly default: unknown
  readonly about: string
}

/** All options of a check, in the order in which it declares them. */
export function describeOptions(check: Pick<Check, 'options'>): readonly OptionDescription[] {
  const words = new WeakMap<object, keyof OptionKit>()
  const shape = check.options(notingKit(words))
  return Object.entries(shape).map(([name, type]) => describe(name, type, words.get(type)))
}

/** The kit, noting with which of its words each option was made: a schema no longer knows that a text is a pattern. */
function notingKit(words: WeakMap<object, keyof OptionKit>): OptionKit {
  const noting = Object.entries(optionKit).map(([word, make]) => [
    word,
    (...args: unknown[]) => {
      const type = (make as (...args: unknown[]) => OptionShape[string])(...args)
      words.set(type, word as keyof OptionKit)
      return type
    },
  ])
  return Object.fromEntries(noting) as OptionKit
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
}

function describe(
  name: string,
  type: OptionShape[string],
  word: keyof OptionKit | undefined,
): OptionDescription {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema
  const named = (word && TYPES[word]) ?? typeOf(schema)
  return { name, type: named, default: schema.default, about: schema.description ?? '' }
}

/** What the schema alone does not tell. */
const TYPES: Readonly<Partial<Record<keyof OptionKit, string>>> = {
  duration: 'duration',
  ranges: 'ranges of numbers',
  pattern: 'regular expression',
  list: 'list of texts',
  map: 'map of texts',
  secret: 'text, never shown',
  secretList: 'list of texts, never shown',
  secretMap: 'map of texts, never shown',
  environment: 'list of names, or map of texts, never shown',
  path: 'path of a file',
  command: 'path or name of a program',
}

const PLAIN: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  integer: 'number',
  number: 'number',
  array: 'list',
  object: 'map',
}

function typeOf({ type, enum: words, minimum, maximum }: Schema): string {
  if (words) return words.map(String).join(' | ')
  if (type === 'integer' && minimum !== undefined) return rangeOf(minimum, maximum)
  const types = [type ?? []].flat().filter(each => each !== 'null')
  return types.map(each => PLAIN[each] ?? each).join(' or ') || 'any value'
}

/** The kit's own upper bound is none that a person would want to read. */
function rangeOf(minimum: number, maximum: number | undefined): string {
  if (maximum === undefined || maximum >= 2 ** 31 - 1) return `number from ${minimum}`
  return `${minimum} to ${maximum}`
}
