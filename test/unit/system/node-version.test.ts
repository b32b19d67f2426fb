import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { whyTooOld } from '../../../src/system/node-version.js'

describe('node-version: the version of Node', () => {
  for (const [version, isOld] of [
    ['18.20.8', true],
    ['20.9.0', true],
    ['20.18.3', true],
    ['20.19.0', false],
    ['22.0.0', false],
    ['26.1.0', false],
  ] as const)
    it(`${version} ${isOld ? 'is too old, which is told' : 'will do'}`, () => {
      assert.match(
        whyTooOld(version) ?? 'fine',
        isOld ? /^this is Node\.js .* lvsd needs 20\.19 or later$/ : /^fine$/,
      )
    })

  it('is the one that the package asks for', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
    assert.equal(engines.node, '>=20.19')
  })
})
