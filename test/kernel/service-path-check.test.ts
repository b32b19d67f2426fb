/**
 * The daemon with `path: service`: what is wrong between the virtual address and the server takes it out, while a check of
 * its own address passes; and the services on marks come, stay and go with the checks, beside those of other programs.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { rmSync } from 'node:fs'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, ip, ipvsadm, set } from './site/site.js'
import { readTable } from './site/table.js'

const V6 = { name: 'IPv6', virtual: 'fc00::90', real: 'fc00::31', length: 128 }
const V4 = { name: 'IPv4', virtual: '10.9.0.90', real: '10.9.0.31', length: 32 }
type Front = typeof V6
const METHODS = { gate: 80, ipip: 81, gre: 82, gue: 83, masq: 84 }
const PLAIN = 85
const GUE_PORT = 6080
const FOREIGN = 7

const at = ({ virtual }: Front, port: number) =>
  virtual.includes(':') ? `[${virtual}]:${port}` : `${virtual}:${port}`
const on = ({ real }: Front, port: number) => (real.includes(':') ? `[${real}]:${port}` : `${real}:${port}`)

function config(front: Front, path = 'service'): string {
  const services = Object.entries(METHODS).map(
    ([method, port]) =>
      `  ${method}: { virtual: '${at(front, port)}', path: ${path}, forwarding: ${method},${
        method === 'gue' ? ` tunnel-port: ${GUE_PORT},` : ''
      } reals: ['${on(front, method === 'masq' ? 80 : port)}'] }`,
  )
  return `
settings: { engine: ${front === V6 ? 'portable' : 'native'} }
defaults: { check: { kind: http, interval: 300ms, timeout: 1s, fall: 1, rise: 1, fastinter: 300ms } }
services:
${services.join('\n')}
  plain: { virtual: '${at(front, PLAIN)}', check: { checkport: 80 }, reals: ['${on(front, PLAIN)} gate'] }
`
}

const onServer = (command: string) => ip('r31', [command])
const holdVirtual = ({ virtual, length }: Front, verb: 'add' | 'del') =>
  onServer(`addr ${verb} ${virtual}/${length} dev lo${length === 128 && verb === 'add' ? ' nodad' : ''}`)
/** The kernel uses the larger one of the interface and of `all`, which is 0. */
const filter = (link: string, value: number) => within('r31', () => set(`ipv4/conf/${link}/rp_filter`, value))
const gue = (verb: 'add' | 'del', family: readonly string[]) =>
  execFileSync('ip', [
    '-n',
    'r31',
    'fou',
    verb,
    'port',
    String(GUE_PORT),
    ...(verb === 'add' ? ['gue'] : []),
    ...family,
  ])
const acceptLocal = (value: number) =>
  within(DIRECTOR, () => {
    for (const one of ['all', 'lan']) set(`ipv4/conf/${one}/accept_local`, value)
  })

/** The services whose server is in the table, and the number of services on marks of lvsd. */
function served(front: Front): { services: string[]; marked: number } {
  const table = readTable(DIRECTOR)
  const ports = { ...METHODS, plain: PLAIN }
  const services = Object.entries(ports)
    .filter(([, port]) => (table.get(`tcp ${at(front, port)}`)?.reals.size ?? 0) > 0)
    .map(([name]) => name)
  const marked = [...table].filter(([key]) => key.startsWith('fwmark') && key !== `fwmark ${FOREIGN}`)
  assert.ok(marked.every(([, { reals }]) => reals.size === 1))
  return { services, marked: marked.length }
}

const ALL = ['gate', 'ipip', 'gre', 'gue', 'masq', 'plain']
async function becomes(front: Front, services: readonly string[], marked = 5): Promise<void> {
  const expected = JSON.stringify({ services, marked })
  await until(() => JSON.stringify(served(front)) === expected, {
    what: () => `${expected}; it is ${JSON.stringify(served(front))}`,
  })
}

