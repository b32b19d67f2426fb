/** Kills lvsd. After the restart one answer of a server is lost. */
import assert from 'node:assert/strict'
import { pause } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { randomFrom } from './site/random.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'

const SEED = Number(process.env.SEED ?? 20_261_122)
/** Number of kills, each with a lost answer. LOSSES=200 for a long run. */
const LOSSES = Number(process.env.LOSSES ?? 5)

const WEB = 'tcp [fc00::80]:80'
const web = [11, 12, 13]

describe('kill -9 and a lost answer', () => {
  before(async () => {
    await buildSite(
      ['fc00::80'],
      web.map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })
  beforeEach(freshDirector)

  it(`${LOSSES} times in a row: no healthy server is removed`, async function () {
    this.timeout(120_000 + LOSSES * 60_000)
    const random = randomFrom(SEED)
    const servers = web.map(n => startRealServer(`r${n}`))
    const config = writeConfig(`
defaults: { check: { kind: http, interval: 2s, timeout: 1500ms, fastinter: 200ms, fall: 3 } }
services: { web: { virtual: '[fc00::80]:80', reals: [${web.map(n => `'[fc00::${n}]:80 masq ${n}'`).join(', ')}] } }
`)
    const whole = { [WEB]: Object.fromEntries(web.map(n => [`[fc00::${n}]:80`, `masq ${n}`])) }
    const first = await startLvsd(config)
    await tableBecomes(whole)
    await first.kill()
    const watcher = watchTable('director', () => {})
    for (let loss = 0; loss < LOSSES; loss++) {
      const server = servers[Math.floor(random() * servers.length)] as RealServer
      server.failOnce(random() < 0.5 ? 'error' : 'silent')
      const asked = servers.map(({ requests }) => requests)
      const lvsd = await startLvsd(config)
      // Wait for the lost answer and the next one.
      const isAsked = () => servers.every((each, i) => each.requests > (asked[i] ?? 0) + 1)
      for (let i = 0; i < 400 && !isAsked(); i++) await pause(50)
      assert.ok(isAsked(), 'each server has been asked twice')
      await pause(random() * 200)
      await lvsd.kill()
    }
    assert.deepEqual(
      watcher.seen.map(({ change }) => change),
      [],
    )
    await tableBecomes(whole, 0)
  })
})
