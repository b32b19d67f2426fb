/** A server that answers its check and not its clients: seen in the kernel's connections. */
import assert from 'node:assert/strict'
import { until } from '../support/until.js'
import { fetchPage } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, onDirector, tableBecomes } from './site/site.js'

const SITE = `
settings: { log-level: debug }
defaults: { check: { kind: http, interval: 10m, timeout: 5s }, scheduler: rr }
services:
  web: { virtual: '[fc00::80]:80', reals: ['[fc00::11]:80 masq', '[fc00::12]:80 masq'] }
`
const TABLE = { 'tcp [fc00::80]:80': { '[fc00::11]:80': 'masq 1', '[fc00::12]:80': 'masq 1' } }

describe('a server that drops the packets of clients', () => {
  before(async () => {
    await buildSite(
      ['fc00::80'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    // IPVS forwards with the address of the client, and a check has that of the director.
    const rules = `table bridge site {
      chain departures {
        type filter hook output priority 0;
        ip6 saddr fc00::c ip6 daddr fc00::11 drop
      }
    }\n`
    await onDirector('nft', ['-f', '-'], rules)
  })

  it('is checked before its time, stays in the table while it passes, and only its clients are the reason', async () => {
    await freshDirector()
    const [silent, good] = [11, 12].map(n => startRealServer(`r${n}`))
    assert.ok(silent && good)
    const lvsd = await startLvsd(writeConfig(SITE))
    await tableBecomes(TABLE)
    await until(() => silent.requests > 0 && good.requests > 0, { what: 'the first checks' })
    const before = silent.requests
    const pages = Array.from({ length: 24 }, () => fetchPage('fc00::80'))
    const ended = Promise.allSettled(pages)
    const early = () =>
      lvsd.lines.filter(({ hint }) => /connections? of clients .* without an answer/.test(`${hint}`))
    await until(() => early().length > 0, { what: 'a check that is brought forward' })
    for (const { job, reason } of early())
      assert.deepEqual([job, reason], ['web/[fc00::11]:80/http', 'passed'])
    assert.ok(silent.requests > before)
    const answered = (await ended).filter(({ status }) => status === 'fulfilled')
    assert.ok(answered.length > 0 && answered.length <= 12, `${answered.length} pages`)
    await tableBecomes(TABLE)
    assert.equal((await lvsd.real('web', '[fc00::11]:80')).state, 'up')
  })
})
