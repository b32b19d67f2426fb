/** Clients of services with tunnelled real servers, and with addresses of both families. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fetchPage } from './site/client.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, ipvsadm, set, tableBecomes } from './site/site.js'

const SERVERS = [31, 32]
const V6 = { virtual: 'fc00::90', director: 'fc00::d', real: (n: number) => `fc00::${n}` }
const V4 = { virtual: '10.9.0.90', director: '10.9.0.13', real: (n: number) => `10.9.0.${n}` }
const GUE_PORT = 6080
/** The families of the clients' packets and of the tunnel, and its type. */
const TUNNELS = [
  [V6, V6, 'ipip'],
  [V4, V4, 'ipip'],
  [V6, V4, 'ipip'],
  [V4, V6, 'ipip'],
  [V6, V6, 'gue'],
  [V4, V4, 'gue'],
  [V6, V6, 'gre'],
  [V4, V4, 'gre'],
] as const

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

  it('carries IPv6 and IPv4 in each other: ipip, gue, gre; a server that fails leaves', async () => {
    const tunnels = TUNNELS.map(([front, back, forwarding], i) => ({
      name: `${forwarding} ${front === V6 ? 'IPv6' : 'IPv4'} in ${back === V6 ? 'IPv6' : 'IPv4'}`,
      host: front.virtual,
      port: 81 + i,
      forwarding,
      reals: SERVERS.map(n => bracketed(back.real(n), 81 + i)),
      servers: SERVERS.map(n => startRealServer(`r${n}`, 81 + i)),
    }))
    const services = tunnels.map(
      ({ host, port, forwarding, reals }) => `
  at-${port}:
    virtual: '${bracketed(host, port)}'
    scheduler: rr
    forwarding: ${forwarding}${forwarding === 'gue' ? `\n    tunnel-port: ${GUE_PORT}` : ''}
    reals: [${reals.map(real => `'${real}'`).join(', ')}]`,
    )
    await startLvsd(
      writeConfig(`
defaults: { check: { kind: http, interval: 1s, timeout: 1s } }
services:${services.join('')}
`),
    )
    const held = (from: number) =>
      Object.fromEntries(
        tunnels.map(({ host, port, reals }) => [
          `tcp ${bracketed(host, port)}`,
          Object.fromEntries(reals.slice(from).map(real => [real, 'tunnel 1'])),
        ]),
      )
    await tableBecomes(held(0))
    const info = await ipvsadm('-Ln', '--tun-info')
    for (const { name, host, port, forwarding, reals } of tunnels) {
      assert.deepEqual(await pagesOf(host, port), ['r31\n', 'r32\n'], name)
      for (const real of reals)
        assert.ok(
          info.split('\n').some(line => line.includes(real) && line.includes(forwarding)),
          `${name}: ${info}`,
        )
    }
    for (const { servers } of tunnels) servers[0]?.kill()
    await tableBecomes(held(1))
    for (const { name, host, port } of tunnels) assert.deepEqual(await pagesOf(host, port), ['r32\n'], name)
  })

  it('serves both families of one service, and an address that fails leaves alone', async () => {
    const servers = SERVERS.flatMap(n => [95, 96].map(port => startRealServer(`r${n}`, port)))
    await startLvsd(
      writeConfig(`
defaults: { check: { kind: http, interval: 1s, timeout: 1s } }
services:
  across:
    virtual: ['[${V6.virtual}]:95', '${V4.virtual}:95']
    scheduler: rr
    forwarding: ipip
    reals: ['[${V6.real(31)}]', '${V4.real(32)}']
  direct:
    virtual: ['[${V6.virtual}]:96', '${V4.virtual}:96']
    scheduler: rr
    forwarding: gate
    reals: [${SERVERS.map(n => `{ address: ['[${V6.real(n)}]', '${V4.real(n)}'] }`).join(', ')}]
`),
    )
    const across = (...reals: readonly string[]) => Object.fromEntries(reals.map(real => [real, 'tunnel 1']))
    const direct = (front: typeof V6 | typeof V4, ...numbers: readonly number[]) =>
      Object.fromEntries(numbers.map(n => [bracketed(front.real(n), 96), 'route 1']))
    const all = across(bracketed(V6.real(31), 95), bracketed(V4.real(32), 95))
    const table = {
      [`tcp ${bracketed(V6.virtual, 95)}`]: all,
      [`tcp ${bracketed(V4.virtual, 95)}`]: all,
      [`tcp ${bracketed(V6.virtual, 96)}`]: direct(V6, ...SERVERS),
      [`tcp ${bracketed(V4.virtual, 96)}`]: direct(V4, ...SERVERS),
    }
    await tableBecomes(table)
    for (const { virtual } of [V6, V4])
      for (const port of [95, 96])
        assert.deepEqual(await pagesOf(virtual, port), ['r31\n', 'r32\n'], `${virtual} ${port}`)
    // The director hears nothing from this server over IPv4 any more.
    ip('r31', [`route add blackhole ${V4.director}/32`])
    await tableBecomes({ ...table, [`tcp ${bracketed(V4.virtual, 96)}`]: direct(V4, 32) })
    assert.deepEqual(await pagesOf(V4.virtual, 96), ['r32\n'])
    assert.deepEqual(await pagesOf(V6.virtual, 96), ['r31\n', 'r32\n'])
    const { output } = await lvsdCommand('status', '--json')
    const { services } = JSON.parse(output) as { services: readonly Told[] }
    const [first] = services
    assert.deepEqual(
      first?.addresses.map(({ state, counters }) => [state, counters.connections > 0]),
      [
        ['up', true],
        ['up', true],
      ],
    )
    const sum = first?.addresses.reduce((total, { counters }) => total + counters.connections, 0)
    assert.equal(first?.counters.connections, sum)
    for (const server of servers) server.kill()
  })
})

interface Told {
  readonly counters: { readonly connections: number }
  readonly addresses: readonly {
    readonly state: string
    readonly counters: { readonly connections: number }
  }[]
}

function bracketed(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** Returns the distinct answers to several clients. */
async function pagesOf(virtual: string, port: number): Promise<string[]> {
  const pages = new Set<string>()
  for (let i = 0; i < 4; i++) pages.add((await fetchPage(virtual, '/', { port })).body)
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
