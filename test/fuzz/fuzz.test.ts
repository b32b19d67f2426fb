import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { mutated } from './mutate.js'
import { READERS, readSpoilt } from './parsers.js'
import { Chance } from './random.js'

/** Spoilt answers for each kind: in CI two minutes' worth of them in all. */
const CASES = process.env.CI === 'true' ? 1000 : 60
/** Milliseconds for all kinds, on a machine that has other work. */
const LIMIT = CASES * 300 + 200_000

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

  // `npm run fuzz` takes as many as wanted.
  it(`end no check late, leave nothing behind, and stop nothing: ${CASES} for each kind`, function () {
    this.timeout(LIMIT + 10_000)
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...FUZZ, '--cases', String(CASES), '--seed', '1'],
      { encoding: 'utf8', timeout: LIMIT, env: { ...process.env, AT_ONCE: '64' } },
    )
    assert.equal(status, 0, `${stdout}\n${stderr}`)
    assert.ok(stdout.split('\n').length > 25, stdout)
  })
})
