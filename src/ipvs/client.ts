/** The kernel's own table, over generic netlink. */
import { setImmediate } from 'node:timers/promises'
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
import { batchSize, type Connection, openConnection, type Socket } from '../netlink/connection.js'
import { NetlinkError } from '../netlink/error.js'
import type { Trace } from '../netlink/print.js'
import { openSocket } from '../netlink/socket.js'
import { SystemError } from '../system/libc.js'
import { daemonState, type IpvsAttributes, type IpvsRequest, ipvs, type ServiceValues } from './attributes.js'
import {
  decodeCounters,
  decodeReal,
  decodeRealCounters,
  decodeService,
  encodeServiceId,
  requestOf,
} from './codec.js'
import { failureOf, refusalOf, refusedHere } from './errors.js'
import type { Expected, Kernel, KernelError } from './kernel.js'

export interface ClientOptions {
  /** Is told of every message to and from the kernel. */
  readonly trace?: Trace
}

export interface Client extends Kernel {
  /** As what this machine's connection synchronization daemon runs; empty where it does not. */
  syncDaemons(): Promise<readonly ('master' | 'backup')[]>
}

/** Connects to this network namespace's table, loading the module where it must. Throws a KernelError. */
export async function openKernel(options: ClientOptions = {}): Promise<Client> {
  const client = connect(
    explained('reach IPVS', () => openSocket()),
    options,
  )
  try {
    // Asked for its permission more than for its answer: anyone may look the family up.
    await client.timeouts()
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

/** A client of whoever answers on `socket`. Closes the socket where nobody does. */
export function connect(socket: Socket, { trace }: ClientOptions = {}): Client {
  try {
    return clientOf(explained('reach IPVS', () => openConnection(socket, ipvs, trace)))
  } catch (error) {
    socket.close()
    throw error
  }
}

type IpvsConnection = Connection<IpvsAttributes>

function clientOf(connection: IpvsConnection): Client {
  return {
    dump: (expected = new Map()) => readTable(connection, expected),
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

    syncDaemons: async () => syncDaemons(connection),
    close: () => connection.close(),
  }
}

// ---------------------------------------------------------------- reading

async function readTable(connection: IpvsConnection, expected: Expected): Promise<Dump> {
  const table = new Map<string, TableService>()
  const services = new Map<string, Counters>()
  const reals = new Map<string, RealCounters>()
  let sinceRest = 0
  for (const { id, service, counters } of await readAllServices(connection, expected)) {
    const key = keyOfService(id)
    const members = readAllReals(connection, id, expected.get(key)?.reals.keys() ?? [])
    const byKey = new Map<string, TableReal>()
    for (const { real, counters } of members) {
      const realKey = keyOfReal(real)
      byKey.set(realKey, real)
      reals.set(`${key} ${realKey}`, counters)
    }
    table.set(key, { id, ...service, reals: byKey })
    services.set(key, counters)
    sinceRest += 1 + members.length
    if (sinceRest < batchSize) continue
    await setImmediate()
    sinceRest = 0
  }
  return { table, services, reals }
}

/** Those that a page has left out are asked for by name. */
async function readAllServices(connection: IpvsConnection, expected: Expected) {
  const services = readServices(connection)
  const found = new Set(services.map(({ id }) => keyOfService(id)))
  const missing = [...expected].filter(([key]) => !found.has(key))
  for (const [i, [, { id }]] of missing.entries()) {
    if (i > 0 && i % batchSize === 0) await setImmediate()
    const service = readService(connection, id)
    if (service) services.push(service)
  }
  return services
}

function readServices(connection: IpvsConnection) {
  return ask(connection, 'read the services of the IPVS table', () =>
    connection.dump({ command: 'GET_SERVICE', values: {} }).flatMap(({ SERVICE = {} }) => {
      return decodedService(SERVICE) ?? []
    }),
  )
}

/** Null where there is no such service. */
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

/** How often the real servers of a service are read, at most, until two readings agree. */
const mostReadings = 4

/** The kernel gives them all together or not at all: where one is missing, all are read again. */
function readAllReals(connection: IpvsConnection, id: ServiceId, expected: Iterable<string>) {
  const keysOf = (members: ReturnType<typeof readReals>) =>
    new Set(members.map(({ real }) => keyOfReal(real)))
  let members = readReals(connection, id)
  let keys = keysOf(members)
  if ([...expected].every(key => keys.has(key))) return members
  for (let reading = 1; reading < mostReadings; reading++) {
    const before = keys
    members = readReals(connection, id)
    keys = keysOf(members)
    if (keys.size === before.size && [...keys].every(key => before.has(key))) break
  }
  return members
}

/** None where the service is gone by now: that is no error to the kernel. */
function readReals(connection: IpvsConnection, id: ServiceId) {
  const request = { command: 'GET_DEST', values: { SERVICE: encodeServiceId(id) } }
  return ask(connection, `read the real servers of ${keyOfService(id)}`, () =>
    connection.dump(request).map(({ DEST = {} }) => ({
      real: decodeReal(familyOf(id), DEST),
      counters: decodeRealCounters(DEST),
    })),
  )
}

function syncDaemons(connection: IpvsConnection): ('master' | 'backup')[] {
  const request = { command: 'GET_DAEMON', values: {} }
  const running = ask(connection, 'ask for the synchronization daemon', () => connection.dump(request))
  return running.map(({ DAEMON }) => (DAEMON?.STATE === daemonState.MASTER ? 'master' : 'backup'))
}

// ---------------------------------------------------------------- writing

async function applyAll(connection: IpvsConnection, changes: readonly Change[]) {
  const outcome: (KernelError | null)[] = changes.map(refusedHere)
  const allowed = changes.flatMap((change, index) => (outcome[index] ? [] : [{ change, index }]))
  for (let from = 0; from < allowed.length; from += batchSize) {
    if (from > 0) await setImmediate()
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

/** One errno name or null for each. Lost answers are the outcome ENOBUFS of the whole batch. */
function applyBatch(connection: IpvsConnection, requests: readonly IpvsRequest[]): (string | null)[] {
  const codes = ask(connection, 'change the IPVS table', () => {
    try {
      return connection.batch(requests)
    } catch (error) {
      if (codeOf(error) !== 'ENOBUFS') throw error
      return requests.map(() => 'ENOBUFS')
    }
  })
  // Each of them unknown: perhaps the family's number is of a module since unloaded.
  const isNumberStale = codes.every(code => code === 'ENOENT') && lookedUp(connection)
  return isNumberStale ? connection.batch(requests) : codes
}

/** Asked only where it may be what a refusal is about. */
function isSyncing(connection: IpvsConnection, change: Change, code: string): boolean {
  if (code !== 'EINVAL' || !('real' in change)) return false
  return change.real.address.family !== familyOf(change.id) && syncDaemons(connection).length > 0
}

// ---------------------------------------------------------------- errors

/** Asks, and asks again where the family's number has changed meanwhile. Throws a KernelError. */
function ask<T>(connection: IpvsConnection, what: string, question: () => T): T {
  return explained(what, () => {
    try {
      return question()
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || !connection.lookUp()) throw error
      return question()
    }
  })
}

function lookedUp(connection: IpvsConnection): boolean {
  return explained('reach IPVS', () => connection.lookUp())
}

function explained<T>(what: string, attempt: () => T): T {
  try {
    return attempt()
  } catch (error) {
    const code = codeOf(error)
    if (code === null) throw error
    throw failureOf(what, code, error)
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof NetlinkError || error instanceof SystemError ? error.code : null
}
