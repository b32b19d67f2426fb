/** Generates the JSON Schema of the configuration, with the options of each kind of check, for editors. */
import type { Check } from '../../check/check.js'
import { type OptionShape, optionKit } from '../../check/option-kit.js'
import { type Mark, markOf, z } from '../../check/option-types.js'
import type { Shape } from '../read/fields.js'
import { checkFields, checkNode, rootSchema } from '../schema/schema.js'

type Json = Record<string, unknown>

/** Returns the JSON Schema in draft 7, which most editors support. `checks` contains each kind by name and alias. */
export function jsonSchemaOf(checks: ReadonlyMap<string, Check>): Json {
  const kinds = kindsOf(checks)
  const root = z.toJSONSchema(rootSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (checkNode as unknown)) replace(jsonSchema as Json, { $ref: '#/definitions/checks' })
    },
  }) as Json
  return {
    $schema: root.$schema,
    title: 'Configuration of lvsd',
    ...root,
    patternProperties: { '^x-': { description: 'Free for anchors.' } },
    definitions: {
      checks: {
        anyOf: [{ $ref: '#/definitions/check' }, { type: 'array', items: { $ref: '#/definitions/check' } }],
      },
      check: { anyOf: checkForms(kinds) },
      elsewhere: ELSEWHERE,
      ...Object.fromEntries(
        Object.entries(propertiesOf(checkFields)).map(([key, type]) => [definitionOf(key), type]),
      ),
    },
  }
}

/** Returns each kind once, sorted by name. */
export function kindsOf(checks: ReadonlyMap<string, Check>): readonly Check[] {
  return [...new Set(checks.values())].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * Forms of a check: the name of a kind; a mapping for each kind of lvsd; one for users' kinds; one without a kind,
 * which modifies the check of another layer.
 */
function checkForms(kinds: readonly Check[]): readonly Json[] {
  const words = kinds.flatMap(({ name, aliases = [] }) => [name, ...aliases])
  const common = references(checkFields)
  const foreign = { type: 'string', not: { enum: words } }
  return [
    ...kinds.map(({ name, summary }) => ({ const: name, description: summary })),
    { type: 'string', description: 'A check of your own, or another name of one of ours.' },
    ...kinds.map(check => kindForm(check, common)),
    { type: 'object', properties: { ...common, kind: foreign }, required: ['kind'] },
    { type: 'object', properties: { ...common, kind: false } },
  ]
}

/** Returns references to the keys that all kinds have. Each is defined only once. */
function references(shape: Shape): Json {
  return Object.fromEntries(
    Object.keys(shape).map(key => [key, { $ref: `#/definitions/${definitionOf(key)}` }]),
  )
}

function definitionOf(key: string): string {
  return `check.${key}`
}

function kindForm(check: Check, common: Json): Json {
  const { name, aliases = [], summary } = check
  return {
    type: 'object',
    description: summary,
    properties: {
      kind: { enum: [name, ...aliases] },
      ...withSecretForms(check.options(optionKit)),
      ...without(common, 'kind'),
    },
    required: ['kind'],
    additionalProperties: false,
  }
}

/** Adds `{ file: PATH }` and `{ env: NAME }` as forms of options that hold secrets. */
function withSecretForms(shape: OptionShape): Json {
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
  return { ...type, [inner]: { anyOf: [type[inner], { $ref: '#/definitions/elsewhere' }] } }
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