describe('checks through the paths of services', () => {
  before(async () => {
    await buildSite([V6.virtual], [{ name: 'r31', address: V6.real, virtual: [V6.virtual] }])
    ip(DIRECTOR, ['addr add 10.9.0.13/24 dev lan', `addr add ${V4.virtual}/32 dev lan`])
    within('r31', () => set('ipv4/conf/all/arp_ignore', 1))
    onServer(`addr add ${V4.real}/24 dev eth0`)
    holdVirtual(V4, 'add')
    execFileSync('modprobe', ['-a', 'ipip', 'ip6_tunnel', 'ip_gre', 'ip6_gre', 'fou', 'fou6'])
    ip('r31', [
      'link set tunl0 up',
      `link add any6 type ip6tnl mode any local ${V6.real} remote fc00::d`,
      `link add gre4 type gre local ${V4.real} remote 10.9.0.13`,
      `link add gre6 type ip6gre local ${V6.real} remote fc00::d`,
      ...['any6', 'gre4', 'gre6'].map(link => `link set ${link} up`),
    ])
    for (const family of [[], ['-6']]) gue('add', family)
    for (const link of ['all', 'tunl0', 'gre4']) filter(link, 0)
    acceptLocal(1)
  })

  beforeEach(async () => {
    await freshDirector()
    for (const front of [V6, V4])
      execFileSync('ip', ['-n', 'r31', 'addr', 'replace', `${front.virtual}/${front.length}`, 'dev', 'lo'])
    for (const port of [80, 81, 82, 83]) startRealServer('r31', port)
    await ipvsadm('-A', '-f', String(FOREIGN), '-6', '-s', 'rr')
  })

  for (const front of [V6, V4])
    it(`take a server out over ${front.name} for what is wrong on its path, and not for more`, async () => {
      const lvsd = await startLvsd(writeConfig(config(front)))
      await becomes(front, ALL)
      holdVirtual(front, 'del')
      await becomes(front, ['masq', 'plain'])
      const reason = async (service: string) => (await lvsd.real(service, front.real)).reason
      assert.match(
        await reason('gate'),
        /through the path of the service \(gate to .*31\S*\): no (connection|answer) within/,
      )
      holdVirtual(front, 'add')
      await becomes(front, ALL)
      const without = async (...gone: readonly string[]) => {
        const rest = ALL.filter(one => !gone.includes(one))
        await becomes(front, rest)
      }
      const [ipip, gre, family] =
        front === V6 ? (['any6', 'gre6', ['-6']] as const) : (['tunl0', 'gre4', []] as const)
      gue('del', family)
      await without('gue')
      gue('add', family)
      await becomes(front, ALL)
      // What comes out of a gue tunnel is taken by the interface for ipip.
      for (const [link, ...gone] of [[gre, 'gre'] as const, [ipip, 'ipip', 'gue'] as const]) {
        onServer(`link set ${link} down`)
        await without(...gone)
        onServer(`link set ${link} up`)
        await becomes(front, ALL)
        if (front === V6) continue
        filter(link, 1)
        await without(...gone)
        filter(link, 0)
        await becomes(front, ALL)
      }
    })

  it('have no verdict over IPv4 while the director drops their answers, and say which sysctl is to be set', async () => {
    acceptLocal(0)
    try {
      const lvsd = await startLvsd(writeConfig(config(V4)))
      await becomes(V4, ['masq', 'plain'])
      let detail = ''
      await until(
        async () => {
          const { checks, state } = await lvsd.real('gate', V4.real)
          assert.equal(state, 'unknown')
          detail = checks[0]?.noVerdict?.detail ?? ''
          return detail !== ''
        },
        { what: 'several runs have no verdict' },
      )
      assert.match(detail, /set the sysctl net\.ipv4\.conf\.lan\.accept_local to 1/)
      const { output } = await lvsdCommand('doctor')
      assert.match(output.replace(/\s+/g, ' '), /drops the answers to checks with path: service over IPv4/)
      acceptLocal(1)
      // The next reading of the whole table notices it.
      await ipvsadm('-D', '-t', at(V4, PLAIN))
      await becomes(V4, ALL)
    } finally {
      acceptLocal(1)
    }
  })

  it('survive that another program empties the table: no server goes down for it', async () => {
    const lvsd = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    for (let i = 0; i < 5; i++) {
      await ipvsadm('-C')
      await becomes(V6, ALL)
    }
    assert.deepEqual(lvsd.said('is down'), [])
    assert.deepEqual(
      lvsd.lines.filter(
        ({ event, service }) => event === 'drift.repaired' && String(service).startsWith('fwmark'),
      ),
      [],
    )
  })

  it('go over UDP too, by direct routing and NAT', async () => {
    const echo = (host: string) => {
      const socket = createSocket({ type: 'udp6', lookup: (name, _, found) => found(null, name, 6) })
      socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address, () => {}))
      within('r31', () => socket.bind(53, host))
      return onCleanup(() => void socket.close())
    }
    echo(V6.virtual)
    echo(V6.real)
    const services = ['gate', 'masq'].map(
      (method, i) =>
        `  ${method}: { virtual: '${at(V6, 53 + i)}', protocol: udp, reals: ['${on(V6, 53)} ${method}'] }`,
    )
    const lvsd = await startLvsd(
      writeConfig(`
defaults: { path: service, check: { kind: udp, request: hello, receive: hello, interval: 300ms, timeout: 1s, fall: 1 } }
services:
${services.join('\n')}
`),
    )
    const stateOf = async (service: string) => (await lvsd.real(service, V6.real)).state
    const becomesOf = (gate: string) =>
      until(async () => (await stateOf('gate')) === gate && (await stateOf('masq')) === 'up', {
        what: `gate is ${gate}`,
      })
    await becomesOf('up')
    holdVirtual(V6, 'del')
    await becomesOf('down')
    holdVirtual(V6, 'add')
    await becomesOf('up')
  })

  it('go on where a standby empties the table, so that a takeover serves what is whole, at once', async () => {
    const role = writeConfig('active\n', 'role')
    const cluster = `cluster: { site: lab, role: { from: file, path: ${role} }, standby: { table: empty, checks: on } }`
    const lvsd = await startLvsd(writeConfig(`${config(V6)}${cluster}\n`))
    await becomes(V6, ALL)
    writeConfig('standby\n', 'role')
    await becomes(V6, [])
    const stateOf = async (service: string) => (await lvsd.real(service, V6.real)).state
    holdVirtual(V6, 'del')
    await until(async () => (await stateOf('gate')) === 'down', { what: 'the standby sees the fault' })
    assert.deepEqual([await stateOf('plain'), await stateOf('masq')], ['up', 'up'])
    writeConfig('active\n', 'role')
    await becomes(V6, ['masq', 'plain'])
    holdVirtual(V6, 'add')
    await becomes(V6, ALL)
  })

  it('are not shown as services, and lvsd why says their path', async () => {
    const lvsd = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    const { services } = await lvsd.status()
    assert.deepEqual(
      services.map(({ name }) => name),
      ALL,
    )
    assert.match(
      (await lvsdCommand('why', 'gate/[fc00::31]:80')).output,
      /path\s+of the service: by gate to \[fc00::31\]:80/,
    )
    assert.match((await lvsdCommand('plan', writeConfig(config(V6)))).output, /^Nothing to do/)
    assert.doesNotMatch((await lvsdCommand('status')).output, /fwmark/)
  })

  it('keep their marks over kill -9, and leave nothing behind without the key or after the end', async () => {
    const marks = () => [...readTable(DIRECTOR).keys()].filter(key => key.startsWith('fwmark')).sort()
    const lvsd = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    const before = marks()
    assert.equal(before.length, 6)
    await lvsd.kill()
    assert.deepEqual(marks(), before)
    const again = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    assert.deepEqual(marks(), before)
    await again.kill()
    const without = await startLvsd(writeConfig(config(V6, 'real')))
    await becomes(V6, ALL, 0)
    assert.deepEqual(marks(), [`fwmark ${FOREIGN}`])
    writeConfig(config(V6))
    assert.equal((await lvsdCommand('reload')).code, 0)
    await becomes(V6, ALL)
    assert.equal(await without.stop(), 0)
    assert.deepEqual(marks(), [`fwmark ${FOREIGN}`])
  })

  it('leave nothing behind where the state folder is deleted: doctor names it, and the next start removes it', async () => {
    const marks = () => [...readTable(DIRECTOR).keys()].filter(key => key.startsWith('fwmark')).sort()
    // A user's own service, of the same form and in the same range.
    const own = 0x4c56_0000 + 900
    await ipvsadm('-A', '-f', String(own), '-6', '-s', 'rr', '-o')
    await ipvsadm('-a', '-f', String(own), '-6', '-r', `[${V6.real}]:80`, '-g', '-w', '1')
    const rest = [`fwmark ${own}`, `fwmark ${FOREIGN}`].sort()
    const lvsd = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL, 6)
    const doctor = async () =>
      (await lvsdCommand('doctor', writeConfig(config(V6)))).output.replace(/\s+/g, ' ')
    const running = await doctor()
    assert.doesNotMatch(running, /left of an lvsd that has ended/)
    assert.match(running, new RegExp(`may be left of an earlier lvsd.*ipvsadm -D -f ${own} -6`))
    await lvsd.kill()
    rmSync('/var/lib/lvsd', { recursive: true })
    assert.match(
      await doctor(),
      /5 services on firewall marks are left of an lvsd that has ended.*ipvsadm -D -f 1280704512 -6/,
    )
    const again = await startLvsd(writeConfig(config(V6, 'real')))
    await until(() => marks().length === 2, { what: () => `only those of others stay: ${marks()}` })
    assert.deepEqual(marks(), rest)
    assert.equal(await again.stop(), 0)
    assert.deepEqual(marks(), rest)
    await ipvsadm('-D', '-f', String(own), '-6')
  })

  it('keep their services where a second lvsd starts beside this one', async () => {
    const marks = () => [...readTable(DIRECTOR).keys()].filter(key => key.startsWith('fwmark')).sort()
    await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    const before = marks()
    const settings = 'settings: { socket: /run/site/second.sock, state: /run/site/second }'
    const second = await startLvsd(
      writeConfig(
        `${settings}\nservices:\n  two: { virtual: '[${V6.virtual}]:99', reals: ['[${V6.real}]:80 masq'] }\n`,
        'two.yaml',
      ),
    )
    await until(() => readTable(DIRECTOR).has(`tcp [${V6.virtual}]:99`), { what: 'the second one writes' })
    assert.deepEqual(marks(), before)
    await second.kill()
  })

  it('take other marks where a second lvsd has theirs, and both go on', async () => {
    const first = await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL)
    await first.kill()
    await ipvsadm('-C')
    const two = `
settings: { socket: /run/site/second.sock, state: /run/site/second }
defaults: { check: { kind: http, interval: 300ms, timeout: 1s, fall: 1, rise: 1 } }
services:
  two: { virtual: '[${V6.virtual}]:99', path: service, reals: ['[${V6.real}]:80 masq'] }
`
    const second = await startLvsd(writeConfig(two, 'two.yaml'))
    const isServed = () => readTable(DIRECTOR).get(`tcp [${V6.virtual}]:99`)?.reals.size === 1
    await until(isServed, { what: 'the second one serves' })
    const mark = [...readTable(DIRECTOR)].find(([key]) => key.startsWith('fwmark'))
    assert.ok(mark)
    await startLvsd(writeConfig(config(V6)))
    await becomes(V6, ALL, 6)
    await second.kill()
    assert.deepEqual(readTable(DIRECTOR).get(mark[0]), mark[1], 'that of the second one is as before')
    await startLvsd(writeConfig(two, 'two.yaml'))
    await until(isServed, { what: 'the second one serves after kill -9' })
    await becomes(V6, ALL, 6)
  })
})
