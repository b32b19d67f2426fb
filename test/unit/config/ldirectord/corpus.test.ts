/**
 * Real files beside the models that the real parser makes of them. They belong to others, so they are read where they
 * lie and left out where they do not.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../../../src/config/load.js'
import type { Model } from '../../../support/config/ldirectord-model.js'
import type { Verdict } from '../../../support/config/ldirectord-parser.js'
import { afterImport, loadCf } from '../../../support/config/ldirectord-site.js'
import { newTally, weigh } from '../../../support/config/ldirectord-weigh.js'

const CORPUS = fileURLToPath(new URL('../../../../../shared/corpus/ldirectord/', import.meta.url))

/** A case of the grammar: a small file and what the real parser says of it. The text is of bytes. */
interface GrammarCase extends Verdict {
  readonly name: string
  readonly text: string
}

describe('corpus: real files of ldirectord', () => {
  before(function () {
    if (!existsSync(CORPUS)) this.skip()
  })

  it('become what the real parser makes of them', async () => {
    const tally = newTally()
    for (const file of readdirSync(`${CORPUS}golden`)) {
      const model = JSON.parse(readFileSync(`${CORPUS}golden/${file}`, 'utf8')) as Model
      const loaded = await loadConfig(`${CORPUS}${file.replace(/json$/, 'cf')}`)
      weigh(file, { rc: 0, messages: [], model }, loaded, tally)
    }
    assert.deepEqual(tally.different, [])
    assert.ok(tally.equal > 1000)
  })

  it('agree with the real parser on every case of the grammar', async () => {
    const cases = JSON.parse(readFileSync(`${CORPUS}grammar-cases.json`, 'utf8')) as GrammarCase[]
    const tally = newTally()
    for (const { name, text, ...verdict } of cases) {
      const loaded = await loadConfig('case.cf', { text: Buffer.from(text, 'latin1').toString('utf8') })
      weigh(name, verdict, loaded, tally)
    }
    assert.deepEqual(tally.different, [])
    assert.ok(tally.equal > 1000)
  })

  it('are the same configuration after an import', async () => {
    let imported = 0
    for (const file of readdirSync(CORPUS).filter(name => name.endsWith('.cf'))) {
      const loaded = await loadCf(readFileSync(`${CORPUS}${file}`, 'utf8'))
      if (!loaded.config) continue
      assert.deepEqual(await afterImport(loaded), loaded.config, file)
      imported++
    }
    assert.ok(imported > 40)
  })
})
