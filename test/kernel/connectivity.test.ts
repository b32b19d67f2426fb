/**
 * Two directors with keepalived, whose real server is behind their gateway. The gateway no longer answers one of them, or
 * both.
 *
 *   d1 fc00:1::d1 ─┐
 *                  ├─ lan ─ gateway fc00:1::1 ─── real server fc00:2::11
 *   d2 fc00:1::d2 ─┘
 *   The virtual address fc00:1::80 is on the one that keepalived has chosen.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fetchHealth, fetchStatus } from '../../src/api/client.js'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { type Lvsd, startLvsd } from './site/lvsd.js'
import { addNamespace, within } from './site/namespaces.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { ip, set } from './site/site.js'
import { plain, readTable } from './site/table.js'
import { watchTable } from './site/watcher.js'

const VIRTUAL = 'fc00:1::80'
const KEY = `tcp [${VIRTUAL}]:80`
const SERVER = { '[fc00:2::11]:80': 'masq 1' }

const folderOf = (name: string) => join('/run', name)

const config = (name: string) => `
settings: { socket: ${folderOf(name)}/lvsd.sock, state: ${folderOf(name)}/state, resync: 1s }
cluster:
  role: { from: vrrp, address: '${VIRTUAL}' }
  connectivity: { gateways: ['fc00:1::1'], interval: 500ms, timeout: 500ms }
  track-file: { path: ${folderOf(name)}/priority, weight: 60 }
services:
  web:
    virtual: '[${VIRTUAL}]:80'
    check: { kind: http, interval: 1s, timeout: 3s, fastinter: 500ms, fall: 2, rise: 1 }
    reals: ['[fc00:2::11]:80 masq 1']
`

const keepalived = (name: string, priority: number) => `
global_defs {
  router_id ${name}
}
track_file lvsd {
  file ${folderOf(name)}/priority
  weight 1
}
vrrp_instance VI {
  state BACKUP
  interface eth0
  virtual_router_id 80
  priority ${priority}
  version 3
  advert_int 0.2
  virtual_ipaddress {
    fe80::80
    ${VIRTUAL}/64 preferred_lft 0
  }
  track_file {
    lvsd
  }
}
`

interface Director {
  readonly name: string
  readonly lvsd: Lvsd
  /** How often keepalived has become the master. */
  readonly turns: number
  /** True if the virtual address is on it. */
  readonly hasAddress: boolean
  readonly tracked: number
  readonly socket: string
}

function buildNetwork(): void {
  createServer().listen().close()
  for (const name of ['gateway', 'd1', 'd2', 'server']) {
    addNamespace(name)
    within(name, () => {
      set('ipv6/conf/all/forwarding', name === 'server' ? 0 : 1)
      set('ipv6/conf/default/accept_dad', 0)
    })
    ip(name, ['link set lo up'])
  }
  ip('gateway', [
    'link add lan type bridge mcast_snooping 0',
    'addr add fc00:1::1/64 dev lan nodad',
    'link set lan up',
    'link add d1 type veth peer name eth0 netns d1',
    'link add d2 type veth peer name eth0 netns d2',
    'link add server type veth peer name eth0 netns server',
    'link set d1 master lan up',
    'link set d2 master lan up',
    'addr add fc00:2::1/64 dev server nodad',
    'link set server up',
  ])
  for (const name of ['d1', 'd2'])
    ip(name, [
      `addr add fc00:1::${name}/64 dev eth0 nodad`,
      'link set eth0 up',
      'route add default via fc00:1::1',
    ])
  // Loads IPVS, so that its table can be read.
  execFileSync('ipvsadm', ['-Ln'])
  ip('server', [
    'addr add fc00:2::11/64 dev eth0 nodad',
    'link set eth0 up',
    'route add default via fc00:2::1',
  ])
}

/** The gateway no longer sends anything to a director: neither replies to its pings nor answers of the real server. */
function cut(...names: readonly string[]): void {
  for (const name of names) ip('gateway', [`route add blackhole fc00:1::${name}/128`])
}

function mend(...names: readonly string[]): void {
  for (const name of names) ip('gateway', [`route del blackhole fc00:1::${name}/128`])
}

