/** What code may do to the worker that it runs in, and that nobody but its server is down for it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporaryFolder } from '../../support/folder.js'
import { checkFile, jobOf, openPool, run, summary } from '../../support/workers/hostile.js'

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
    /^error: mine\.mjs had an uncaught exception: late$/,
  ],
  [
    'has a rejection beside an awaited promise',
    "const a = wait(50); const b = Promise.reject(new Error('beside')); await a; await b",
    /^error: mine\.mjs had an unhandled promise rejection: beside$/,
  ],
  [
    'opens a socket without a listener',
    "connect({ host: '::1', port: 1 }); await wait(500); return up",
    /^error: mine\.mjs had an uncaught exception: connect ECONNREFUSED/,
  ],
  [
    'sends itself a signal',
    "process.kill(process.pid, 'SIGKILL')",
    /^error: mine\.mjs ended its worker: SIGKILL$/,
  ],
  [
    'sends a signal to lvsd',
    "process.kill(process.ppid, 'SIGKILL')",
    /^error: a check must not send signals to lvsd$/,
  ],
  ['ends the process', 'process.abort()', /^error: mine\.mjs called process\.abort\(\)$/],
  [
    'sends lvsd what is no report',
    "const fs = await import('node:fs'); fs.writeSync(4, 'what is this'); await wait(500); return up",
    /^error: mine\.mjs broke the connection of its worker to lvsd, or sent invalid data on it$/,
  ],
  [
    'sends lvsd no end of it',
    "const zeros = Buffer.alloc(1 << 16); const fs = await import('node:fs'); while (true) fs.writeSync(4, zeros)",
    /^error: mine\.mjs (broke the connection of its worker to lvsd, or sent invalid data on it|blocked its thread)/,
  ],
  [
    'tells lvsd of files that it was not asked to load',
    "const fs = await import('node:fs'); const text = JSON.stringify([{ say: 'loaded', module: 'x', problem: null }]); const head = Buffer.alloc(4); head.writeUInt32LE(text.length); fs.writeSync(4, Buffer.concat([head, Buffer.from(text)])); await wait(500); return up",
    /^error: mine\.mjs broke the connection of its worker to lvsd, or sent invalid data on it$/,
  ],
  [
    'starts process after process',
    "for (let i = 0; i < 200; i++) spawn('sleep', ['100'], { stdio: 'ignore' }); await wait(600)",
    /^error: mine\.mjs (held more than \d+ processes|blocked its thread)/,
  ],
  [
    'closes the way to lvsd',
    "const fs = await import('node:fs'); fs.closeSync(4)",
    /^error: a check must not close what it has not opened$/,
  ],
  [
    'ends the sockets of its process',
    'for (const handle of process._getActiveHandles()) handle.destroy?.(); await wait(500); return up',
    /^error: mine\.mjs ended its worker: SIGKILL$/,
  ],
  [
    'throws null where it has removed the guards',
    "process.removeAllListeners('uncaughtException'); setTimeout(() => { throw null }, 5); await wait(500)",
    /^error: mine\.mjs ended its worker: exit code 1$/,
  ],
  [
    'starts a thread of its own',
    "new threads.Worker('while (true) {}', { eval: true })",
    /^error: a check must not start threads$/,
  ],
  [
    'opens file after file',
    "const fs = await import('node:fs'); for (let i = 0; i < 5000; i++) fs.openSync('/dev/null'); await wait(300)",
    /^error: mine\.mjs held more than \d+ files and sockets$/,
  ],
  [
    'opens socket after socket',
    "for (let i = 0; i < 5000; i++) (await import('node:dgram')).createSocket('udp6').bind(0, '::1'); await wait(600)",
    /^error: mine\.mjs held more than \d+ files and sockets$/,
  ],
  ['never settles', 'await new Promise(() => {})', /^timeout: no answer within 700 ms$/],
]

describe('culprits: a worker', function () {
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
      // V8 ends a process where one step needs more than the limit of its heap leaves.
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
      // Where processors are scarce it has not taken as much within 500 ms.
      assert.match(
        summary(culprit),
        /^error: mine\.mjs (used more than (80|160) MB of memory|blocked its thread for more than 500 ms)$/,
      )
      assert.equal(summary(await neighbour), 'up')
      assert.ok(most < 60e6, `${worst}: ${Math.round(most / 1e6)} MB more`)
      await pool.close()
    }
  })

  it('keeps no other worker from loading while it reads what nobody writes', async () => {
    const fifo = join(temporaryFolder(), 'fifo')
    execFileSync('mkfifo', [fifo])
    const { pool } = openPool()
    const reads = `for (let i = 0; i < 8; i++) readFile('${fifo}', () => {}); await wait(5000)`
    const file = checkFile(reads, "import { readFile } from 'node:fs'")
    const culprit = run(pool, jobOf(file, { bad: true }), 700)
    await new Promise(resolve => setTimeout(resolve, 300))
    const shipped = checkFile(
      '',
      "import { readFile } from 'node:fs/promises'\nawait readFile('/proc/self/stat')",
    )
    assert.equal(summary(await run(pool, jobOf(shipped, {}, 'shipped'))), 'up')
    assert.equal(summary(await culprit), 'timeout: no answer within 700 ms')
  })

  it('is ended for memory outside of its heap, and for memory that no heap counts', async () => {
    for (const bytes of [
      'Buffer.alloc(1 << 20, 1)',
      'new Uint8Array(new SharedArrayBuffer(1 << 20)).fill(1)',
    ]) {
      const { pool } = openPool()
      const file = checkFile(`const all = []; while (true) { all.push(${bytes}); await wait(0) }`)
      await run(pool, jobOf(file))
      const culprit = await run(pool, jobOf(file, { bad: true }), 5000)
      assert.match(summary(culprit), /mine\.mjs used more than (80|160) MB of memory/)
      await pool.close()
    }
  })
})
