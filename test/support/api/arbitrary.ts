/** Random values from the JSON Schemas of the OpenAPI document, right ones and wrong ones. */
import fc from 'fast-check'

export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** A value that has the schema, or one that has nothing to do with it. */
export function nearly(schema: Schema): fc.Arbitrary<unknown> {
  const wrong = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(null, '', -1, 1e308, '__proto__', '\u0000'),
  )
  return fc.oneof({ weight: 12, arbitrary: right(schema) }, { weight: 1, arbitrary: wrong })
}

function right(schema: Schema): fc.Arbitrary<unknown> {
  const { type, anyOf, oneOf, enum: words } = schema
  if (words) return fc.constantFrom(...words)
  if ('const' in schema) return fc.constant(schema.const)
  const forms = anyOf ?? oneOf
  if (forms) return fc.oneof(...forms.map(nearly))
  if (typeof type === 'object') return fc.oneof(...type.map(one => nearly({ ...schema, type: one })))
  return ofType(schema)
}

function ofType({ type, properties = {}, required = [], items, minItems = 0, minimum, maximum }: Schema) {
  switch (type) {
    case 'object': {
      const fields = Object.fromEntries(
        Object.entries(properties).map(([name, each]) => [name, nearly(each)]),
      )
      const all = fc.record(fields, { requiredKeys: required.filter(name => name in fields) })
      const more = fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 })
      return fc.oneof(
        { weight: 8, arbitrary: all },
        { weight: 1, arbitrary: fc.tuple(all, more).map(([a, b]) => ({ ...a, ...b })) },
      )
    }
    case 'array':
      return fc.array(nearly(items ?? {}), { minLength: minItems, maxLength: minItems + 3 })
    case 'integer':
      return fc.integer({
        min: Math.max(minimum ?? 0, -(2 ** 31)),
        max: Math.min(maximum ?? 2 ** 31, 2 ** 31),
      })
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'string':
      return fc.oneof(
        fc.constantFrom('web', 'mail', '[::1]:1', '5s'),
        fc.string({ unit: 'binary', maxLength: 30 }),
      )
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}
