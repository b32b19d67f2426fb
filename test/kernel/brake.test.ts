/** What keeps lvsd from emptying a table for a fault that is not the servers': its own isolation, and panic. */
import assert from 'node:assert/strict'
import { pause, until } from '../support/until.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { DIRECTOR, ip, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'
import { webSite, webTable, whyOf } from './site/web.js'

const SERVERS = [11, 12, 13, 14]

/** A long time limit: a busy machine must not make a server fail. */
const config = (more = '', timeout = '3s') => `
settings: { resync: 1s }
defaults: { check: { kind: http, interval: 500ms, timeout: ${timeout}, fastinter: 200ms, fall: 2 } }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: [${SERVERS.map(n => `'[fc00::${n}]:80 masq 5'`).join(', ')}]
    ${more}
`
const table = (...servers: readonly number[]) => webTable(Object.fromEntries(servers.map(n => [n, 5])))
const told = (lvsd: Lvsd, event: string) => lvsd.lines.filter(line => line.event === event)

describe('isolation', () => {
  const web = webSite(SERVERS)

  it('keeps the table while the link of the director is down, logs it once, and failures count again afterwards', async () => {
    const lvsd = await startLvsd(writeConfig(config('', '1s')))
    await tableBecomes(table(...SERVERS))
    const ports = ['client', ...SERVERS.map(n => `r${n}`)]
    const watcher = watchTable('director')
    ip(
      DIRECTOR,
      ports.map(port => `link set ${port} down`),
    )
    await lvsd.hears('lvsd is isolated')
    // Two more failures of each check, which would take it down.
    await pause(2500)
    const { isolation, totals } = await lvsd.status()
    assert.match(isolation?.detail ?? '', /interface lan is down/)
    assert.equal(totals.up, 4)
    ip(
      DIRECTOR,
      ports.map(port => `link set ${port} up`),
    )
    await lvsd.hears('no longer isolated')
    await pause(1000)
    assert.deepEqual(watcher.take(), [])
    assert.equal(told(lvsd, 'director.isolated').length, 1)
    assert.equal(told(lvsd, 'director.connected').length, 1)
    assert.equal((await lvsd.status()).isolation, null)
    web.servers[0]?.kill()
    await tableBecomes(table(12, 13, 14))
  })

  it('keeps a table in panic until the servers are back, or until `for` is over; then on-down decides', async () => {
    const lvsd = await startLvsd(writeConfig(config('panic: { for: 1m }')))
    await tableBecomes(table(...SERVERS))
    for (const server of web.servers.slice(0, 3)) server.kill()
    await lvsd.hears('web: panic')
    await tableBecomes(table(...SERVERS))
    await until(async () => (await whyOf(11)).checks[0]?.state === 'down', { what: 'the state of the check' })
    const { sentence, real, table: held } = await whyOf(11)
    assert.match(sentence, /refused.*; a panic of the service keeps it in the table with its weight/)
    assert.deepEqual([real.state, real.weight.kernel, held.written?.weight], ['down', 5, 5])
    for (const server of web.servers.slice(0, 2)) server.revive()
    await lvsd.hears('panic is over')
    await tableBecomes(table(11, 12, 14))
    web.servers[2]?.revive()
    await tableBecomes(table(...SERVERS))
    writeConfig(config('panic: { for: 1s }\n    on-down: { after: 1s }'))
    assert.equal((await lvsdCommand('reload')).code, 0)
    const watcher = watchTable('director')
    for (const server of web.servers.slice(0, 2)) server.kill()
    // A server that falls before the panic leaves the table, and is put back by it. So the third one falls later.
    await lvsd.hears('web: panic')
    web.servers[2]?.behave('error')
    await lvsd.hears('panic is over')
    await lvsd.hears('a quiesced real server is removed')
    await tableBecomes(table(14))
    const quiesced = watcher.take().filter(change => change.endsWith('-> masq 0'))
    assert.equal(quiesced.length, 1, quiesced.join(', '))
    assert.match(quiesced[0] ?? '', /fc00::13/)
  })
})
