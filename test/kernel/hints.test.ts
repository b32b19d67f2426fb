/**
 * What brings checks forward, with a real table and a client: a process that dies. The interval is long, so that without
 * the hint its end is noticed late.
 */
import assert from 'node:assert/strict'
import { pause, until } from '../support/until.js'
import { steadyClient } from './site/client.js'
import { type Line, type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'

const WEB = 'tcp [fc00::80]:80'

/** The `real.down` or `real.up` lines of a server. */
function turns({ lines }: Lvsd, event: string, real: string): readonly Line[] {
  return lines.filter(line => line.event === event && line.real === `[${real}]:80`)
}

async function hintOf(lvsd: Lvsd, event: string, real: string): Promise<unknown> {
  await until(() => turns(lvsd, event, real).some(({ hint }) => hint !== undefined), {
    what: () => `${event} of ${real} by a hint`,
  })
  return turns(lvsd, event, real).find(({ hint }) => hint !== undefined)?.hint
}

describe('hints', () => {
  before(async () => {
    await buildSite(
      ['fc00::80'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })
  beforeEach(freshDirector)

  const site = (check: string) =>
    writeConfig(`
settings: { resync: 1s }
services:
  web:
    virtual: '[fc00::80]:80'
    scheduler: rr
    check: { kind: http, interval: 10s, fastinter: 1s, timeout: 2s, fall: 2, rise: 1${check} }
    reals: ['[fc00::11]:80 masq', '[fc00::12]:80 masq']
`)
  const both = { [WEB]: { '[fc00::11]:80': 'masq 1', '[fc00::12]:80': 'masq 1' } }

  /** Kills a server under 50 requests a second. Returns the failed requests, and the milliseconds until it was out. */
  async function killed(lvsd: Lvsd) {
    const client = steadyClient('fc00::80', { rate: 50, limit: 1500 })
    await pause(300)
    const before = client.failed
    servers[0]?.kill()
    const out = await tableBecomes({ [WEB]: { '[fc00::12]:80': 'masq 1' } })
    await pause(300)
    const { failures } = await client.stop()
    return {
      out: Math.round(out),
      failed: failures.length - before,
      hint: turns(lvsd, 'real.down', 'fc00::11')[0]?.hint,
    }
  }
  let servers: ReturnType<typeof startRealServer>[] = []

  it('of a sentinel take a server out that dies, and knocking brings it back', async () => {
    servers = [startRealServer('r11'), startRealServer('r12')]
    const found: Record<string, Awaited<ReturnType<typeof killed>>> = {}
    for (const check of ['', ', sentinel: true']) {
      await freshDirector()
      const lvsd = await startLvsd(site(check))
      await tableBecomes(both)
      if (check !== '')
        await until(async () => (await lvsd.status()).hints.sentinels.watching === 2, {
          what: 'two sentinels',
        })
      found[check] = await killed(lvsd)
      console.log(
        `      ${check === '' ? 'without' : 'with'} sentinels: out after ${found[check].out} ms, ${found[check].failed} requests failed`,
      )
      servers[0]?.revive()
      const back = await tableBecomes(both)
      console.log(`      it listens again: in after ${Math.round(back)} ms`)
      assert.equal(await hintOf(lvsd, 'real.up', 'fc00::11'), 'the server accepts connections again')
      assert.equal(await lvsd.stop(), 0)
    }
    // Its clients may be the sign, where the looks at their connections are quick.
    assert.doesNotMatch(String(found['']?.hint), /idle connection/)
    assert.match(String(found[', sentinel: true']?.hint), /^the idle connection to the server was /)
    assert.ok(
      (found[', sentinel: true']?.failed ?? 99) < (found['']?.failed ?? 0),
      'as many requests failed as without sentinels',
    )
  })
})
