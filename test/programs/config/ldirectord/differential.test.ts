/** Random ldirectord.cf files, read by lvsd and by the real ldirectord's own parser. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { programOr } from '../../../support/checks/programs.js'
import {
  mutated,
  NAMES,
  type Random,
  randomFile,
  randomFrom,
} from '../../../support/config/ldirectord-cases.js'
import type { Model } from '../../../support/config/ldirectord-model.js'
import { parseWithLdirectord } from '../../../support/config/ldirectord-parser.js'
import { afterImport, loadCf } from '../../../support/config/ldirectord-site.js'
import { newTally, tableOf, weigh } from '../../../support/config/ldirectord-weigh.js'

/** Other files by another SEED, more of them by FILES. */
const SEED = Number(process.env.SEED ?? 20_261_122)
const FILES = Number(process.env.FILES ?? 500)

/** They belong to others, and are left out where they are not. */
const CORPUS = new URL('../../../../../shared/corpus/ldirectord/', import.meta.url)
const REAL_FILES = existsSync(CORPUS)
  ? readdirSync(CORPUS)
      .filter(name => name.endsWith('.cf'))
      .map(name => readFileSync(new URL(name, CORPUS), 'utf8'))
  : []

function oneOf(files: readonly string[], random: Random): string {
  return files[Math.floor(random() * files.length)] ?? ''
}

interface Recorded {
  readonly name: string
  readonly file: Buffer
  readonly rc: number
  readonly messages: readonly string[] | undefined
  readonly model?: Model
}

/** What the real parser said when the corpus was made. All its texts are of bytes. */
function recordedVerdicts(): readonly Recorded[] {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, CORPUS), 'utf8'))
  const cases = (read('grammar-cases.json') as (Recorded & { text: string })[]).map(one => ({
    ...one,
    file: Buffer.from(one.text, 'latin1'),
  }))
  const models = readdirSync(new URL('golden/', CORPUS)).map(name => ({
    name,
    file: readFileSync(new URL(name.replace(/json$/, 'cf'), CORPUS)),
    rc: 0,
    messages: undefined,
    model: read(`golden/${name}`) as Model,
  }))
  return [...cases, ...models]
}

/**
 * All numbers as texts, for perl has them as it last used them; texts of bytes as what they spell. Blanks are one, and so
 * is what spells nothing, such as bytes with backslashes between them.
 */
function asTexts(value: unknown): unknown {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return spelt(value).replace(/[\s\ufffd\\]+/g, ' ')
  if (Array.isArray(value)) return value.map(asTexts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asTexts(one)]))
}

function spelt(text: string): string {
  return /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
}

describe('differential: the parser of the real ldirectord', () => {
  let program = ''
  before(function () {
    this.timeout(60_000)
    program = programOr(() => this.skip(), 'ldirectord', 'ldirectord')
  })

  it('is driven as it was when the models were recorded', function () {
    if (REAL_FILES.length === 0) this.skip()
    const recorded = recordedVerdicts()
    const names = Object.assign({}, NAMES, ...recorded.map(({ model }) => model?.faked_names ?? {}))
    const verdicts = parseWithLdirectord(
      program,
      recorded.map(({ file }) => file),
      names,
    )
    for (const [i, { name, rc, messages, model }] of recorded.entries()) {
      const { faked_names: _, ...bare } = model ?? { faked_names: null }
      const expected = { rc, messages, ...(model ? { model: bare } : {}) }
      // Of a file whose model alone was recorded the warnings are not known.
      const found = { ...verdicts[i], messages: messages && verdicts[i]?.messages }
      assert.deepEqual(asTexts(found), asTexts(expected), name)
    }
  })

  const SORTS: readonly [phrase: string, file: (random: Random) => string][] = [
    ['random files', randomFile],
    ['random files with accidents', random => mutated(randomFile(random), random)],
    ['real files with accidents', random => mutated(oneOf(REAL_FILES, random), random)],
  ]
  for (const [phrase, file] of SORTS)
    it(`agrees on ${phrase}, and they are the same after an import`, async function () {
      this.timeout(120_000)
      if (phrase.startsWith('real') && REAL_FILES.length === 0) this.skip()
      const random = randomFrom(SEED)
      const files = Array.from({ length: FILES }, () => file(random)).filter(text => /^[^#\s]/m.test(text))
      const verdicts = parseWithLdirectord(program, files, NAMES)
      const tally = newTally()
      let imported = 0
      for (const [i, text] of files.entries()) {
        const verdict = verdicts[i]
        if (!verdict || verdict.rc === TOO_LONG) continue
        const loaded = await loadCf(text)
        const model = verdict.model && { ...verdict.model, faked_names: NAMES }
        weigh(`\n${text}`, { ...verdict, ...(model ? { model } : {}) }, loaded, tally)
        if (!loaded.config) continue
        assert.deepEqual(await afterImport(loaded), loaded.config, text)
        imported++
      }
      const { different } = tally
      const figures = `seed ${SEED}, ${files.length} files, ${imported} imported\n${tableOf(tally)}`
      assert.ok(different.length === 0, `${different.slice(0, 5).join('\n')}\n${figures}`)
      assert.ok(imported > files.length / 10)
    })
})

/** Of a file with a range of thousands of servers. */
const TOO_LONG = 254
