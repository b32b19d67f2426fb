/** A server that refuses its clients: out long before its next check. */
import assert from 'node:assert/strict'
import { fetchPage, steadyClient } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, set, tableBecomes } from './site/site.js'

const GATE = 'fc00::81'
const MACHINES = [
  ...[11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
  ...[13, 14].map(n => ({ name: `r${n}`, address: `fc00::${n}`, virtual: [GATE] })),
]
const CASES = [
  { forward: 'masq', virtual: '[fc00::80]:80', reals: ['[fc00::11]:80', '[fc00::12]:80'] },
  { forward: 'masq', virtual: '10.9.0.80:80', reals: ['10.9.0.11:80', '10.9.0.12:80'] },
  { forward: 'gate', virtual: `[${GATE}]:80`, reals: ['[fc00::13]:80', '[fc00::14]:80'] },
] as const

/** IPv4 beside IPv6, for the servers behind NAT. */
function addIpv4(): void {
  within(DIRECTOR, () => {
    set('ipv4/ip_forward', 1)
    set('ipv4/conf/all/send_redirects', 0)
  })
  ip(DIRECTOR, ['addr add 10.9.0.254/24 dev lan', 'addr add 10.9.0.80/32 dev lan'])
  ip(null, ['addr add 10.9.0.1/24 dev eth0'])
  for (const n of [11, 12])
    ip(`r${n}`, [`addr add 10.9.0.${n}/24 dev eth0`, 'route add 10.9.0.1/32 via 10.9.0.254'])
}

describe('a server that refuses its clients', () => {
  before(async () => {
    await buildSite(['fc00::80', GATE], MACHINES)
    addIpv4()
  })

  for (const { forward, virtual, reals } of CASES)
    it(`is out by its clients long before its next check: ${forward}, ${virtual}`, async () => {
      await freshDirector()
      const servers = (forward === 'masq' ? [11, 12] : [13, 14]).map(n => startRealServer(`r${n}`))
      const [bad, good] = reals
      const weights = (keys: readonly string[]) => ({
        [`tcp ${virtual}`]: Object.fromEntries(
          keys.map(key => [key, forward === 'gate' ? 'route 1' : 'masq 1']),
        ),
      })
      const lvsd = await startLvsd(
        writeConfig(`
settings: { resync: 10m }
services:
  web:
    virtual: '${virtual}'
    scheduler: rr
    check: { kind: http, interval: 10m, timeout: 5s }
    reals: [${reals.map(real => `'${real} ${forward}'`).join(', ')}]
`),
      )
      await tableBecomes(weights([bad, good]))
      const host = virtual.replace(/:80$/, '').replace(/[[\]]/g, '')
      const steady = steadyClient(host, {
        ...{ rate: 20, limit: 10_000 },
        fetch: () => fetchPage(host, '/', { timeout: 2000 }),
      })
      servers[0]?.kill()
      const out = await tableBecomes(weights([good]))
      await steady.stop()
      // The table is written before the line is read here.
      const down = await lvsd.hears('real server down')
      console.log(`      out after ${Math.round(out)} ms: ${down.hint}`)
      assert.equal(down.real, bad)
      assert.equal(down.reason, 'refused')
      const told = forward === 'masq' ? 'none goes on after one answer' : '(none ends|without an answer)'
      assert.match(`${down.hint}`, new RegExp(`connections? of clients to .*${told}`))
    })
})
