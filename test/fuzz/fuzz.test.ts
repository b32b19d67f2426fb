import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { mutated } from './mutate.js'
import { READERS, readSpoilt } from './parsers.js'
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

  for (const kind of READERS)
    it(`are read in time by the reader of ${kind}`, function () {
      this.timeout(120_000)
      const seeds = Array.from({ length: 2000 }, (_, seed) => seed + 1)
      // What was late once may have had to wait for others.
      const faults = readSpoilt(kind, seeds, 250).filter(
        fault =>
          !/ms for/.test(fault) || readSpoilt(kind, [Number(/seed (\d+)/.exec(fault)?.[1])], 250).length > 0,
      )
      assert.deepEqual(faults, [])
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
