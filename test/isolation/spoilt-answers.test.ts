/**
 * The director as a black box beside servers of every kind whose answers chance has spoilt, each connection by another seed.
 * SPOILT_SECONDS is for how long; SEED where the seeds begin, which is told with a failure.
 */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { packageRoot } from '../../src/system/version.js'
import { FUZZED } from '../fuzz/kinds.js'
import { spoiler, WELL } from '../fuzz/server.js'
import { onCleanup } from '../support/after-each.js'
import { compile } from '../support/compile.js'
import { Director, realsOf, Servers } from './director.js'
import { assertInTime, INTERVAL } from './watch.js'

const SECONDS = Number(process.env.SPOILT_SECONDS ?? 20)
const FIRST_SEED = Number(process.env.SEED ?? Date.now() % 1_000_000_000)
/** Milliseconds between two checks of a spoilt server. */
const OFTEN = 200
const MOST_MEMORY = 300
/** Runs under way at one look and not at the other. */
const DESCRIPTORS = 60

describe('lvsd run beside servers with spoilt answers', function () {
  this.timeout(300_000 + 1000 * SECONDS)

  before(() => compile(packageRoot))

  it(`of all kinds: lives, sees who dies, and keeps who is well (seeds from ${FIRST_SEED})`, async () => {
    let seed = FIRST_SEED
    let asked = 0
    const servers = await Servers.start()
    const services = await Promise.all(
      FUZZED.map(async ({ kind, options, talk }, i) => {
        const server = await spoiler(talk, () => {
          asked++
          return ++seed === WELL ? ++seed : seed
        })
        onCleanup(() => server.close())
        const policy = { interval: `${OFTEN}ms`, timeout: `${OFTEN}ms`, fall: 1, rise: 1 }
        const check = JSON.stringify({ kind, ...options, ...policy })
        return `  spoilt-${i}: { virtual: '[2001:db8::${(0x1000 + i).toString(16)}]:80', check: ${check}, reals: ['[::1]:${server.port} masq'] }\n`
      }),
    )
    const well = [servers.ports.page?.[0], servers.ports.page?.[2]].map(port => `'[::1]:${port} masq'`)
    const check = `{ kind: http, text: OK, interval: ${INTERVAL}ms, timeout: ${INTERVAL}ms, fall: 1, rise: 1 }`
    const site = `  site: { virtual: '[2001:db8::1]:80', check: ${check}, reals: [${well.join(', ')}] }\n`
    const director = await Director.start(site + services.join(''))
    await director.until('all have a verdict', ({ services }) =>
      services.every(({ reals }) => reals.every(({ state }) => state !== 'unknown')),
    )
    const before = { site: realsOf((await director.status()).document, 'site'), fds: director.descriptors }
    let slowest = 0
    for (const end = performance.now() + 1000 * SECONDS; performance.now() < end; await sleep(200)) {
      const { document, ms } = await director.status()
      slowest = Math.max(slowest, ms)
      for (const { reason } of document.services.flatMap(({ reals }) => reals)) {
        assert.ok(reason.length <= 600, `a reason of ${reason.length} characters`)
        assert.doesNotMatch(reason, /\p{Cc}/u)
      }
    }
    const after = { site: realsOf((await director.status()).document, 'site'), fds: director.descriptors }
    for (const i of [0, 1])
      assert.deepEqual([after.site[i]?.state, after.site[i]?.since], ['up', before.site[i]?.since])
    const seen = await director.downAfter(await servers.close('page', 2), 'site', 1)
    assertInTime(seen, 'the dead server')
    assert.ok(slowest < 1000, `status took ${Math.round(slowest)} ms`)
    assert.ok(director.peakMemory < MOST_MEMORY, `${Math.round(director.peakMemory)} MiB`)
    assert.ok(after.fds < before.fds + DESCRIPTORS, `${before.fds} descriptors before, ${after.fds} after`)
    assert.ok(asked > (SECONDS * FUZZED.length * 1000) / OFTEN / 4, `only ${asked} answers`)
    assert.doesNotMatch(director.log, /^(?!\{)./m, 'something else than lvsd writes into its log')
    assert.ok(director.isAlive)
  })
})
