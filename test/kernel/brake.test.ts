/** What keeps lvsd from emptying a table for a fault that is not the servers': its own isolation, and panic. */
import assert from 'node:assert/strict'
import { pause } from '../support/until.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'

const WEB = 'tcp [fc00::80]:80'
const SERVERS = [11, 12]

const config = (more = '') => `
settings: { resync: 1s }
defaults: { check: { kind: http, interval: 500ms, timeout: 400ms, fastinter: 200ms, fall: 2 } }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: [${SERVERS.map(n => `'[fc00::${n}]:80 masq 5'`).join(', ')}]
    ${more}
`
const table = (...servers: readonly number[]) => ({
  [WEB]: Object.fromEntries(servers.map(n => [`[fc00::${n}]:80`, 'masq 5'])),
})
const told = (lvsd: Lvsd, event: string) => lvsd.lines.filter(line => line.event === event)

describe('isolation', () => {
  before(() =>
    buildSite(
      ['fc00::80'],
      SERVERS.map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    ),
  )
  beforeEach(freshDirector)

  it('keeps the table while the link of the director is down, logs it once, and failures count again afterwards', async () => {
    const servers = SERVERS.map(n => startRealServer(`r${n}`))
    const lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table(...SERVERS))
    const ports = ['client', ...SERVERS.map(n => `r${n}`)]
    const watcher = watchTable('director')
    ip(
      DIRECTOR,
      ports.map(port => `link set ${port} down`),
    )
    await lvsd.hears('lvsd is isolated')
    await pause(2000)
    const { isolation, totals } = await lvsd.status()
    assert.match(isolation?.detail ?? '', /interface lan is down/)
    assert.equal(totals.up, 2)
    ip(
      DIRECTOR,
      ports.map(port => `link set ${port} up`),
    )
    await lvsd.hears('no longer isolated')
    await pause(1500)
    assert.deepEqual(watcher.take(), [])
    assert.equal(told(lvsd, 'director.isolated').length, 1)
    assert.equal(told(lvsd, 'director.connected').length, 1)
    assert.equal((await lvsd.status()).isolation, null)
    servers[0]?.kill()
    await tableBecomes(table(12))
    // Frozen: no answer, no refusal.
    ip('r12', ['link set eth0 down'])
    await tableBecomes({ [WEB]: {} })
    ip('r12', ['link set eth0 up'])
  })
})
