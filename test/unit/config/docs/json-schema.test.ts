import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Ajv } from 'ajv'
import { jsonSchemaOf } from '../../../../src/config/docs/json-schema.js'
import { loadConfig } from '../../../../src/config/load.js'
import type { Problem } from '../../../../src/config/problems/problem.js'
import { plain } from '../../../../src/config/raw.js'
import { checkFields } from '../../../../src/config/schema/check-fields.js'
import { mailFields } from '../../../../src/config/schema/mail-fields.js'
import { fallbackFields, realFields } from '../../../../src/config/schema/real-fields.js'
import {
  defaultsFields,
  persistenceFields,
  rootFields,
  serviceFields,
  settingsFields,
  timeoutsFields,
} from '../../../../src/config/schema/schema.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'
import { validated } from '../../../support/config/config-of.js'

const HOUSE = new URL('../../../../', import.meta.url).pathname
const { checks } = await loadChecks([])
const fits = new Ajv({ allowUnionTypes: true }).compile(jsonSchemaOf(checks))

/** True if an editor that knows the schema marks nothing in the text. */
function isAllowed(text: string): boolean {
  const { root } = readYaml(text, 'site.yaml')
  return root !== null && fits(plain(root))
}

/** Broken files whose mistake no schema can see: within a text, in a merge, in a check whose kind stands elsewhere. */
const INNER = [
  ...['forwarding-in-short-form', 'real-weight-negative', 'weight-too-big', 'merge-of-text', 'misspelt-kind'],
].map(name => `${name}.yaml`)

/** Codes of problems that a schema can express. The others need more than one value, or a value's inner form. */
const SHAPE = ['WRONG_TYPE', 'UNKNOWN_KEY', 'UNKNOWN_WORD', 'OUT_OF_RANGE']

function errorsOf(problems: readonly Problem[]): readonly string[] {
  return problems.flatMap(({ severity, code }) => (severity === 'error' ? code : []))
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(join(HOUSE, folder))
    .filter(name => name.endsWith('.yaml'))
    .map(name => join(HOUSE, folder, name))
}

describe('json-schema: a validator of JSON Schema', () => {
  const files = ['config', 'config/recipes', 'test/fixtures/broken'].flatMap(filesIn)
  for (const file of files)
    it(`agrees with the reader about ${basename(file)}`, async () => {
      const text = readFileSync(file, 'utf8')
      const { root } = readYaml(text, file)
      if (!root) return
      const { problems } = await loadConfig(file)
      const errors = errorsOf(problems)
      if (errors.length === 0) assert.ok(fits(plain(root)), JSON.stringify(fits.errors?.slice(0, 3)))
      if (errors.some(code => SHAPE.includes(code)) && !INNER.includes(basename(file)))
        assert.ok(!fits(plain(root)), errors.join())
    })

  it('allows a file that only includes others, or is included', () => {
    for (const text of ['include: conf.d/*.yaml', 'settings: { resync: 20s }', 'x-a: { b: 1 }'])
      assert.ok(isAllowed(text), text)
  })
})

// ---------------------------------------------------------------- each key with each value

/** Values in YAML: of each sort, at limits, and such as are common in other programs. */
const VALUES = [
  ...['', 'null', '[]', '{}', "''", 'true', 'yes', '0', '1', '-1', '1.5', '.nan', '5000000000', '1e300'],
  ...["'5'", '5s', '50%', 'none', 'all', 'some words', '[x]', '[1]', '[null]', '{ a: 1 }', '[{ a: x }]'],
  ...["{ address: '[::1]:80' }", "['[::1]:80']", '{ timeout: 5s }', '{ to: root }', '{ kind: connect }'],
  ...['{ kind: 5 }', '{ file: /dev/null }', '[tcp, udp]', 'tcp', '{ tcp: 5s }', '{ engine: null }'],
]

const SERVICE = "virtual: '[2001:db8::80]:80', check: connect, reals: ['[2001:db8:1::11]:80']"
const service = (rest: string) => `services: { web: { ${rest} } }`

/** Returns the pairs but those of the keys that `more` has, too. */
function besides(base: string, key: string): string {
  return base
    .split(/, (?=\w+:)/)
    .filter(pair => !pair.startsWith(`${key}:`))
    .map(pair => `${pair}, `)
    .join('')
}

const PLACES: readonly [place: string, keys: object, text: (key: string, value: string) => string][] = [
  [
    'the file',
    rootFields,
    (key, value) => (key === 'services' ? `services: ${value}` : `${key}: ${value}\n${service(SERVICE)}`),
  ],
  ['settings', settingsFields, (key, value) => `settings: { ${key}: ${value} }\n${service(SERVICE)}`],
  [
    'timeouts',
    timeoutsFields,
    (key, value) => `settings: { timeouts: { ${key}: ${value} } }\n${service(SERVICE)}`,
  ],
  ['defaults', defaultsFields, (key, value) => `defaults: { ${key}: ${value} }\n${service(SERVICE)}`],
  ['a service', serviceFields, (key, value) => service(`${besides(SERVICE, key)}${key}: ${value}`)],
  [
    'a real server',
    realFields,
    (key, value) =>
      service(
        `${besides(SERVICE, 'reals')}reals: [{ ${besides("address: '[::2]:80'", key)}${key}: ${value} }]`,
      ),
  ],
  [
    'a fallback',
    fallbackFields,
    (key, value) =>
      service(`${SERVICE}, fallback: { ${besides("address: '[::2]:80'", key)}${key}: ${value} }`),
  ],
  [
    'persistence',
    persistenceFields,
    (key, value) => service(`${SERVICE}, persistence: { ${key}: ${value} }`),
  ],
  [
    'mail',
    mailFields,
    (key, value) => service(`${SERVICE}, mail: { ${besides('to: root', key)}${key}: ${value} }`),
  ],
  [
    'a check',
    checkFields,
    (key, value) =>
      service(`${besides(SERVICE, 'check')}check: { ${besides('kind: connect', key)}${key}: ${value} }`),
  ],
]

/** True if no schema can see the mistake: within a text, or in a check whose kind may stand elsewhere. */
function isInner(key: string, value: string): boolean {
  return value === 'some words' || (/^checks?$/.test(key) && /^\[?\{/.test(value) && !value.includes('kind'))
}

describe('json-schema: a value', () => {
  for (const [place, keys, text] of PLACES)
    it(`of each key of ${place} is refused by the reader and the schema, or by neither`, () => {
      const told: string[] = []
      for (const key of Object.keys(keys))
        for (const value of VALUES) {
          const whole = text(key, value)
          const errors = errorsOf(validated(whole, [...new Set(checks.values())]).problems)
          const isRight = isAllowed(whole)
          if (!isRight && errors.length === 0) told.push(`the schema alone refuses ${key}: ${value}`)
          if (isRight && errors.some(code => SHAPE.includes(code)) && !isInner(key, value))
            told.push(`the reader alone refuses ${key}: ${value} (${errors.join()})`)
        }
      assert.deepEqual(told, [])
    })
})
