/** Describes a type for people: the reference and `lvsd checks`. */
import { markOf, z } from './option-types.js'

export interface TypeInWords {
  /** `text`, `true or false`, `1 to 65535`, `GET | HEAD`, `duration`, … */
  readonly type: string
  /** The default in the notation of configurations; undefined if there is none. */
  readonly default: unknown
  readonly about: string
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
}

export function typeInWords(type: z.ZodType): TypeInWords {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema
  const words = [...new Set(wordsOf(schema))].join(' or ') || 'any value'
  return { type: markOf(type).shown ?? words, default: schema.default, about: schema.description ?? '' }
}

const PLAIN: Readonly<Record<string, readonly string[]>> = {
  string: ['text'],
  boolean: ['true or false'],
  integer: ['number'],
  number: ['number'],
  object: ['mapping'],
  null: [],
}

/** Returns one phrase per possible type, without null. */
function wordsOf(schema: Schema): readonly string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(wordsOf)
  if (schema.enum) return [schema.enum.map(String).join(' | ')]
  return [schema.type ?? []].flat().flatMap(type => wordsOfOne(type, schema))
}

function wordsOfOne(type: string, { items, minimum, maximum }: Schema): readonly string[] {
  if (type === 'array') return [items?.type === 'string' && !items.enum ? 'list of texts' : 'list']
  if (type === 'integer' && minimum !== undefined) return [rangeOf(minimum, maximum)]
  return PLAIN[type] ?? []
}

/** Omits an upper bound of 31 bits or more, which is of no interest to people. */
function rangeOf(minimum: number, maximum: number | undefined): string {
  if (maximum === undefined || maximum >= 2 ** 31 - 1) return `number from ${minimum}`
  return `${minimum} to ${maximum}`
}
