/** Whatever code does in a worker: its server is down for it, and nobody else's. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check } from '../../../src/check/check.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { descendantsOf } from '../../../src/system/process-files.js'
import { temporaryFolder } from '../../support/folder.js'
import { targetOf } from '../../support/probe.js'
import {
  checkFile,
  eventually,
  jobOf,
  openPool,
  run,
  slowClock,
  summary,
} from '../../support/workers/hostile.js'

/** The command line of a worker. */
const WORKER = /^lvsd: checks/

describe('pool: a worker', function () {
  this.timeout(60_000)

  it('is not ended for what it prints, which is dropped', async () => {
    const { pool, told } = openPool()
    const file = checkFile(
      "for (let i = 0; i < 10_000; i++) console.log('x'.repeat(1000)); await wait(100); return up",
    )
    const result = await run(pool, jobOf(file, { bad: true }), 5000)
    assert.equal(summary(result), 'up')
    const [line] = told.filter(({ message }) => message === 'a check prints output, which lvsd discards')
    assert.ok(line && Number(line.fields.bytes) > 0)
  })

  it('finds who throws after an answer, and asks more rarely', async () => {
    const { pool, told } = openPool(slowClock().clock)
    const file = checkFile("setTimeout(() => { throw new Error('late') }, 50); return up")
    const bad = jobOf(file, { bad: true })
    const good = jobOf(file)
    assert.equal(summary(await run(pool, bad)), 'up')
    await eventually(() => told.find(({ level }) => level === 'error') ?? null)
    assert.equal(summary(await run(pool, good)), 'up')
    assert.match(
      summary(await run(pool, bad)),
      /^error: mine\.mjs had an uncaught exception after its answer: late; lvsd runs it again in [12] s$/,
    )
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
    assert.match(
      summary(await run(pool, bad)),
      /^error: mine\.mjs had an uncaught exception after its answer: late/,
    )
    const culprits = told.filter(({ message }) => message === 'a check harms its worker')
    // Asked again, where that took a while.
    assert.ok(culprits.length === 1 || culprits.length === 2, `${culprits.length} times`)
  })

  it('forgives who behaves again', async () => {
    const { clock, skip } = slowClock()
    const { pool, told } = openPool(clock)
    const file = checkFile('process.exit(1)')
    const job = { ...jobOf(file), options: { bad: true } as { bad: boolean } }
    assert.equal((await run(pool, job)).reason, 'error')
    const { detail } = await run(pool, job)
    assert.match(detail, /lvsd runs it again in [12] s$/)
    skip(2100)
    assert.match((await run(pool, job)).detail, /called process\.exit\(1\)$/)
    assert.match((await run(pool, job)).detail, /lvsd runs it again in [34] s$/)
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

  it('takes the processes with it that its code has started by itself', async () => {
    const { pool } = openPool()
    const note = join(temporaryFolder(), 'pid')
    const file = checkFile(
      `spawn('/bin/sh', ['-c', 'echo $$ > ${note}; exec sleep 60'], { detached: options.apart }); await wait(60_000)`,
    )
    for (const apart of [false, true]) {
      writeFileSync(note, '')
      const job = jobOf(file, { bad: true })
      const underWay = pool.start({ ...job, options: { bad: true, apart } }, 60_000, () => {})
      const pid = await eventually(() => Number(readFileSync(note, 'utf8')) || null)
      underWay.cancel()
      pool.forget(job.id)
      await eventually(() => (existsSync(`/proc/${pid}`) ? null : true))
    }
  })

  it('is ended in the middle of a system call, and what asked for that is known', async () => {
    const { pool } = openPool()
    const fifo = join(temporaryFolder(), 'fifo')
    execFileSync('mkfifo', [fifo])
    // Opening it to read waits for somebody who writes.
    const file = checkFile(`openSync('${fifo}', 'r')`, "import { openSync } from 'node:fs'")
    const jobs = Array.from({ length: 4 }, () => jobOf(file, { bad: true }))
    for (const result of await Promise.all(jobs.map(job => run(pool, job, 10_000))))
      assert.equal(summary(result), 'error: mine.mjs blocked its thread for more than 500 ms')
    assert.equal(summary(await run(pool, jobOf(file))), 'up')
  })

  it('is not charged to a run whose answer ends a standstill of its worker', async () => {
    const { pool } = openPool()
    // The end of a child process is reported by the kernel, so the answer is sent before the beat measures the standstill.
    const file = checkFile(
      "await new Promise(end => spawn('/bin/sleep', ['0.4']).once('exit', end)); return up",
    )
    await run(pool, jobOf(file, {}, 'shipped'))
    const isWorker = (pid: number) => WORKER.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    const pid = await eventually(() => descendantsOf(process.pid).find(isWorker) ?? null)
    const underWay = run(pool, jobOf(file, { bad: true }, 'shipped'), 1000)
    await eventually(() => descendantsOf(pid).length > 0 || null)
    process.kill(pid, 'SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, 1500))
    process.kill(pid, 'SIGCONT')
    const result = await underWay
    assert.equal(summary(result), 'up')
    assert.ok(result.ms < 1000, `${result.ms} ms`)
  })

  it('holds nothing against a server whose shipped check was running as somebody killed its worker', async () => {
    const { pool } = openPool()
    const file = checkFile('')
    const isWorker = (pid: number) => WORKER.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
    const underWay = run(pool, jobOf(file, { takes: 500 }, 'shipped'), 10_000)
    for (let i = 0; i < 3; i++) {
      const pid = await eventually(() => descendantsOf(process.pid).find(isWorker) ?? null)
      await new Promise(resolve => setTimeout(resolve, 300))
      process.kill(pid, 'SIGKILL')
      await eventually(() => (existsSync(`/proc/${pid}`) ? null : true))
    }
    assert.equal(summary(await underWay), 'up')
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
