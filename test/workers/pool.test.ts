/** Whatever code does in a worker: its server is down for it, and nobody else's. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../../src/check.js'
import { z } from '../../src/config/fields.js'
import { loadChecks } from '../../src/load-checks.js'
import type { CheckResult } from '../../src/model.js'
import { optionKit } from '../../src/options.js'
import { temporaryFolder } from '../helpers/folder.js'
import { targetOf } from '../helpers/probe.js'
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

  it('is ended for memory that is taken in one go, long before the process has none', async () => {
    for (const worst of [
      'const all = []; while (true) all.push(new Array(10_000).fill({}))',
      // V8 ends the process where one step needs more than the limit of its heap leaves.
      'const all = []; while (true) all.push(1)',
      'const all = []; while (true) all.push(Buffer.alloc(1 << 20, 1))',
    ]) {
      const { pool } = openPool()
      const file = checkFile(worst)
      await run(pool, jobOf(file))
      const before = process.memoryUsage.rss()
      let most = 0
      const timer = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss() - before)
      }, 10)
      const neighbour = run(pool, jobOf(file, { takes: 300 }), 700)
      const culprit = await run(pool, jobOf(file, { bad: true, takes: 30 }), 700)
      clearInterval(timer)
      assert.match(summary(culprit), /^error: mine\.mjs used more than 80 MB of memory$/)
      assert.equal(summary(await neighbour), 'up')
      assert.ok(most < 400e6, `${worst}: ${Math.round(most / 1e6)} MB more`)
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
    assert.match(summary(await run(pool, bad)), /^error: mine\.mjs threw after its answer: late/)
    const errors = new Set(told.filter(({ level }) => level === 'error').map(({ message }) => message))
    assert.deepEqual([...errors], ['a check harms its worker'])
  })

  it('finds who throws late where nothing tells runs from each other', async () => {
    const { pool, told } = openPool()
    const file = checkFile("setTimeout(() => { throw new Error('late') }, 20); return up")
    const bad = jobOf(file, { bad: true }, 'shipped')
    await run(pool, bad)
    const good = [0, 60, 200].map(takes => run(pool, jobOf(file, { takes }, 'shipped')))
    assert.deepEqual((await Promise.all(good)).map(summary), ['up', 'up', 'up'])
    assert.match(summary(await run(pool, bad)), /^error: mine\.mjs threw after its answer: late/)
    const culprits = told.filter(({ message }) => message === 'a check harms its worker')
    assert.equal(culprits.length, 1)
  })

  it('forgives who behaves again', async () => {
    const { pool, told } = openPool()
    const file = checkFile('process.exit(1)')
    const job = { ...jobOf(file), options: { bad: true } as { bad: boolean } }
    assert.equal((await run(pool, job)).reason, 'error')
    const { detail } = await run(pool, job)
    assert.match(detail, /it is asked again in [12] s$/)
    await new Promise(resolve => setTimeout(resolve, 2100))
    assert.match((await run(pool, job)).detail, /called process\.exit\(1\)$/)
    assert.match((await run(pool, job)).detail, /it is asked again in [34] s$/)
    assert.equal(told.filter(({ message }) => message === 'a check harms its worker').length, 2)
  })

  it('is replaced when runs that were given up pile up in it, and harms nobody by that', async () => {
    const { pool, told } = openPool()
    const file = checkFile('await new Promise(() => {})')
    const bad = Array.from({ length: 40 }, () => run(pool, jobOf(file, { bad: true }), 50))
    for (const { reason } of await Promise.all(bad)) assert.equal(reason, 'timeout')
    const good = jobOf(file, { takes: 300 })
    for (let i = 0; i < 25; i++) assert.equal(summary(await run(pool, good)), 'up')
    assert.ok(told.some(({ message }) => message === 'a worker for checks is not needed any more'))
  })

  it('leaves nothing behind when it is ended: no command, no thread, no descriptor', async () => {
    const count = (folder: string) => readdirSync(`/proc/self/${folder}`).length
    const file = checkFile('')
    const warm = openPool()
    await run(warm.pool, jobOf(file))
    await warm.pool.close()
    const before = { threads: count('task'), descriptors: count('fd') }
    for (let i = 0; i < 3; i++) {
      const { pool } = openPool()
      await run(pool, jobOf(file))
      const underWay = pool.start(jobOf(file, { takes: 5000 }), 10_000, () => {})
      await new Promise(resolve => setTimeout(resolve, 50))
      underWay.cancel()
      await pool.close()
    }
    await new Promise(resolve => setTimeout(resolve, 200))
    assert.ok(count('task') <= before.threads, `${count('task')} threads, ${before.threads} before`)
    assert.ok(
      count('fd') <= before.descriptors + 1,
      `${count('fd')} descriptors, ${before.descriptors} before`,
    )
  })

  it('takes the commands with it that it has under way', async () => {
    const { pool } = openPool()
    const note = join(temporaryFolder(), 'pid')
    const { checks } = await loadChecks()
    const check = checks.get('external') as Check
    const raw = { checkcommand: '/bin/sh', arguments: ['-c', `echo $$ > ${note}; exec sleep 60`] }
    const options = z.strictObject(check.options(optionKit)).parse(raw)
    const underWay = pool.start({ id: 'slow', check, target: targetOf(9), options }, 60_000, () => {})
    const pid = await eventually(() => Number(readFileSync(note, 'utf8')) || null)
    await pool.close()
    await eventually(() => (existsSync(`/proc/${pid}`) ? null : true))
    underWay.cancel()
  })

  it('says nothing of a server where a file of lvsd does not load', async () => {
    const { pool, told } = openPool()
    const file = checkFile('', "throw new Error('broken')")
    const shipped = await run(pool, jobOf(file, {}, 'shipped'))
    assert.deepEqual([shipped.ok, shipped.reason], [null, 'no-verdict'])
    assert.match(shipped.detail, /mine\.mjs cannot be loaded: broken$/)
    const own = await run(pool, jobOf(file))
    assert.deepEqual([own.ok, own.reason], [false, 'error'])
    assert.ok(told.some(({ message }) => message === 'a worker for checks cannot be used'))
  })

  it('runs a work once, with its phases', async () => {
    const { pool } = openPool()
    const { phases, ok, phase } = await pool.once(jobOf(checkFile(''), { takes: 20 }), 2000)
    assert.deepEqual(
      [ok, phase, phases.map(time => time.phase)],
      [true, 'first byte', ['connect', 'first byte']],
    )
  })
})

/** What `look` finds, once it finds something. */
async function eventually<T>(look: () => T | null): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = (() => {
      try {
        return look()
      } catch {
        return null
      }
    })()
    if (found !== null) return found
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error('it does not happen')
}
