/** Reads and changes the kernel's IPVS table over generic netlink. */
import {
  type Change,
  type Counters,
  type Dump,
  familyOf,
  keyOfReal,
  keyOfService,
  type RealCounters,
  type ServiceId,
  type TableReal,
  type TableService,
} from '../core/model.js'
import type { SyncDaemon } from '../core/sync-daemon.js'
import { batchSize, openConnection, type Socket } from '../netlink/connection.js'
import type { Trace } from '../netlink/print.js'
import { openSocket } from '../netlink/socket.js'
import { eachInSteps, LONG_STEP, ownTurn, runSliced, type Sliced } from '../util/time-slice.js'
import { ActiveCounts } from './active-counts.js'
import { ask, codeOf, explained, explaining, type IpvsConnection, LONG_READING, lookedUp } from './ask.js'
import { type IpvsRequest, ipvs, levels, type ServiceValues } from './attributes.js'
import {
  decodeCounters,
  decodeReal,
  decodeRealCounters,
  decodeService,
  encodeServiceId,
  requestOf,
} from './codec.js'
import { failureOf, refusalOf, refusedHere } from './errors.js'
import { type CountedReal, type Expected, type Kernel, KernelError, type SyncControl } from './kernel.js'
import { levelWithout, SteadyWords } from './steady-words.js'
import { decodeDaemon, encodeDaemon, encodeState } from './sync-codec.js'
import { TableLook } from './table-look.js'

const wholeDest = levelWithout(levels.dest, [])

export interface ClientOptions {
  /** Receives a line for every message to and from the kernel. */
  readonly trace?: Trace
}

export interface Client extends Kernel {
  readonly sync: SyncControl
  /** Returns the roles in which the kernel's connection synchronization daemon runs; empty if it does not run. */
  syncDaemons(): Promise<readonly ('master' | 'backup')[]>
}

