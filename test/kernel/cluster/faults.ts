/** The faults: what becomes of a part of the cluster, and how it comes back. */
import type { Cluster, DirectorName } from './cluster.js'
import { type Cut, cut, type MachineName, mend, plug } from './network.js'

export interface Fault {
  /** The part, as a heading of the table. */
  readonly part: string
  readonly what: string
  readonly goal: string
  /** In the short form. */
  readonly isShort?: true
  /** No request may fail. */
  readonly isUnseen?: true
  /** The haproxy whose real servers may leave the tables. */
  readonly server?: 'haproxy1' | 'haproxy2'
  /** The application server, by its name in haproxy.cfg, that may be down. */
  readonly application?: 'a1'
  /** The director whose own table is not judged: it has died. */
  readonly died?: DirectorName
  /** The directors have a sync group. Such faults are the last ones. */
  readonly inGroup?: true
  begin(cluster: Cluster): unknown
  end(cluster: Cluster): unknown
}

const UNSEEN = '0 failed'

/** Faults of the programs of one part: killed, stopped, and back. */
function ofProgram(
  part: string,
  machine: MachineName,
  name: string,
  rest: {
    readonly goal: string
    readonly isUnseen?: true
    readonly server?: 'haproxy1'
    readonly application?: 'a1'
  },
  group = false,
): [killed: Fault, stopped: Fault] {
  const program = (cluster: Cluster) => cluster.program(machine, name)
  return [
    {
      ...{ part, what: 'killed (SIGKILL), started again', ...rest },
      begin: cluster => program(cluster).kill(group),
      end: cluster => program(cluster).start(),
    },
    {
      ...{ part, what: 'stopped (SIGSTOP), continued', ...rest },
      begin: cluster => program(cluster).signal('SIGSTOP', group),
      end: cluster => program(cluster).signal('SIGCONT', group),
    },
  ]
}

const DIRECTION = { both: 'cut off', from: 'sends nothing', to: 'hears nothing' }

function ofNetwork(
  part: string,
  machine: MachineName,
  goals: Readonly<Record<Cut, string>>,
  rest: Partial<Fault> = {},
): Fault[] {
  return (['both', 'from', 'to'] as const).map(way => ({
    ...{ part, what: DIRECTION[way], goal: goals[way], ...rest },
    begin: () => cut(machine, way),
    end: () => mend(machine, way),
  }))
}

function ofCable(part: string, machine: MachineName, goal: string): Fault {
  const [begin, end] = [() => plug(machine, 'out'), () => plug(machine, 'in')]
  return { part, what: 'cable out', goal, begin, end }
}

async function killDirector(cluster: Cluster, name: DirectorName): Promise<void> {
  plug(name, 'out')
  await Promise.all(cluster.machines[name].programs.map(program => program.kill(true)))
  cluster.forget(name)
}

async function bootDirector(cluster: Cluster, name: DirectorName): Promise<void> {
  plug(name, 'in')
  cluster.program(name, 'lvsd').start()
  await cluster.hasStarted(name)
  cluster.program(name, 'keepalived').start()
}

/** Signals all programs of machines. */
function signalAll(cluster: Cluster, names: readonly MachineName[], signal: NodeJS.Signals): void {
  for (const name of names)
    for (const program of cluster.machines[name].programs) program.signal(signal, true)
}

function ofDirector(part: string, name: DirectorName, goal: string): [killed: Fault, frozen: Fault] {
  return [
    {
      ...{ part, what: 'machine killed, booted', goal, died: name },
      begin: cluster => killDirector(cluster, name),
      end: cluster => bootDirector(cluster, name),
    },
    {
      ...{ part, what: 'machine frozen, goes on', goal },
      begin: cluster => {
        cut(name, 'both')
        signalAll(cluster, [name], 'SIGSTOP')
      },
      end: cluster => {
        signalAll(cluster, [name], 'SIGCONT')
        mend(name, 'both')
      },
    },
  ]
}

function restartOfLvsd(part: string, name: DirectorName): Fault {
  const unseen = { goal: UNSEEN, isUnseen: true } as const
  return {
    ...{ part, what: 'restarted (SIGTERM)', ...unseen },
    begin: async cluster => {
      await cluster.program(name, 'lvsd').stop()
      cluster.program(name, 'lvsd').start()
    },
    end: cluster => cluster.hasStarted(name),
  }
}

