/** The cluster of deploy/cluster/haproxy, running: its programs, and what must hold while all is well. */
import { fetchHealth, fetchStatus, DEFAULT_SOCKET as SOCKET } from '../../../src/api/client.js'
import { until } from '../../support/until.js'
import { MAIN } from '../site/lvsd.js'
import { ip } from '../site/site.js'
import { plain, readTable } from '../site/table.js'
import { hasBoth, hasNone } from './addresses.js'
import { askRedis, fetchOnce } from './client.js'
import { type Limits, layOut, layOutGroup, passwordOf } from './files.js'
import { type Machine, type Program, prepareFolders } from './machines.js'
import { buildNetwork, type MachineName, type Machines } from './network.js'

export const VIRTUAL = { ipv6: '2001:db8::80', ipv4: '192.0.2.80' }
export type DirectorName = 'director1' | 'director2'
export const DIRECTORS: readonly DirectorName[] = ['director1', 'director2']

/** Milliseconds for one request that shows that the cluster serves. */
const LONG = 10_000

/** The table of both directors while all servers are healthy. */
export const DESIRED = {
  [`tcp ${VIRTUAL.ipv4}:80`]: { '192.0.2.11:80': 'route 100', '192.0.2.12:80': 'route 100' },
  [`tcp [${VIRTUAL.ipv6}]:80`]: { '[2001:db8::11]:80': 'route 100', '[2001:db8::12]:80': 'route 100' },
}

const REDIS = { redis1: '2001:db8::41', redis2: '2001:db8::42' }
const SENTINELS = [REDIS.redis1, REDIS.redis2, '2001:db8::11'] as const

export class Cluster {
  readonly machines: Machines
  #isGroup = false
  readonly #programs = new Map<string, Program>()

  constructor(limits: Limits) {
    prepareFolders()
    this.machines = buildNetwork()
    layOut(this.machines, limits)
    for (const program of this.#define())
      this.#programs.set(`${program.machine.name} ${program.name}`, program)
  }

  #define(): Program[] {
    const { director1, director2, haproxy1, haproxy2, redis1, redis2 } = this.machines
    const { application1, application2 } = this.machines
    const application = new URL('application.js', import.meta.url).pathname
    const redis = [redis1, redis2].map(one => one.program('redis', 'redis-server', '/etc/redis/redis.conf'))
    const sentinels = [redis1, redis2, haproxy1].map(one =>
      one.program('sentinel', 'redis-server', '/etc/redis/sentinel.conf', '--sentinel'),
    )
    const pids = ['-p', '/run/keepalived/pid', '-r', '/run/keepalived/vrrp']
    return [
      ...[application1, application2].map(one =>
        one.program('server', process.execPath, application, one.name),
      ),
      ...redis,
      ...sentinels,
      ...[haproxy1, haproxy2].map(one =>
        one.program('haproxy', 'haproxy', '-db', '-f', '/etc/haproxy/haproxy.cfg'),
      ),
      // As the README says: lvsd first, and keepalived with -P.
      ...[director1, director2].flatMap(one => [
        one.program('lvsd', process.execPath, MAIN, 'run', '/etc/lvsd/lvsd.yaml'),
        one.program('keepalived', 'keepalived', '-P', '-n', '-l', '-D', ...pids),
      ]),
    ]
  }

  program(machine: MachineName, name: string): Program {
    const found = this.#programs.get(`${machine} ${name}`)
    if (!found) throw new Error(`${machine} has no ${name}`)
    return found
  }

