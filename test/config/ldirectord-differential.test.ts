/** Random ldirectord.cf files, read by lvsd and by the real ldirectord's own parser. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { programOr } from '../checks/_programs.js'
import { mutated, NAMES, type Random, randomFile, randomFrom } from './ldirectord-cases.js'
import { parseWithLdirectord } from './ldirectord-parser.js'
import { afterImport, loadCf } from './ldirectord-site.js'
import { newTally, tableOf, weigh } from './ldirectord-weigh.js'

/** Other files by another SEED, more of them by FILES. */
const SEED = Number(process.env.SEED ?? 20_261_122)
const FILES = Number(process.env.FILES ?? 500)

/** They belong to others, and are left out where they are not. */
const CORPUS = new URL('../../../shared/corpus/ldirectord/', import.meta.url)
const REAL_FILES = existsSync(CORPUS)
  ? readdirSync(CORPUS)
      .filter(name => name.endsWith('.cf'))
      .map(name => readFileSync(new URL(name, CORPUS), 'utf8'))
  : []

function oneOf(files: readonly string[], random: Random): string {
  return files[Math.floor(random() * files.length)] ?? ''
}

describe('the parser of the real ldirectord', () => {
  let program = ''
  before(function () {
    this.timeout(60_000)
    program = programOr(() => this.skip(), 'ldirectord', 'ldirectord')
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
      console.log(`    seed      ${SEED}, ${files.length} files, ${imported} imported\n${tableOf(tally)}`)
      assert.equal(tally.different.slice(0, 5).join('\n'), '')
      assert.ok(imported > files.length / 10)
    })
})

/** Of a file with a range of thousands of servers. */
const TOO_LONG = 254
