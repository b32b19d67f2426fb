/**
 * `path: service` with checks that are code and speak TLS: they run in workers, on sockets with the mark of the path. What is
 * wrong on one server or on one path takes that server out of that service, and no other.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { onCleanup } from '../support/after-each.js'
import { tlsFile } from '../support/tls-file.js'
import { until } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
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

/** Web servers over TLS on a machine, on the ports of direct routing and of the tunnel; with the paths that were asked for. */
function startTlsServers(machine: string): {
  readonly servers: readonly Server[]
  readonly asked: Set<string>
} {
  const asked = new Set<string>()
  const servers = [443, 444].map(port => {
    const server = createServer(right, ({ url = '' }, response) => {
      asked.add(url)
      response.writeHead(200, { connection: 'close' }).end(`${machine}\n`)
    })
    within(machine, () => server.listen(port))
    onCleanup(() => {
      server.closeAllConnections()
      server.close()
    })
    return server
  })
  return { servers, asked }
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

describe('checks over TLS through the paths of services', () => {
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
      const again = await startLvsd(writeConfig(config(front, engine)))
      await becomes(front, { gate: ['r31'], ipip: ['r31'] })
      holdVirtual('r31', front, 'replace')
      await becomes(front)
      for (const { msg } of again.lines.filter(({ msg }) => msg.includes('is down')))
        assert.match(msg, /(gate|ipip)\/.*31/)
    })
})
