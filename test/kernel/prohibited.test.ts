/** Tests of checks whose route is prohibited by a router, or missing on this machine. */
import assert from 'node:assert/strict'
import { pause } from '../support/until.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, set, tableBecomes, tableIs } from './site/site.js'

const WEB = 'tcp [fc00::80]:80'
const DNS = 'udp [fc00::80]:53'
const HEALTHY = '[fc00::11]:80'
const BEYOND = '[fd00:2::10]:80'

describe('the route to a server', () => {
  before(async () => {
    await buildSite(
      ['fc00::80'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    // r12 is a router. The server behind it is at first an address of the router itself.
    within('r12', () => {
      set('ipv6/conf/all/forwarding', 1)
      // By default it sends one ICMP error per second, and the other checks would time out.
      set('ipv6/icmp/ratelimit', 0)
    })
    ip('r12', ['addr add fd00:2::10/128 dev lo nodad'])
    ip(DIRECTOR, ['route add fd00:2::/64 via fc00::12'])
  })
  beforeEach(freshDirector)

  it('counts as the server: "administratively prohibited" is down after fall failures, over TCP and UDP', async () => {
    for (const name of ['r11', 'r12']) startRealServer(name)
    const lvsd = await startLvsd(
      writeConfig(`
defaults: { check: { interval: 500ms, timeout: 400ms, fastinter: 250ms, fall: 3 } }
services:
  web:
    virtual: '[fc00::80]:80'
    # The router answers while connect(2) still holds the socket, and Linux then tells it with the second SYN, after 1 s.
    check: { kind: http, interval: 2s, timeout: 1500ms, fastinter: 1600ms }
    reals: ['${HEALTHY} masq', '${BEYOND} masq']
  dns:
    virtual: '[fc00::80]:53'
    protocol: udp
    check: udp
    reals: ['[fd00:2::10]:53 masq']
`),
    )
    await tableBecomes({ [WEB]: { [HEALTHY]: 'masq 1', [BEYOND]: 'masq 1' }, [DNS]: {} })
    ip('r12', ['addr del fd00:2::10/128 dev lo', 'route add prohibit fd00:2::10'])
    await tableBecomes({ [WEB]: { [HEALTHY]: 'masq 1' }, [DNS]: {} })
    assert.equal((await lvsd.real('web', BEYOND)).state, 'down')
    // In a lab under load the first answers of the router may be lost.
    for (const [name, server] of [
      ['web', BEYOND],
      ['dns', '[fd00:2::10]:53'],
    ] as const)
      await reasonBecomes(lvsd, name, server, /^unreachable.*EACCES/)
    ip('r12', ['route del prohibit fd00:2::10', 'addr add fd00:2::10/128 dev lo nodad'])
    await tableBecomes({ [WEB]: { [HEALTHY]: 'masq 1', [BEYOND]: 'masq 1' }, [DNS]: {} })
  })

  it('gives no verdict through a missing interface: lvsd logs it, and the server stays in the table', async () => {
    const site = (check: string) =>
      writeConfig(`
services:
  web:
    virtual: '[fc00::80]:80'
    check: ${check}
    reals: ['${HEALTHY} masq']
`)
    const first = await startLvsd(site("'on'"))
    await tableBecomes({ [WEB]: { [HEALTHY]: 'masq 1' } })
    await first.kill()
    const lvsd = await startLvsd(
      site("{ kind: http, interval: 500ms, timeout: 400ms, fall: 1, checkaddress: 'fe80::1%d-rs' }"),
    )
    const told = await lvsd.hears('the check had no verdict three times')
    assert.deepEqual([told.service, told.real], ['web', HEALTHY])
    await pause(1500)
    tableIs({ [WEB]: { [HEALTHY]: 'masq 1' } })
    const { state, reason, checks } = await lvsd.real('web', HEALTHY)
    assert.equal(state, 'unknown')
    assert.match(reason, /^no verdict since .*: this machine has no network interface d-rs/)
    assert.ok((checks[0]?.noVerdict?.count ?? 0) >= 3)
  })
})

async function reasonBecomes(lvsd: Lvsd, service: string, server: string, expected: RegExp): Promise<void> {
  let reason = ''
  for (let i = 0; i < 60 && !expected.test(reason); i++) {
    await pause(250)
    reason = (await lvsd.real(service, server)).reason
  }
  assert.match(reason, expected)
}