/** Faults of the Redis that is the primary when the fault begins. */
function ofPrimary(): Fault[] {
  const part = 'Redis, the primary'
  const unseen = { part, goal: UNSEEN, isUnseen: true } as const
  let primary: 'redis1' | 'redis2' = 'redis1'
  const find = async (cluster: Cluster) => {
    primary = (await cluster.redisPrimary()) ?? primary
    return cluster.program(primary, 'redis')
  }
  const redis = (cluster: Cluster) => cluster.program(primary, 'redis')
  return [
    {
      ...{ ...unseen, what: 'killed (SIGKILL), started again', isShort: true as const },
      begin: async cluster => (await find(cluster)).kill(),
      end: cluster => redis(cluster).start(),
    },
    {
      ...{ ...unseen, what: 'stopped (SIGSTOP), continued' },
      begin: async cluster => (await find(cluster)).signal('SIGSTOP'),
      end: cluster => redis(cluster).signal('SIGCONT'),
    },
    ...(['both', 'from', 'to'] as const).map(
      (way): Fault => ({
        ...{ ...unseen, what: `machine ${DIRECTION[way]}` },
        begin: async cluster => {
          await find(cluster)
          cut(primary, way)
        },
        end: () => mend(primary, way),
      }),
    ),
  ]
}

const REDIS = ['redis1', 'redis2'] as const

function ofAllRedis(): Fault[] {
  const unseen = { part: 'Redis and Sentinel, all', goal: UNSEEN, isUnseen: true } as const
  const programs = (cluster: Cluster) =>
    cluster.programs.filter(({ name }) => name === 'redis' || name === 'sentinel')
  return [
    {
      ...{ ...unseen, what: 'killed (SIGKILL), started again' },
      begin: cluster => Promise.all(programs(cluster).map(program => program.kill())),
      end: cluster => programs(cluster).map(program => program.start()),
    },
    {
      ...{ ...unseen, what: 'stopped (SIGSTOP), continued', isShort: true as const },
      begin: cluster => programs(cluster).map(program => program.signal('SIGSTOP')),
      end: cluster => programs(cluster).map(program => program.signal('SIGCONT')),
    },
    {
      ...{ ...unseen, what: 'both machines cut off' },
      begin: () => REDIS.map(name => cut(name, 'both')),
      end: () => REDIS.map(name => mend(name, 'both')),
    },
  ]
}

const ACTIVE = 'director 1, active'
const STANDBY = 'director 2, standby'
const TAKEOVER = 'the VRRP time alone, about 0.7 s'
const DETECTION = 'what detection costs, about 2 s'
const unseen = { goal: UNSEEN, isUnseen: true } as const
const short = { isShort: true } as const

const [lvsdKilled, lvsdStopped] = ofProgram('lvsd of director 1', 'director1', 'lvsd', unseen)
const [activeKilled, activeFrozen] = ofDirector(ACTIVE, 'director1', TAKEOVER)
const [haproxyKilled, haproxyStopped] = ofProgram('haproxy 1', 'haproxy1', 'haproxy', {
  ...{ goal: DETECTION, server: 'haproxy1' },
})

/** All faults of the long form, in the order of the table. */
export const FAULTS: readonly Fault[] = [
  { part: 'none', what: 'nothing happens', goal: UNSEEN, isUnseen: true, begin: () => {}, end: () => {} },
  { ...activeKilled, ...short },
  activeFrozen,
  ...ofNetwork(ACTIVE, 'director1', {
    both: TAKEOVER,
    from: TAKEOVER,
    to: 'until its lvsd has lost the gateway, about 5 s',
  }).map(fault => (fault.what === DIRECTION.to ? { ...fault, ...short } : fault)),
  ofCable(ACTIVE, 'director1', TAKEOVER),
  ...ofDirector(STANDBY, 'director2', UNSEEN),
  ...ofNetwork(STANDBY, 'director2', {
    both: UNSEEN,
    from: UNSEEN,
    to: 'until director 1 announces the address again',
  }),
  ofCable(STANDBY, 'director2', UNSEEN),
  { ...lvsdKilled, ...short },
  lvsdStopped,
  restartOfLvsd('lvsd of director 1', 'director1'),
  ...ofProgram('lvsd of director 2', 'director2', 'lvsd', unseen),
  ...ofProgram('keepalived of director 1', 'director1', 'keepalived', { goal: TAKEOVER }, true),
  ...ofProgram('keepalived of director 2', 'director2', 'keepalived', unseen, true),
  { ...haproxyKilled, ...short },
  haproxyStopped,
  ...ofNetwork(
    'haproxy 1',
    'haproxy1',
    { both: DETECTION, from: DETECTION, to: DETECTION },
    { server: 'haproxy1' },
  ),
  ...ofProgram('application server 1', 'application1', 'server', {
    ...{ goal: 'killed: 0; stopped: what detection costs', application: 'a1' },
  }),
  ...ofNetwork(
    'application server 1',
    'application1',
    { both: DETECTION, from: DETECTION, to: DETECTION },
    { application: 'a1' },
  ),
  ...ofPrimary(),
  ...ofAllRedis(),
  ...ofNetwork('gateway', 'gateway', {
    both: 'the fault itself; back at once',
    from: 'the fault itself; back at once',
    to: 'the fault itself; back at once',
  }),
  ...ofNetwork(
    'director 1, active in a sync group',
    'director1',
    { both: TAKEOVER, from: TAKEOVER, to: 'none: it keeps the addresses as long as the other one hears it' },
    { inGroup: true },
  ),
]
