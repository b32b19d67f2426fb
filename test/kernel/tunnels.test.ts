/** Clients of a service with tunnelled real servers, for all combinations of inner and outer family. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fetchPage } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, ipvsadm, set, tableBecomes } from './site/site.js'

const SERVERS = [31, 32]
const V6 = { virtual: 'fc00::90', director: 'fc00::d', real: (n: number) => `fc00::${n}` }
const V4 = { virtual: '10.9.0.90', director: '10.9.0.13', real: (n: number) => `10.9.0.${n}` }
const GUE_PORT = 6080

describe('a tunnel', () => {
  before(async () => {
    await buildSite(
      [V6.virtual],
      SERVERS.map(n => ({ name: `r${n}`, address: V6.real(n), virtual: [V6.virtual] })),
    )
    addIPv4()
    execFileSync('modprobe', ['-a', 'ipip', 'sit', 'ip6_tunnel', 'ip_gre', 'ip6_gre', 'fou', 'fou6'])
    for (const n of SERVERS) acceptTunnels(n)
  })
  beforeEach(freshDirector)

  for (const [name, front, back, forwarding] of [
    ['ipip carries IPv6 in IPv6', V6, V6, 'ipip'],
    ['ipip carries IPv4 in IPv4', V4, V4, 'ipip'],
    ['ipip carries IPv6 in IPv4', V6, V4, 'ipip'],
    ['ipip carries IPv4 in IPv6', V4, V6, 'ipip'],
    ['gue carries IPv6 in IPv6', V6, V6, 'gue'],
    ['gue carries IPv4 in IPv4', V4, V4, 'gue'],
    ['gre carries IPv6 in IPv6', V6, V6, 'gre'],
    ['gre carries IPv4 in IPv4', V4, V4, 'gre'],
  ] as const)
    it(name, async () => {
      const servers = SERVERS.map(n => startRealServer(`r${n}`))
      const bracketed = (address: string) => (address.includes(':') ? `[${address}]:80` : `${address}:80`)
      const reals = SERVERS.map(n => bracketed(back.real(n)))
      const virtual = bracketed(front.virtual)
      await startLvsd(
        writeConfig(`
defaults: { forwarding: ${forwarding}${forwarding === 'gue' ? `, tunnel-port: ${GUE_PORT}` : ''} }
services:
  web:
    virtual: '${virtual}'
    scheduler: rr
    check: { kind: http, interval: 1s, timeout: 1s }
    reals: [${reals.map(real => `'${real}'`).join(', ')}]
`),
      )
      const held = (of: readonly string[]) => ({
        [`tcp ${virtual}`]: Object.fromEntries(of.map(real => [real, 'tunnel 1'])),
      })
      await tableBecomes(held(reals))
      assert.deepEqual(await pagesOf(front.virtual), ['r31\n', 'r32\n'])

      servers[0]?.kill()
      await tableBecomes(held(reals.slice(1)))
      assert.deepEqual(await pagesOf(front.virtual), ['r32\n'])
      assert.match(await ipvsadm('-Ln', '--tun-info'), new RegExp(forwarding))
    })
})

/** Returns the distinct answers to several clients. */
async function pagesOf(virtual: string): Promise<string[]> {
  const pages = new Set<string>()
  for (let i = 0; i < 4; i++) pages.add((await fetchPage(virtual)).body)
  return [...pages].sort()
}

/** Adds IPv4 addresses to the site. */
function addIPv4(): void {
  ip(null, ['addr add 10.9.0.12/24 dev eth0'])
  within(DIRECTOR, () => set('ipv4/conf/all/forwarding', 1))
  ip(DIRECTOR, [`addr add ${V4.director}/24 dev lan`, `addr add ${V4.virtual}/32 dev lan`])
  for (const n of SERVERS) {
    // Only the director may answer ARP for the virtual address. The servers have it on their loopback interface.
    within(`r${n}`, () => set('ipv4/conf/all/arp_ignore', 1))
    within(`r${n}`, () => set('ipv4/conf/all/arp_announce', 2))
    ip(`r${n}`, [`addr add ${V4.real(n)}/24 dev eth0`, `addr add ${V4.virtual}/32 dev lo`])
  }
}

/** Configures a server to decapsulate tunnelled packets from the director. */
function acceptTunnels(n: number): void {
  const name = `r${n}`
  const ends6 = `local ${V6.real(n)} remote ${V6.director}`
  const ends4 = `local ${V4.real(n)} remote ${V4.director}`
  ip(name, [
    'link set tunl0 up',
    'link set sit0 up',
    `link add any6 type ip6tnl mode any ${ends6}`,
    `link add gre4 type gre ${ends4}`,
    `link add gre6 type ip6gre ${ends6}`,
    ...['any6', 'gre4', 'gre6'].map(link => `link set ${link} up`),
  ])
  execFileSync('ip', ['-n', name, 'fou', 'add', 'port', String(GUE_PORT), 'gue'])
  execFileSync('ip', ['-n', name, 'fou', 'add', 'port', String(GUE_PORT), 'gue', '-6'])
  // Decapsulated packets have a client's address, whose return route is a different one, so rp_filter would drop them.
  for (const link of ['all', 'tunl0', 'any6', 'gre4'])
    within(name, () => set(`ipv4/conf/${link}/rp_filter`, 0))
}
