/**
 * Sentinels with a real kernel: a process behind direct routing that is killed, and ICMP errors of a router on the way. Checks are
 * ten minutes apart, and there are no clients, so nothing else explains a change within seconds.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { fetchPage } from './site/client.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { buildSite, DIRECTOR, freshDirector, ip, set, tableBecomes } from './site/site.js'

const [GATE, GATE_IPV4] = ['fc00::81', '10.9.0.81']
const MACHINES = [
  ...[11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}`, virtual: [GATE] })),
  { name: 'r13', address: 'fc00::13' },
]
/** Behind the router r13: an address of its own at first, so that it is the server. */
const BEYOND = 'fd00:2::10'

const PROGRAM = `require('node:http').createServer((_, answer) => answer.end('ok')).listen(80, () => console.log())`

/** Starts a web server as a process of its own on a machine, and waits until it listens. It is killed after the test. */
async function startProcess(name: string): Promise<ChildProcess> {
  const child = within(name, () =>
    spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  onCleanup(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

/** IPv4 beside IPv6, for direct routing: only the director answers for the virtual address. */
function addIpv4(): void {
  ip(DIRECTOR, ['addr add 10.9.0.254/24 dev lan', `addr add ${GATE_IPV4}/32 dev lan`])
  ip(null, ['addr add 10.9.0.1/24 dev eth0'])
  for (const n of [11, 12]) {
    within(`r${n}`, () => {
      set('ipv4/conf/all/arp_ignore', 1)
      set('ipv4/conf/all/arp_announce', 2)
    })
    ip(`r${n}`, [`addr add 10.9.0.${n}/24 dev eth0`, `addr add ${GATE_IPV4}/32 dev lo`])
  }
}

async function watching(lvsd: Lvsd, count: number): Promise<void> {
  await until(async () => (await lvsd.status()).hints.sentinels.watching === count, {
    what: `${count} sentinels`,
  })
}

const site = (virtual: string, reals: readonly string[], fall = 2) =>
  writeConfig(`
settings: { resync: 10m }
services:
  web:
    virtual: '${virtual}'
    scheduler: rr
    check: { kind: http, interval: 10m, timeout: 5s, fall: ${fall}, sentinel: true }
    reals: [${reals.map(real => `'${real}'`).join(', ')}]
`)

describe('a sentinel', () => {
  before(async () => {
    await buildSite([GATE], MACHINES)
    addIpv4()
    within('r13', () => {
      set('ipv6/conf/all/forwarding', 1)
      // By default a router sends one ICMP error per second.
      set('ipv6/icmp/ratelimit', 0)
    })
    ip('r13', [`addr add ${BEYOND}/128 dev lo nodad`])
    ip(DIRECTOR, ['route add fd00:2::/64 via fc00::13'])
  })
  beforeEach(freshDirector)

  for (const { family, host, virtual, reals } of [
    { family: 'IPv6', host: GATE, virtual: `[${GATE}]:80`, reals: ['[fc00::11]:80', '[fc00::12]:80'] },
    { family: 'IPv4', host: GATE_IPV4, virtual: `${GATE_IPV4}:80`, reals: ['10.9.0.11:80', '10.9.0.12:80'] },
  ] as const)
    it(`takes a server out whose process is killed, behind direct routing over ${family}`, async () => {
      const processes = await Promise.all(['r11', 'r12'].map(startProcess))
      const [first, second] = reals
      const lvsd = await startLvsd(
        site(
          virtual,
          reals.map(real => `${real} gate`),
        ),
      )
      await tableBecomes({ [`tcp ${virtual}`]: { [first]: 'route 1', [second]: 'route 1' } })
      await watching(lvsd, 2)
      assert.equal((await fetchPage(host)).status, 200)
      processes[0]?.kill('SIGKILL')
      const out = Math.round(await tableBecomes({ [`tcp ${virtual}`]: { [second]: 'route 1' } }))
      const down = await lvsd.hears('real server down')
      console.log(`      out after ${out} ms: ${down.hint}`)
      assert.equal(down.real, first)
      assert.match(String(down.hint), /^the idle connection to the server was (closed|reset) /)
      // A guest beside other work is slow.
      assert.ok(out < 5000, `${out} ms`)
    })

  const REAL = `[${BEYOND}]:80`
  const WEB = `tcp [${GATE}]:80`

  // Or the next test would begin without the server. A local address goes before a route that is prohibited.
  afterEach(() => ip('r13', [`addr replace ${BEYOND}/128 dev lo nodad`]))

  /** A server that closes each connection without a request after `idle` milliseconds; returns how many it has taken. */
  function startClosing(idle: number): () => number {
    let taken = 0
    const sockets = new Set<Socket>()
    const server = createServer(socket => {
      taken++
      sockets.add(socket)
      const close = setTimeout(() => socket.end(), idle)
      socket.on('error', () => {})
      socket.on('close', () => {
        clearTimeout(close)
        sockets.delete(socket)
      })
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'),
      )
    })
    within('r13', () => server.listen(80))
    onCleanup(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return () => taken
  }

  const forbid = () => ip('r13', [`addr del ${BEYOND}/128 dev lo`, `route replace prohibit ${BEYOND}`])

  it('that a router refuses with an ICMP error when it is opened is a hint, which says so', async () => {
    const taken = startClosing(400)
    // Such a hint brings one check forward.
    const lvsd = await startLvsd(site(`[${GATE}]:80`, [`${REAL} masq`], 1))
    await tableBecomes({ [WEB]: { [REAL]: 'masq 1' } })
    // The first check, the sentinel that the server closes, and the check that this brings; the next sentinel comes a second later.
    await until(() => taken() >= 3, { what: 'a check after the first sentinel' })
    forbid()
    const down = await lvsd.hears('real server down')
    console.log(`      ${down.hint}`)
    assert.equal(down.reason, 'unreachable')
    assert.match(String(down.hint), /^the network reports an error of the idle connection \(EACCES\)/)
    assert.ok((await lvsd.status()).hints.given.icmp > 0)
    await tableBecomes({ [WEB]: {} })
  })

  it('that a router forbids while it is idle counts as silent: the kernel ignores ICMP errors of keepalive probes', async () => {
    startClosing(600_000)
    const lvsd = await startLvsd(site(`[${GATE}]:80`, [`${REAL} masq`]))
    await tableBecomes({ [WEB]: { [REAL]: 'masq 1' } })
    await watching(lvsd, 1)
    forbid()
    const began = performance.now()
    const down = await lvsd.hears('real server down')
    console.log(`      after ${Math.round(performance.now() - began)} ms: ${down.hint}`)
    assert.equal(down.reason, 'unreachable')
    assert.equal(down.hint, 'the server no longer answers on the idle connection')
    await tableBecomes({ [WEB]: {} })
  })
})
