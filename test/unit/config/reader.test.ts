import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfigApart } from '../../../src/config/load-apart.js'
import { BOUNDS, keepReader, openReaderEarly, readerFor, SMALL } from '../../../src/config/reader.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

/** Returns the path of a configuration with one service, and a comment of this length. */
function configWith(comment: number): string {
  const file = join(temporaryFolder(), 'lvsd.yaml')
  const service = "virtual: '192.0.2.80:80', check: connect, reals: ['192.0.2.1:80 masq']"
  writeFileSync(file, `services: { web: { ${service} } }\n#${'x'.repeat(comment)}\n`)
  return file
}

describe('reader: the thread that reads configurations', () => {
  it('is opened early for a long file, and reads it', async () => {
    const file = configWith(SMALL)
    assert.equal(openReaderEarly(file), true)
    const early = readerFor(BOUNDS)
    keepReader(early)
    const { config, problems } = await loadConfigApart(file)
    assert.deepEqual([config?.services.length, problems], [1, []])
    // After a long file its memory is given back.
    await until(() => early.isEnded)
  })

  it('is not opened early for a small file', () => {
    assert.equal(openReaderEarly(configWith(1)), false)
  })

  it('is another one after it has ended', async () => {
    const file = configWith(SMALL)
    openReaderEarly(file)
    const early = readerFor(BOUNDS)
    keepReader(early)
    early.end()
    await until(() => early.isEnded)
    assert.equal((await loadConfigApart(file)).config?.services.length, 1)
  })
})
