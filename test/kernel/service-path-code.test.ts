/**
 * `path: service` with checks that are code, most over TLS: they run in workers, on sockets with the mark of the path. What is
 * wrong on one server or on one path takes that server out of that service, and no other.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import { onCleanup } from '../support/after-each.js'
import { dnsServer } from '../support/dns-server.js'
import { tlsFile } from '../support/tls-file.js'
import { until } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { throughout, within } from './site/namespaces.js'
import { buildSite, DIRECTOR, freshDirector, ip, set } from './site/site.js'
import { readTable } from './site/table.js'

const V6 = { name: 'IPv6', virtual: 'fc00::90', reals: ['fc00::31', 'fc00::32'], length: 128 }
const V4 = { name: 'IPv4', virtual: '10.9.0.90', reals: ['10.9.0.31', '10.9.0.32'], length: 32 }
type Front = typeof V6
const MACHINES = ['r31', 'r32']
/** With NAT all go to port 443. */
const SERVICES = { gate: 443, ipip: 444, masq: 445 }

const at = (address: string, port: number) =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

const key = readFileSync(tlsFile('key.pem'))
const right = { key, cert: readFileSync(tlsFile('server.crt')) }
/** For another name. */
const wrong = { key, cert: readFileSync(tlsFile('other.crt')) }

interface TlsServers {
  readonly servers: readonly Server[]
  /** The paths of URLs that were asked for. */
  readonly asked: Set<string>
  /** Returns the port of the director of each connection to port 443 of an address. */
  portsTo(address: string): readonly number[]
}

/** Web servers over TLS on a machine, on the ports of direct routing and of the tunnel. */
function startTlsServers(machine: string): TlsServers {
  const asked = new Set<string>()
  const connections: (readonly [to: string, from: number])[] = []
  const servers = [443, 444].map(port => {
    const server = createServer(right, ({ url = '' }, response) => {
      asked.add(url)
      response.writeHead(200, { connection: 'close' }).end(`${machine}\n`)
    })
    server.on('connection', socket => {
      const { localAddress, localPort, remotePort = 0 } = socket as Socket
      const to = `${localAddress}`.replace('::ffff:', '')
      if (localPort === 443) connections.push([to, remotePort])
    })
    within(machine, () => server.listen(port))
    onCleanup(() => {
      server.closeAllConnections()
      server.close()
    })
    return server
  })
  const portsTo = (address: string) => connections.flatMap(([to, from]) => (to === address ? [from] : []))
  return { servers, asked, portsTo }
}

/** How many ports the turn has gone on by. */
function stepsBetween(port: number, next: number): number {
  const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
  const [first = 0, last = 0] = text.split(/\s+/).map(Number)
  const count = last - first + 1
  return (next - port + count) % count
}

/** Each service asks for a page of its own name, so that a server knows which paths have led to it. */
function config({ virtual, reals }: Front, engine: string): string {
  const services = Object.entries(SERVICES).map(([method, port]) => {
    const servers = reals.map(real => `'${at(real, method === 'masq' ? 443 : port)}'`)
    return `  ${method}: { virtual: '${at(virtual, port)}', forwarding: ${method}, reals: [${servers}], checks: [{ kind: https, request: /${method}, virtualhost: www.example.com, verify: true, ca: ${tlsFile('ca.crt')} }, tls, connect] }`
  })
  return `
settings: { engine: ${engine} }
defaults: { path: service, check: { interval: 300ms, timeout: 2s, fall: 1, rise: 1, fastinter: 300ms } }
services:
${services.join('\n')}
`
}

function served({ virtual }: Front): Record<string, readonly string[]> {
  const table = readTable(DIRECTOR)
  return Object.fromEntries(
    Object.entries(SERVICES).map(([name, port]) => {
      const keys = [...(table.get(`tcp ${at(virtual, port)}`)?.reals.keys() ?? [])]
      return [
        name,
        MACHINES.filter((_, i) => keys.some(one => /[.:](3[12])\W/.exec(one)?.[1] === `3${i + 1}`)),
      ]
    }),
  )
}

async function becomes(front: Front, gone: Record<string, readonly string[]> = {}): Promise<void> {
  const expected = Object.fromEntries(
    Object.keys(SERVICES).map(name => [name, MACHINES.filter(one => !gone[name]?.includes(one))]),
  )
  await until(() => JSON.stringify(served(front)) === JSON.stringify(expected), {
    what: () => `${JSON.stringify(expected)}; it is ${JSON.stringify(served(front))}`,
  })
}

const holdVirtual = (machine: string, { virtual, length }: Front, verb: 'replace' | 'del') =>
  ip(machine, [
    `addr ${verb} ${virtual}/${length} dev lo${length === 128 && verb === 'replace' ? ' nodad' : ''}`,
  ])

