import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { loadConfig } from '../../../src/config/load.js'

const FOLDER = new URL('../../fixtures/broken/', import.meta.url).pathname

describe('broken: one mistake', () => {
  for (const name of readdirSync(FOLDER).sort()) {
    it(`is told once, with code and place: ${name.replace('.yaml', '').replaceAll('-', ' ')}`, async () => {
      const { problems, config, text } = await loadConfig(FOLDER + name)
      const [, code, place] = /^# (\w+) (\d+:\d+)$/m.exec(text) ?? []
      const found = problems.map(problem => `${problem.code} ${problem.at.line}:${problem.at.column}`)
      assert.deepEqual(found, [`${code} ${place}`])
      const isError = problems[0]?.severity === 'error'
      assert.equal(
        config === null,
        isError,
        'a Config where nothing is an error, and none where something is',
      )
    })
  }
})
