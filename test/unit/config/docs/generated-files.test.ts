import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { optionKit } from '../../../../src/check/option-kit.js'
import { jsonSchemaOf, kindsOf } from '../../../../src/config/docs/json-schema.js'
import { referenceOf } from '../../../../src/config/docs/reference.js'
import { LDIRECTORD_CODES, SPELLING_CODES } from '../../../../src/config/ldirectord/ldirectord-codes.js'
import { CODES } from '../../../../src/config/problems/codes.js'
import { generatedFiles } from '../../../../src/docs/generated-files.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'

const SOURCES = new URL('../../../../src/', import.meta.url).pathname
const TESTS = new URL('../../../', import.meta.url).pathname

describe('generated-files: the files that are made from the schema', () => {
  it('stand in config/ as they are made now (npm run docs)', async () => {
    for (const { path, content } of await generatedFiles())
      assert.equal(readFileSync(path, 'utf8'), content, path)
  })

  it('describe every option of every check', async () => {
    const { checks } = await loadChecks([])
    const reference = referenceOf(checks)
    const schema = JSON.stringify(jsonSchemaOf(checks))
    for (const check of kindsOf(checks)) {
      assert.ok(reference.includes(`### ${check.name}\n`), check.name)
      for (const option of Object.keys(check.options(optionKit))) {
        assert.ok(reference.includes(`| \`${option}\` |`), option)
        assert.ok(schema.includes(`"${option}":`), option)
      }
    }
  })

  it('have a line about every key', async () => {
    const { checks } = await loadChecks([])
    const empty = referenceOf(checks)
      .split('\n')
      .filter(line => /^\| `.*\| *\|$/.test(line))
    assert.deepEqual(empty, [])
  })

  it('point to nothing that is not there', async () => {
    const { checks } = await loadChecks([])
    const schema = jsonSchemaOf(checks) as { definitions: Record<string, unknown> }
    const pointers = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/definitions\/(\w+)"/g)].map(
      match => match[1] ?? '',
    )
    assert.ok(pointers.length > 0)
    for (const name of pointers) assert.ok(schema.definitions[name], name)
  })
})

describe('generated-files: the codes of problems', () => {
  const sources = filesIn(SOURCES).map(file => [file, readFileSync(file, 'utf8')] as const)

  it('are all used somewhere', () => {
    const used = sources
      .filter(([file]) => !file.endsWith('codes.ts'))
      .map(([, text]) => text)
      .join('\n')
    for (const code of Object.keys({ ...CODES, ...LDIRECTORD_CODES, ...SPELLING_CODES }))
      assert.ok(used.includes(`'${code}'`), `nothing tells ${code}`)
  })

  it('each have a broken file in test/fixtures/broken, or a test that expects them', () => {
    const broken = filesIn(join(TESTS, 'fixtures/broken')).map(file => readFileSync(file, 'utf8'))
    const found = new Set(broken.flatMap(text => /^# (\w+) \d+:\d+$/m.exec(text)?.[1] ?? []))
    const tests = ['unit', 'programs'].flatMap(folder => filesIn(join(TESTS, folder))).map(expectationsIn)
    for (const code of Object.keys(CODES)) {
      // `'CODE'`, `'3:1 CODE'`, or an expression such as /CODE/: not a comment, not a part of another word.
      const expectation = new RegExp(`['"/ ]${code}['"/]`)
      assert.ok(found.has(code) || tests.some(text => expectation.test(text)), `no test expects ${code}`)
    }
  })
})

/** The lines of a test without its comments. */
function expectationsIn(file: string): string {
  return readFileSync(file, 'utf8').replace(/^ *(?:\/\/|\/?\*).*$/gm, '')
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|yaml)$/.test(name))
    .map(name => join(folder, name))
}
