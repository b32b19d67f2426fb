/** Generates the JSON Schema of the configuration, with the options of each kind of check, for editors. */
import type { Check } from '../../check/check.js'
import { type OptionShape, optionKit } from '../../check/option-kit.js'
import { type Mark, markOf, z } from '../../check/option-types.js'
import type { Shape } from '../read/fields.js'
import { alertFields } from '../schema/alert-fields.js'
import { checkFields, checkNode } from '../schema/check-fields.js'
import { rootSchema } from '../schema/schema.js'

type Json = Record<string, unknown>

/** Returns the JSON Schema in draft 7, which most editors support. `checks` contains each kind by name and alias. */
export function jsonSchemaOf(checks: ReadonlyMap<string, Check>): Json {
  const kinds = kindsOf(checks)
  const shared = sharedOptions(kinds)
  const root = z.toJSONSchema(rootSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (checkNode as unknown)) replace(jsonSchema as Json, { $ref: '#/definitions/checks' })
    },
  }) as Json
  addElsewhere(root)
  return asRead({
    $schema: root.$schema,
    title: 'Configuration of lvsd',
    ...root,
    patternProperties: { '^x-': { description: 'Free for anchors.' } },
    definitions: {
      checks: {
        anyOf: [{ $ref: '#/definitions/check' }, { type: 'array', items: { $ref: '#/definitions/check' } }],
      },
      check: { anyOf: checkForms(kinds, shared) },
      elsewhere: ELSEWHERE,
      ...definitionsOf('check', propertiesOf(checkFields)),
      ...definitionsOf('option', Object.fromEntries(shared)),
    },
  }) as Json
}

/** Returns the options that several kinds have with the same meaning, such as those of TLS. Each is defined once. */
function sharedOptions(kinds: readonly Check[]): ReadonlyMap<string, unknown> {
  const variants = new Map<string, string[]>()
  for (const check of kinds)
    for (const [key, type] of Object.entries(optionsOf(check)))
      variants.set(key, [...(variants.get(key) ?? []), JSON.stringify(type)])
  const same = [...variants].filter(([, all]) => all.length > 1 && new Set(all).size === 1)
  return new Map(same.map(([key, [type = '']]) => [key, JSON.parse(type)]))
}

/**
 * Returns the schema with the rules of the reader: a key cannot have the value null, although null may be the default of
 * an absent key.
 */
function asRead(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(asRead)
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json).map(([key, value]) => [
    key,
    asRead(key === 'properties' ? mapValues(value, withoutNull) : value),
  ])
  return Object.fromEntries(entries)
}

function withoutNull(type: unknown): unknown {
  if (typeof type !== 'object' || type === null) return type
  const { default: fallback, ...json } = type as Json
  const types = json.type
  const forms = json.anyOf as readonly Json[] | undefined
  return {
    ...json,
    ...(Array.isArray(types) && { type: oneOrAll(types.filter(each => each !== 'null')) }),
    ...(forms && { anyOf: forms.filter(each => each.type !== 'null').map(withoutNull) }),
    ...(fallback !== undefined && fallback !== null && { default: fallback }),
  }
}

function oneOrAll(types: readonly unknown[]): unknown {
  return types.length === 1 ? types[0] : types
}

function mapValues(json: Json, change: (value: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, change(value)]))
}

/** Returns each kind once, sorted by name. */
export function kindsOf(checks: ReadonlyMap<string, Check>): readonly Check[] {
  return [...new Set(checks.values())].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Forms of a check: the name of a kind; a mapping for each kind of lvsd; one for users' kinds; one without a kind,
 * which modifies the check of another layer.
 */
function checkForms(kinds: readonly Check[], shared: ReadonlyMap<string, unknown>): readonly Json[] {
  const words = kinds.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  const common = references('check', Object.keys(checkFields))
  const foreign = { type: 'string', not: { enum: words } }
  return [
    ...kinds.map(({ name, summary }) => ({ const: name, description: summary })),
    { type: 'string', description: 'A check of your own, or another name of one of ours.' },
    ...kinds.map(check => kindForm(check, common, shared)),
    { type: 'object', properties: { ...common, kind: foreign }, required: ['kind'] },
    { type: 'object', properties: { ...common, kind: false } },
  ]
}

/** Returns references to keys that are defined once: those of all kinds (`check`), or shared options (`option`). */
function references(group: 'check' | 'option', keys: readonly string[]): Json {
  return Object.fromEntries(keys.map(key => [key, { $ref: `#/definitions/${group}.${key}` }]))
}

function definitionsOf(group: 'check' | 'option', types: Json): Json {
  return Object.fromEntries(Object.entries(types).map(([key, type]) => [`${group}.${key}`, type]))
}

function kindForm(check: Check, common: Json, shared: ReadonlyMap<string, unknown>): Json {
  const { name, aliases = [], summary } = check
  const options = optionsOf(check)
  return {
    type: 'object',
    description: summary,
    properties: {
      kind: { enum: [name, ...aliases] },
      ...options,
      ...references(
        'option',
        Object.keys(options).filter(key => shared.has(key)),
      ),
      ...without(common, 'kind'),
    },
    required: ['kind'],
    additionalProperties: false,
  }
}

/** Returns the options of a kind. `{ file: PATH }` and `{ env: NAME }` are forms of those that hold secrets. */
function optionsOf(check: Check): Json {
  const shape: OptionShape = check.options(optionKit)
  return Object.fromEntries(
    Object.entries(propertiesOf(shape)).map(([key, type]) => [
      key,
      withElsewhere(type as Json, markOf(shape[key]).secret),
    ]),
  )
}

function withElsewhere(type: Json, secret: Mark['secret']): Json {
  if (secret === undefined) return type
  if (secret === 'text') {
    const { description, ...plain } = type
    return { description, anyOf: [plain, { $ref: '#/definitions/elsewhere' }] }
  }
  const inner = secret === 'list' ? 'items' : 'additionalProperties'
  const added = (form: Json) =>
    form[inner] === undefined
      ? form
      : { ...form, [inner]: { anyOf: [form[inner], { $ref: '#/definitions/elsewhere' }] } }
  return type.anyOf ? { ...type, anyOf: (type.anyOf as readonly Json[]).map(added) } : added(type)
}

/** Gives secrets of receivers of alerts the forms `{ file: PATH }` and `{ env: NAME }`. */
function addElsewhere(root: Json): void {
  const { alerts } = root.properties as Readonly<Record<string, Json>>
  const receiver = alerts?.additionalProperties as { properties: Json }
  for (const [key, type] of Object.entries(alertFields)) {
    const { secret } = markOf(type)
    receiver.properties[key] = withElsewhere(receiver.properties[key] as Json, secret)
  }
}

const ELSEWHERE = {
  description: 'A password that stands in a file, of one line, or in a variable of the environment.',
  type: 'object',
  properties: { file: { type: 'string' }, env: { type: 'string' } },
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
}

/**
 * Returns the schema of each option. None is required, because a check may take options from the service or from
 * `defaults`.
 */
function propertiesOf(shape: Shape): Json {
  return Object.fromEntries(
    Object.entries(shape).map(([key, type]) => [
      key,
      without(
        z.toJSONSchema(type, { io: 'input', target: 'draft-7', unrepresentable: 'any' }) as Json,
        '$schema',
      ),
    ]),
  )
}

function without(json: Json, key: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([each]) => each !== key))
}

function replace(json: Json, by: Json): void {
  for (const key of Object.keys(json)) delete json[key]
  Object.assign(json, by)
}