describe('checks that are code, through the paths of services', () => {
  before(async () => {
    await buildSite(
      [V6.virtual],
      MACHINES.map((name, i) => ({ name, address: V6.reals[i] ?? '', virtual: [V6.virtual] })),
    )
    ip(DIRECTOR, ['addr add 10.9.0.13/24 dev lan', `addr add ${V4.virtual}/32 dev lan`])
    within(DIRECTOR, () => {
      for (const one of ['all', 'lan']) set(`ipv4/conf/${one}/accept_local`, 1)
    })
    execFileSync('modprobe', ['-a', 'ipip', 'ip6_tunnel'])
    for (const [i, machine] of MACHINES.entries()) {
      within(machine, () => set('ipv4/conf/all/arp_ignore', 1))
      ip(machine, [
        `addr add ${V4.reals[i]}/24 dev eth0`,
        'link set tunl0 up',
        `link add any6 type ip6tnl mode any local ${V6.reals[i]} remote fc00::d`,
        'link set any6 up',
      ])
      within(machine, () => {
        for (const link of ['all', 'tunl0']) set(`ipv4/conf/${link}/rp_filter`, 0)
      })
    }
  })

  beforeEach(async () => {
    await freshDirector()
    for (const front of [V6, V4]) for (const machine of MACHINES) holdVirtual(machine, front, 'replace')
  })

  for (const [front, engine] of [
    [V6, 'portable'],
    [V4, 'native'],
  ] as const)
    it(`take out over ${front.name} the server with a wrong certificate, or without the address or the tunnel, and no other`, async () => {
      const [one, two] = MACHINES.map(startTlsServers)
      assert.ok(one && two)
      const lvsd = await startLvsd(writeConfig(config(front, engine)))
      await becomes(front)
      // Each check has asked each server, so none has gone to one of them in place of the other.
      for (const { asked } of [one, two]) assert.deepEqual([...asked].sort(), ['/gate', '/ipip', '/masq'])
      const real = (service: string, i: number) => lvsd.real(service, front.reals[i] ?? '')
      for (const server of two.servers) server.setSecureContext(wrong)
      await becomes(front, { gate: ['r32'], ipip: ['r32'], masq: ['r32'] })
      const { reason } = await real('gate', 1)
      assert.match(
        reason ?? '',
        /through the path of the service \(gate to .*32\S*\): the certificate is for a different name/,
      )
      for (const server of two.servers) server.setSecureContext(right)
      await becomes(front)
      holdVirtual('r31', front, 'del')
      await becomes(front, { gate: ['r31'], ipip: ['r31'] })
      holdVirtual('r31', front, 'replace')
      await becomes(front)
      const tunnel = front === V6 ? 'any6' : 'tunl0'
      ip('r31', [`link set ${tunnel} down`])
      await becomes(front, { ipip: ['r31'] })
      ip('r31', [`link set ${tunnel} up`])
      await becomes(front)
      // The kernel knows the connections of the run before, of which those to r31 have had no answer.
      holdVirtual('r31', front, 'del')
      await becomes(front, { gate: ['r31'], ipip: ['r31'] })
      await lvsd.kill()
      const before = two.portsTo(front.virtual)
      const killedAt = performance.now()
      const again = await startLvsd(writeConfig(config(front, engine)))
      await becomes(front, { gate: ['r31'], ipip: ['r31'] })
      holdVirtual('r31', front, 'replace')
      await becomes(front)
      const after = two.portsTo(front.virtual).slice(before.length)
      const seconds = (performance.now() - killedAt) / 1000
      const ahead = stepsBetween(before.at(-1) ?? 0, after[0] ?? 0)
      // The turn has gone on with the clock, by some 94 ports a second.
      assert.ok(ahead < 100 * seconds + 500, `${before.slice(-5)}, then ${after.slice(0, 5)}`)
      for (const { msg } of again.lines.filter(({ msg }) => msg.includes('is down')))
        assert.match(msg, /(gate|ipip)\/.*31/)
    })

  it('go by UDP too: a name server behind its path answers wrong, and goes out of that service alone', async () => {
    const real = V6.reals[0] ?? ''
    const answers = { 'www.example AAAA': ['2001:db8::1'] }
    const [ofPath, ofHost] = [
      await throughout('r31', () => dnsServer({ ...answers }, V6.virtual, 53)),
      await throughout('r31', () => dnsServer({ ...answers }, real, 53)),
    ]
    const services = ['gate', 'masq'].map(
      (method, i) =>
        `  ${method}: { virtual: '${at(V6.virtual, 53 + i)}', protocol: udp, reals: ['${at(real, 53)} ${method}'] }`,
    )
    const lvsd = await startLvsd(
      writeConfig(`
defaults: { path: service, check: { kind: dns, request: www.example, type: AAAA, interval: 300ms, timeout: 1s, fall: 1 } }
services:
${services.join('\n')}
`),
    )
    const become = (gate: string) =>
      until(
        async () =>
          (await lvsd.real('gate', real)).state === gate && (await lvsd.real('masq', real)).state === 'up',
        { what: `gate is ${gate}` },
      )
    await become('up')
    ofPath.zone['www.example AAAA'] = 'SERVFAIL'
    await become('down')
    assert.match((await lvsd.real('gate', real)).reason ?? '', /gate to .*SERVFAIL/)
    ofPath.zone['www.example AAAA'] = ['2001:db8::1']
    await become('up')
    assert.ok(ofHost.asked.length > 0)
  })
})
