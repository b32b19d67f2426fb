import assert from 'node:assert/strict'
import { versionIn } from '../../../../src/cluster/redis/version-in.js'

describe('the version of Redis', () => {
  const cases: readonly [answer: unknown, version: string | null][] = [
    [['server', 'redis', 'version', '7.0.15', 'proto', 2], '7.0.15'],
    [['server', 'valkey', 'version', '8.1.1'], 'Valkey 8.1.1'],
    [['version', '6.0.16'], '6.0.16'],
    [['mode', 'version', 'x', 'y'], null],
    [['server', 'redis', 'version', 7], null],
    [['server', 'redis', 'version', '7.0\n\u001b[2J'], null],
    [['server', 'redis', 'version', '7'.repeat(1000)], null],
    [['server', 'a b', 'version', '7.0'], '7.0'],
    ['OK', null],
  ]
  for (const [answer, version] of cases)
    it(`is ${version} in ${JSON.stringify(answer).slice(0, 60)}`, () => {
      assert.equal(versionIn(answer), version)
    })
})
