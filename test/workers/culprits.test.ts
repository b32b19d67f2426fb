/** What code may do to the thread that it runs in, and that nobody but its server is down for it. */
import assert from 'node:assert/strict'
import { checkFile, jobOf, openPool, run, summary } from './hostile.js'

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
  [
    'sends lvsd what is no report',
    'for (const port of ports()) port.postMessage(7); await wait(500); return up',
    /^error: mine\.mjs disturbed what its thread tells lvsd$/,
  ],
  [
    'closes the way to lvsd',
    'for (const port of ports()) port.close(); await wait(500); return up',
    /^error: mine\.mjs disturbed what its thread tells lvsd$/,
  ],
  [
    'throws null where it has removed the guards',
    "process.removeAllListeners('uncaughtException'); setTimeout(() => { throw null }, 5); await wait(500)",
    /^error: mine\.mjs (called process\.exit|threw)/,
  ],
  [
    'starts a thread of its own',
    "new threads.Worker('while (true) {}', { eval: true })",
    /^error: a check must not start threads$/,
  ],
  [
    "changes V8's flags",
    "const v8 = await import('node:v8'); v8.setFlagsFromString('--stack-size=1')",
    /^error: a check must not change V8's flags$/,
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
  [
    'closes a descriptor that is not its own',
    "const fs = await import('node:fs'); fs.closeSync(0)",
    /^error: a check must not close what it has not opened$/,
  ],
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
      // Where processors are scarce it has not taken as much within 500 ms.
      assert.match(
        summary(culprit),
        /^error: mine\.mjs (used more than 80 MB of memory|blocked its thread for more than 500 ms)$/,
      )
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
})