  get programs(): readonly Program[] {
    return [...this.#programs.values()]
  }

  /** Starts all programs, keepalived after lvsd. */
  async start(): Promise<void> {
    const [last, first] = [true, false].map(isLast =>
      this.programs.filter(({ name }) => (name === 'keepalived') === isLast),
    )
    for (const program of first ?? []) program.start()
    for (const name of DIRECTORS) await this.hasStarted(name)
    for (const program of last ?? []) program.start()
  }

  /** Waits until lvsd of a director has started and its service is up, as systemd would before it starts keepalived. */
  async hasStarted(name: DirectorName): Promise<void> {
    const { output } = this.program(name, 'lvsd')
    const socket = this.machines[name].path(SOCKET)
    const isUp = async () =>
      output().includes('"daemon.started"') &&
      (await fetchHealth(socket, 'web').catch(() => null))?.good === true
    await until(isUp, { what: () => `lvsd of ${name}: ${output()}` })
  }

  /** Both directors go on with keepalived-sync-group.conf. */
  async useSyncGroup(): Promise<void> {
    if (this.#isGroup) return
    this.#isGroup = true
    layOutGroup(this.machines)
    for (const name of [...DIRECTORS].reverse()) {
      for (const part of ['keepalived', 'lvsd']) await this.program(name, part).stop()
      this.program(name, 'lvsd').start()
      await this.hasStarted(name)
      this.program(name, 'keepalived').start()
    }
    await this.settle()
  }

  async end(): Promise<void> {
    for (const program of this.programs) await program.kill(true)
  }

  /** Waits until all is well: addresses, roles, tables, Redis with its replica, and an answer over IPv6 and IPv4. */
  async settle(): Promise<void> {
    const faults = () => [...tableFaults(), ...addressFaults()]
    await until(() => faults().length === 0, { what: () => faults().join('; ') })
    let unsettled = ''
    const isSettled = async () => {
      unsettled = (await this.#directorFault()) ?? (await this.#redisFault()) ?? (await serviceFault()) ?? ''
      return unsettled === '' && faults().length === 0
    }
    await until(isSettled, { what: () => [unsettled, ...faults()].join('; ') })
  }

  async #directorFault(): Promise<string | null> {
    for (const name of DIRECTORS) {
      const cluster = (await statusOf(this.machines[name]))?.cluster
      const role = name === 'director1' ? 'active' : 'standby'
      if (cluster?.role !== role) return `the role of ${name} is ${cluster?.role}`
      if (cluster.redis?.state !== 'connected') return `${name}: Redis is ${cluster.redis?.state}`
      if (cluster.connectivity?.lost) return `${name} has lost its network`
    }
    return null
  }

  async #redisFault(): Promise<string | null> {
    const primary = await this.redisPrimary()
    if (primary === null) return 'no Sentinel names a primary'
    const login = `AUTH default ${passwordOf('default')}`
    const info = await askRedis(REDIS[primary], 6379, login, 'INFO replication')
    if (!/^role:master/m.test(info)) return `${primary} is not yet the primary`
    if (!/^slave0:.*state=online/m.test(info)) return `${primary} has no replica`
    // Without the others, a Sentinel cannot decide.
    for (const host of SENTINELS) {
      const said = await askRedis(host, 26379, 'INFO sentinel')
      if (!/status=ok,.*slaves=1,sentinels=3/.test(said)) return `the Sentinel of ${host}: ${said}`
    }
    return null
  }

  /** Returns the machine that a Sentinel names as the primary. */
  async redisPrimary(): Promise<'redis1' | 'redis2' | null> {
    const said = await askRedis(SENTINELS[2], 26379, 'SENTINEL GET-MASTER-ADDR-BY-NAME lvsd')
    if (said.includes(REDIS.redis1)) return 'redis1'
    return said.includes(REDIS.redis2) ? 'redis2' : null
  }

  /** What the programs said, and the states of the servers of haproxy, for a test that has failed. */
  report(): string {
    const outputs = this.programs.map(
      ({ machine, name, output }) => `--- ${machine.name} ${name}\n${output(true).slice(-6000)}`,
    )
    return outputs.join('\n')
  }

  /** Ends a machine at once: its carrier, its processes, its addresses of VRRP and its table are gone. */
  forget(director: DirectorName): void {
    const has = this.machines[director].run('ip', '-o', 'address', 'show', 'dev', 'eth0')
    for (const address of ['fe80::80/128', `${VIRTUAL.ipv6}/64`, `${VIRTUAL.ipv4}/32`])
      if (has.includes(` ${address}`)) ip(director, [`addr del ${address} dev eth0`])
    this.machines[director].run('ipvsadm', '-C')
    for (const folder of ['/run/lvsd', '/run/keepalived']) this.machines[director].empty(folder)
  }
}

export async function statusOf(machine: Machine) {
  return fetchStatus(machine.path(SOCKET)).catch(() => null)
}

/** Returns the directors whose table is not the one of healthy servers. */
export function tableFaults(): string[] {
  return DIRECTORS.filter(name => JSON.stringify(plain(readTable(name))) !== JSON.stringify(DESIRED)).map(
    name => `the table of ${name} is ${JSON.stringify(plain(readTable(name)))}`,
  )
}

function addressFaults(): string[] {
  const faults = []
  if (!hasBoth('director1')) faults.push('director1 has not both addresses')
  if (!hasNone('director2')) faults.push('director2 has an address')
  return faults
}

async function serviceFault(): Promise<string | null> {
  for (const host of Object.values(VIRTUAL)) {
    const failure = await fetchOnce(host, LONG)
    if (failure !== null) return `${host}: ${failure}`
  }
  return null
}
