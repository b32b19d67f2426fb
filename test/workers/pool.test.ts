/** Whatever code does in a worker: its server is down for it, and nobody else's. */
import assert from 'node:assert/strict'
import type { CheckResult } from '../../src/model.js'
import { checkFile, jobOf, openPool, run } from './hostile.js'

function summary({ ok, reason, detail }: CheckResult): string {
  return ok ? 'up' : `${reason}: ${detail.replace(/\/\S+\//, '')}`
}

const CULPRITS: readonly (readonly [what: string, worst: string, told: RegExp])[] = [
  ['blocks its thread', 'while (true) {}', /^error: mine\.mjs blocked its thread for more than 500 ms$/],
  [
    'blocks in a regular expression',
    "return /^(a|a)*b$/.test('a'.repeat(40)) ? up : up",
    /^error: mine\.mjs blocked its thread/,
  ],
  [
    'blocks by waiting',
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    /^error: mine\.mjs blocked its thread/,
  ],
  ['exits', 'process.exit(0)', /^error: mine\.mjs called process\.exit\(0\)$/],
  ['exits without a code', 'process.reallyExit()', /^error: mine\.mjs called process\.exit\(\)$/],
  [
    'throws in an event',
    "setTimeout(() => { throw new Error('late') }, 20); await wait(1000)",
    /^error: mine\.mjs threw where nothing catches it: late$/,
  ],
  [
    'has a rejection beside an awaited promise',
    "const a = wait(50); const b = Promise.reject(new Error('beside')); await a; await b",
    /^error: mine\.mjs left a promise rejected: beside$/,
  ],
  [
    'opens a socket without a listener',
    "connect({ host: '::1', port: 1 }); await wait(500); return up",
    /^error: mine\.mjs threw where nothing catches it: connect ECONNREFUSED/,
  ],
  [
    'sends itself a signal',
    "process.kill(process.pid, 'SIGKILL')",
    /^error: a check must not send signals to lvsd$/,
  ],
  ['ends the process', 'process.abort()', /^error: process\.abort\(\) is not supported in workers/],
  ['changes the folder', "process.chdir('/')", /^error: process\.chdir\(\) is not supported in workers/],
  ['never settles', 'await new Promise(() => {})', /^timeout: no answer within 700 ms$/],
]

describe('a worker', function () {
  this.timeout(60_000)

  for (const [what, worst, told] of CULPRITS)
    it(`is down for a check that ${what}; its neighbours are up`, async () => {
      const { pool } = openPool()
      const file = checkFile(worst)
      // It is warm, so that all of them are in one worker.
      assert.equal(summary(await run(pool, jobOf(file))), 'up')
      const good = [0, 100, 300, 400].map(takes => run(pool, jobOf(file, { takes }), 700))
      const culprit = await run(pool, jobOf(file, { bad: true, takes: 30 }), 700)
      assert.deepEqual(
        (await Promise.all(good)).map(summary),
        good.map(() => 'up'),
      )
      assert.match(summary(culprit), told)
    })

  it('is ended for memory that its heap takes in one go', async () => {
    for (const worst of [
      'const all = []; while (true) all.push(new Array(10_000).fill({}))',
      'const all = []; while (true) all.push(1)',
      'const all = new Map(); let i = 0; while (true) all.set(i++, i)',
      'const all = []; while (true) all.push(Buffer.alloc(1 << 20, 1))',
      'const all = []; while (true) all.push(new Array(1e8).fill(0))',
      "let all = 'x'; while (true) all += all + String(Math.random()).repeat(100)",
    ]) {
      const { pool } = openPool()
      const file = checkFile(worst)
      await run(pool, jobOf(file))
      const good = [0, 300].map(takes => run(pool, jobOf(file, { takes }), 700))
      const before = process.memoryUsage.rss()
      let most = 0
      const timer = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss() - before)
      }, 10)
      const culprit = await run(pool, jobOf(file, { bad: true, takes: 30 }), 700)
      clearInterval(timer)
      console.log(worst, summary(culprit), Math.round(most / 1e6), 'MB')
      assert.deepEqual((await Promise.all(good)).map(summary), ['up', 'up'])
      await pool.close()
    }
  })

  it('is ended for memory outside of its heap', async () => {
    const { pool } = openPool()
    const file = checkFile(
      'const all = []; while (true) { all.push(Buffer.alloc(1 << 20, 1)); await wait(0) }',
    )
    await run(pool, jobOf(file))
    const culprit = await run(pool, jobOf(file, { bad: true }), 5000)
    assert.match(summary(culprit), /mine\.mjs used more than 80 MB of memory/)
  })

  it('is not ended for what it prints, which is dropped', async () => {
    const { pool, told } = openPool()
    const file = checkFile(
      "for (let i = 0; i < 10_000; i++) console.log('x'.repeat(1000)); await wait(100); return up",
    )
    const result = await run(pool, jobOf(file, { bad: true }), 5000)
    assert.equal(summary(result), 'up')
    const [line] = told.filter(({ message }) => message === 'a check prints, which nobody reads')
    assert.ok(line && Number(line.fields.bytes) > 0)
  })

  it('finds who throws after an answer, and asks more rarely', async () => {
    const { pool, told } = openPool()
    const file = checkFile("setTimeout(() => { throw new Error('late') }, 50); return up")
    const bad = jobOf(file, { bad: true })
    const good = jobOf(file)
    assert.equal(summary(await run(pool, bad)), 'up')
    await new Promise(resolve => setTimeout(resolve, 300))
    assert.equal(summary(await run(pool, good)), 'up')
    assert.match(
      summary(await run(pool, bad)),
      /^error: mine\.mjs threw after its answer: late; it is asked again in [12] s$/,
    )
    assert.deepEqual(
      told.filter(({ level }) => level === 'error').map(({ message }) => message),
      ['a check harms its worker'],
    )
  })
})
