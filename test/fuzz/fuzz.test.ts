import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../src/version.js'
import { mutated } from './mutate.js'
import { Chance } from './random.js'

const FUZZ = ['--import', 'tsx', join(packageRoot, 'test/fuzz/main.ts')]

describe('spoilt answers', () => {
  it('are the same for the same seed', () => {
    const answer = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const spoil = (seed: number) => mutated(answer, new Chance(seed), [answer])
    for (let seed = 0; seed < 500; seed++) assert.deepEqual(spoil(seed), spoil(seed))
    const all = new Set(Array.from({ length: 500 }, (_, seed) => spoil(seed).toString('hex')))
    assert.ok(all.size > 400, `${all.size} of 500 differ`)
  })

  // A few of them each time; `npm run fuzz` takes as many as wanted.
  it('end no check late, leave nothing behind, and stop nothing', function () {
    this.timeout(240_000)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...FUZZ, '--cases', '60', '--seed', '1'],
      {
        encoding: 'utf8',
        timeout: 230_000,
      },
    )
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    assert.ok(stdout.split('\n').length > 25, stdout)
  })
})
