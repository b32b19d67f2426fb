import assert from 'node:assert/strict'
import { duration, z } from '../../../../src/check/option-types.js'
import { newReport } from '../../../../src/config/problems/report.js'
import type { RawEntry } from '../../../../src/config/raw.js'
import { mergeLayers, outputOf } from '../../../../src/config/read/layers.js'
import { readEntry } from '../../../../src/config/read/read-node.js'
import { Sorts } from '../../../../src/config/read/sorts.js'
import { listOf, mapping, oneOrMore, orNull, shortOr } from '../../../../src/config/schema/forms.js'
import { secretSources } from '../../../../src/config/secret-sources.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'

const cup = {
  size: z.int().min(1).default(2),
  'keeps-hot': duration().prefault('1m'),
  lid: orNull(mapping('a lid', 'a mapping with colour', { colour: z.string().optional() })),
}
const cupNode = shortOr(z.number(), mapping('a cup', 'a mapping with size', cup), {
  keys: ['size'],
  none: true,
  expected: 'a size, or a mapping with size',
})
const tray = mapping('a tray', 'a mapping with cups', {
  cups: listOf(cupNode, 'a list of cups'),
  spare: oneOrMore(cupNode).optional(),
})

/** Reads `tray: …` of a YAML text. */
function trayOf(text: string) {
  const entry = readYaml(text, 'tray.yaml').root?.entries[0] as RawEntry
  const report = newReport('tray.yaml')
  const folderAt = () => null
  const secrets = secretSources({ report, env: {}, folderAt })
  const fields = readEntry(entry, tray, { report, folderAt, secrets, sorts: new Sorts() })
  const problems = report
    .problems()
    .map(({ at, code, message }) => `${at.line}:${at.column} ${code} ${message}`)
  return { fields, problems }
}

describe('read-node: reading by the schema', () => {
  it('gives the right values of a mapping in which others are wrong, with all problems', () => {
    const { fields, problems } = trayOf(`tray:
  cups:
    - { size: 0, keeps-hot: 5m, lid: { colour: 1 }, lit: 7 }
  spare: x
  spoon: 1
`)
    assert.deepEqual(problems, [
      '3:15 OUT_OF_RANGE "size" is the number 0; the least is 1',
      '3:48 WRONG_TYPE "colour" must be text, not the number 1; put it in quotes: \'1\'',
      '3:53 UNKNOWN_KEY "lit" is not a key of a cup; did you mean "lid"?',
      '4:10 WRONG_TYPE "spare" must be a size, or a mapping with size, not the text "x"',
      '5:3 UNKNOWN_KEY "spoon" is not a key of a tray',
    ])
    const [first] = fields?.values.cups ?? []
    assert.deepEqual(first?.values['keeps-hot'], 300_000)
    assert.deepEqual(first?.valueAt('size'), { line: 3, column: 15, length: 1 })
    assert.deepEqual(first?.values.lid?.values, {})
  })

  it('takes a short form for the mapping, and none for nothing', () => {
    const { fields, problems } = trayOf('tray: { cups: [3, none, { size: 3 }], spare: 4 }\n')
    assert.deepEqual(problems, [])
    const sizes = fields?.values.cups?.map(each => each?.values.size ?? null)
    assert.deepEqual([sizes, fields?.values.spare?.length], [[3, null, 3], 1])
  })

  it('names a short form by the key that is written', () => {
    assert.deepEqual(trayOf('tray: { cups: [], spare: 0 }\n').problems, [
      '1:26 OUT_OF_RANGE "spare" is the number 0; the least is 1',
    ])
    assert.deepEqual(trayOf('tray: { cups: 1, spare: }\n').problems, [
      '1:15 WRONG_TYPE "cups" must be a list of cups, not the number 1',
      '1:18 WRONG_TYPE "spare" has no value: expected a size, or a mapping with size',
    ])
  })
})

describe('layers: values laid over each other', () => {
  const near = { values: { size: 5 }, entry: () => undefined }
  const far = { values: { size: 6, 'keeps-hot': 7 }, entry: () => undefined }

  it('are those of the nearest layer, else the defaults', () => {
    assert.deepEqual(mergeLayers(cup, [near, far]).values, { size: 5, 'keeps-hot': 7, lid: null })
  })

  it('come out under the names of the code, with those of mappings within', () => {
    const { fields } = trayOf('tray: { cups: [{ lid: { colour: red } }] }\n')
    const cups = (fields?.values.cups ?? []).filter(each => each !== null)
    assert.deepEqual(outputOf(cup, cups), { size: 2, keepsHot: 60_000, lid: { colour: 'red' } })
  })
})