/** Connects to the table of this network namespace. The kernel loads the module if needed. Throws a KernelError. */
export async function openKernel(options: ClientOptions = {}): Promise<Client> {
  const client = connect(
    explained('reach IPVS', () => openSocket()),
    options,
  )
  try {
    // This call checks the permission: looking up the family needs none.
    await client.timeouts()
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

/**
 * Returns a client for the kernel, or its replacement in tests, at the other end of `socket`. Throws a KernelError and
 * closes the socket if IPVS is not available.
 */
export function connect(socket: Socket, { trace }: ClientOptions = {}): Client {
  try {
    return clientOf(explained('reach IPVS', () => openConnection(socket, ipvs, trace)))
  } catch (error) {
    socket.close()
    throw error
  }
}

function clientOf(connection: IpvsConnection): Client {
  const look = new TableLook(connection)
  const active = new ActiveCounts(connection)
  return {
    look: () => look.read(),
    lookAtServices: () => look.readServices(),
    active: id => active.read(id),
    dump: (expected = new Map()) => runSliced(readingTable(connection, expected)),
    reals: async (id, expected = []) => {
      const members = await runSliced(readingAllReals(connection, id, [...expected]))
      return new Map(members.map(member => [keyOfReal(member.real), member]))
    },
    apply: changes => applyAll(connection, changes),

    async timeouts() {
      const request = { command: 'GET_CONFIG', values: {} }
      const values = ask(connection, 'read the IPVS timeouts', () => connection.get(request))
      const { TIMEOUT_TCP: tcp = 0, TIMEOUT_TCP_FIN: tcpFin = 0, TIMEOUT_UDP: udp = 0 } = values
      return { tcp, tcpFin, udp }
    },

    async setTimeouts({ tcp, tcpFin, udp }) {
      const what = `set the IPVS timeouts to ${tcp}, ${tcpFin} and ${udp} s`
      const values = { TIMEOUT_TCP: tcp, TIMEOUT_TCP_FIN: tcpFin, TIMEOUT_UDP: udp }
      const [code] = ask(connection, what, () => connection.batch([{ command: 'SET_CONFIG', values }]))
      if (code) throw failureOf(what, code)
    },

    syncDaemons: async () => syncDaemons(connection).map(({ state }) => state),
    sync: {
      daemons: async () => syncDaemons(connection),

      async start(daemon) {
        const what = `start the ${daemon.state} sync daemon on ${daemon.interface}`
        const values = { DAEMON: encodeDaemon(daemon) }
        const code = ordered(connection, what, { command: 'NEW_DAEMON', values })
        if (code) throw new KernelError(`cannot ${what}: ${SYNC_REFUSALS[code] ?? code}`, code)
      },

      async stop(state) {
        const what = `stop the ${state} sync daemon`
        const code = ordered(connection, what, {
          command: 'DEL_DAEMON',
          values: { DAEMON: encodeState(state) },
        })
        if (code && code !== 'ESRCH') throw failureOf(what, code)
      },
    },
    close: () => connection.close(),
  }
}

// ---------------------------------------------------------------- reading

function* readingTable(connection: IpvsConnection, expected: Expected): Sliced<Dump> {
  const table = new Map<string, TableService>()
  const services = new Map<string, Counters>()
  const reals = new Map<string, RealCounters>()
  for (const { id, service, counters } of yield* readingAllServices(connection, expected)) {
    const key = keyOfService(id)
    const members = yield* readingAllReals(connection, id, [...(expected.get(key)?.reals.keys() ?? [])])
    const byKey = new Map<string, TableReal>()
    yield* eachInSteps(members, ({ real, counters }) => {
      const realKey = keyOfReal(real)
      byKey.set(realKey, real)
      reals.set(`${key} ${realKey}`, counters)
    })
    table.set(key, { id, ...service, reals: byKey })
    services.set(key, counters)
    yield
  }
  return { table, services, reals }
}

/** Reads all services. The dump may omit a service (see `Kernel.dump`), so each missing one is then requested by its id. */
function* readingAllServices(
  connection: IpvsConnection,
  expected: Expected,
): Sliced<ReturnType<typeof readServices>> {
  const services = readServices(connection)
  const found = new Set(services.map(({ id }) => keyOfService(id)))
  const missing = [...expected].filter(([key]) => !found.has(key))
  yield* eachInSteps(missing, ([, { id }]) => {
    const service = readService(connection, id)
    if (service) services.push(service)
  })
  return services
}

function readServices(connection: IpvsConnection) {
  return ask(connection, 'read the services of the IPVS table', () =>
    connection.dump({ command: 'GET_SERVICE', values: {} }).flatMap(({ SERVICE = {} }) => {
      return decodedService(SERVICE) ?? []
    }),
  )
}

/** Returns null if the service does not exist. */
function readService(connection: IpvsConnection, id: ServiceId) {
  const request = { command: 'GET_SERVICE', values: { SERVICE: encodeServiceId(id) } }
  return ask(connection, `read the service ${keyOfService(id)}`, () => {
    try {
      return decodedService(connection.get(request).SERVICE ?? {})
    } catch (error) {
      if (codeOf(error) === 'ESRCH') return null
      throw error
    }
  })
}

function decodedService(values: ServiceValues) {
  const decoded = decodeService(values)
  return decoded && { ...decoded, counters: decodeCounters(values.STATS64) }
}

/** Maximum number of reads of a service's real servers until two consecutive reads agree. */
const mostReadings = 4

/** The kernel returns real servers only as a complete list, so if one is missing, all are read again. */
function* readingAllReals(
  connection: IpvsConnection,
  id: ServiceId,
  expected: readonly string[],
): Sliced<CountedReal[]> {
  const keysOf = (members: readonly CountedReal[]) => new Set(members.map(({ real }) => keyOfReal(real)))
  if (expected.length >= LONG_READING) yield LONG_STEP
  let members = yield* readingReals(connection, id)
  let keys = keysOf(members)
  if (expected.every(key => keys.has(key))) return members
  for (let reading = 1; reading < mostReadings; reading++) {
    const before = keys
    members = yield* readingReals(connection, id)
    keys = keysOf(members)
    if (keys.size === before.size && [...keys].every(key => before.has(key))) break
  }
  return members
}

/** Returns an empty list if the service no longer exists; the kernel does not report an error then. */
function* readingReals(connection: IpvsConnection, id: ServiceId): Sliced<CountedReal[]> {
  const request = { command: 'GET_DEST', values: { SERVICE: encodeServiceId(id) } }
  const what = `read the real servers of ${keyOfService(id)}`
  const words = new SteadyWords(wholeDest)
  ask(connection, what, () => connection.scan(request, words.visitor()))
  const members: CountedReal[] = []
  const family = familyOf(id)
  yield* eachInSteps(yield* explaining(what, words.decoding()), values => {
    members.push({ real: decodeReal(family, values), counters: decodeRealCounters(values) })
  })
  return members
}

const SYNC_REFUSALS: Readonly<Record<string, string>> = {
  EINVAL:
    'the kernel refuses it while a service has real servers of the other family, and a group of the other family than the interface',
  ENODEV: 'there is no such interface',
  ENOENT: 'there is no such interface',
  EADDRNOTAVAIL: 'the interface has no address to send from',
  EEXIST: 'another program has started one',
  EPERM: 'not permitted: it takes CAP_NET_ADMIN',
}

function ordered(connection: IpvsConnection, what: string, request: IpvsRequest): string | null {
  return ask(connection, what, () => connection.batch([request]))[0] ?? null
}

function syncDaemons(connection: IpvsConnection): SyncDaemon[] {
  const request = { command: 'GET_DAEMON', values: {} }
  const running = ask(connection, 'ask for the synchronization daemon', () => connection.dump(request))
  return running.map(({ DAEMON }) => decodeDaemon(DAEMON ?? {}))
}

// ---------------------------------------------------------------- writing

async function applyAll(connection: IpvsConnection, changes: readonly Change[]) {
  const outcome: (KernelError | null)[] = changes.map(refusedHere)
  const allowed = changes.flatMap((change, index) => (outcome[index] ? [] : [{ change, index }]))
  for (let from = 0; from < allowed.length; from += batchSize) {
    if (from > 0) await ownTurn()
    const batch = allowed.slice(from, from + batchSize)
    const codes = applyBatch(
      connection,
      batch.map(({ change }) => requestOf(change)),
    )
    for (const [i, { change, index }] of batch.entries()) {
      const code = codes[i]
      if (code) outcome[index] = refusalOf(change, code, { isSyncing: isSyncing(connection, change, code) })
    }
  }
  return outcome
}

/** Returns an errno name or null for each request. If answers are lost, the whole batch has the outcome ENOBUFS. */
function applyBatch(connection: IpvsConnection, requests: readonly IpvsRequest[]): (string | null)[] {
  const codes = ask(connection, 'change the IPVS table', () => {
    try {
      return connection.batch(requests)
    } catch (error) {
      if (codeOf(error) !== 'ENOBUFS') throw error
      return requests.map(() => 'ENOBUFS')
    }
  })
  // If all requests fail with ENOENT, the module may have been reloaded and the family's number may be outdated.
  const isNumberStale = codes.every(code => code === 'ENOENT') && lookedUp(connection)
  return isNumberStale ? connection.batch(requests) : codes
}

/** Called only for a refusal that the synchronization daemon may explain. */
function isSyncing(connection: IpvsConnection, change: Change, code: string): boolean {
  if (code !== 'EINVAL' || !('real' in change)) return false
  return change.real.address.family !== familyOf(change.id) && syncDaemons(connection).length > 0
}