async function startDirector(name: string, priority: number): Promise<Director> {
  const folder = folderOf(name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'site.yaml'), config(name))
  writeFileSync(join(folder, 'keepalived.conf'), keepalived(name, priority))
  const lvsd = await startLvsd(join(folder, 'site.yaml'), name)
  const words = [
    '-P',
    '-n',
    '-l',
    '-D',
    '-f',
    `${folder}/keepalived.conf`,
    '-p',
    `${folder}/pid`,
    '-r',
    `${folder}/vrrp`,
  ]
  const child = within(name, () => spawn('keepalived', words, { stdio: ['ignore', 'pipe', 'pipe'] }))
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', chunk => {
      said += chunk
    })
  onCleanup(async () => {
    const ended = once(child, 'exit')
    child.kill()
    await ended
  })
  const director = {
    name,
    lvsd,
    socket: join(folder, 'lvsd.sock'),
    get turns() {
      return said.split('Entering MASTER STATE').length - 1
    },
    get hasAddress() {
      return execFileSync('ip', ['-n', name, '-6', 'addr', 'show', 'dev', 'eth0']).includes(`${VIRTUAL}/`)
    },
    get tracked() {
      return Number(readFileSync(join(folder, 'priority'), 'utf8'))
    },
  }
  await until(() => said.includes('Entering BACKUP STATE'), {
    what: () => `keepalived of ${name}; it said:\n${said}`,
  })
  return director
}

const isLost = async ({ socket }: Director) =>
  (await fetchStatus(socket)).cluster?.connectivity?.lost?.detail ?? null
const role = async ({ socket }: Director) => (await fetchStatus(socket)).cluster?.role

describe('connectivity: two directors with keepalived', () => {
  let server: RealServer
  let [d1, d2]: Director[] = []
  before(buildNetwork)
  beforeEach(async () => {
    server = startRealServer('server')
    d1 = await startDirector('d1', 120)
    await until(() => d1?.hasAddress ?? false, { what: 'the address on d1' })
    d2 = await startDirector('d2', 100)
    for (const name of ['d1', 'd2'])
      await until(() => JSON.stringify(plain(readTable(name))) === JSON.stringify({ [KEY]: SERVER }), {
        what: `the table of ${name}`,
      })
  })

  it('the address moves once from a director that has lost its gateway, never while both have, and no table changes', async () => {
    if (!d1 || !d2) throw new Error('no directors')
    const [first, second] = [d1, d2]
    const both = [first, second]
    /** What keepalived says arrives later than what it does. */
    const turned = (turns: readonly number[]) =>
      until(() => JSON.stringify([first.turns, second.turns]) === JSON.stringify(turns), {
        what: () => `${turns} turns: ${[first.turns, second.turns]}`,
      })
    const watchers = both.map(({ name }) => watchTable(name))

    cut('d1')
    await first.lvsd.hears('this director has lost its network')
    await until(() => second.hasAddress && !first.hasAddress, { what: 'the address on d2' })
    await until(async () => (await role(second)) === 'active' && (await role(first)) === 'standby', {
      what: 'the roles',
    })
    const health = await fetchHealth(first.socket, null)
    assert.deepEqual(
      [health.good, health.reason],
      [false, 'the network is lost: the gateway fc00:1::1 does not answer pings'],
    )
    assert.equal((await fetchHealth(second.socket, 'web')).good, true)
    await turned([1, 1])
    assert.deepEqual([first.tracked, second.tracked], [-60, 0])

    mend('d1')
    await until(() => first.hasAddress && !second.hasAddress, { what: 'the address on d1 again' })
    await until(() => first.tracked === 0 && second.tracked === 0, { what: 'both good' })
    await turned([2, 1])
    await until(async () => (await role(second)) === 'standby', { what: 'd2 standby' })

    cut('d1', 'd2')
    for (const { lvsd } of both) await lvsd.hears('this director has lost its network')
    await until(() => first.tracked === -60 && second.tracked === -60, { what: 'both bad' })
    for (const director of both)
      assert.equal(await isLost(director), 'the gateway fc00:1::1 does not answer pings')
    assert.ok(first.hasAddress && !second.hasAddress)

    mend('d1', 'd2')
    for (const { lvsd } of both) await lvsd.hears('this director has its network again')
    await until(() => first.tracked === 0 && second.tracked === 0, { what: 'both good again' })
    assert.ok(first.hasAddress && !second.hasAddress)
    await turned([2, 1])
    assert.deepEqual(
      watchers.map(watcher => watcher.take()),
      [[], []],
    )
    for (const { lvsd } of both) assert.equal(lvsd.said('real server down').length, 0)

    server.kill()
    for (const { lvsd } of both) await lvsd.hears('real server down')
  })
})
