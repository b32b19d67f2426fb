/** Implements the rules of the kernel's IPVS table (net/netfilter/ipvs/ip_vs_ctl.c), with its terms and errno values. */
import { type Address, isLinkLocal, isMapped } from '../core/address.js'
import { familyOf, keyOfReal, keyOfService, type Timeouts } from '../core/model.js'
import {
  AF,
  type Command,
  type DaemonValues,
  type DestValues,
  forward,
  type IpvsValues,
  type ServiceValues,
  serviceFlag,
  tunnelType,
} from './attributes.js'
import { decodeRealId, decodeServiceId } from './codec.js'

/** The kernel modules that can be loaded. */
export interface Modules {
  readonly schedulers: readonly string[]
  readonly engines: readonly string[]
}

const allModules: Modules = {
  schedulers: 'none rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos'.split(' '),
  engines: ['sip'],
}

export interface MemoryTable {
  timeouts: Timeouts
  /** By IPVS_DAEMON_ATTR_STATE. */
  readonly syncDaemons: Map<number, DaemonValues>
  /** Executes a command. Returns null, or the errno name if it is refused. */
  change(command: Command, values: IpvsValues): string | null
  services(): readonly ServiceValues[]
  /** Returns the real servers, newest first as in the kernel; empty if the service does not exist. */
  reals(service: ServiceValues): readonly DestValues[]
}

interface Held {
  values: ServiceValues
  readonly reals: Map<string, DestValues>
}

export function memoryTable(modules: Modules = allModules): MemoryTable {
  const services = new Map<string, Held>()

  const table: MemoryTable = {
    timeouts: { tcp: 900, tcpFin: 120, udp: 300 },
    syncDaemons: new Map(),

    change(command, values) {
      if (command === 'SET_CONFIG') return setTimeouts(values)
      const { SERVICE, DEST, DAEMON } = values
      if (DAEMON) return changeDaemon(command, DAEMON)
      if (!SERVICE || isNameTooLong(SERVICE)) return 'EINVAL'
      const key = keyOf({ SERVICE })
      const held = services.get(key)
      if (command === 'NEW_SERVICE') {
        const code = held ? 'EEXIST' : objectionToService(SERVICE, modules)
        if (!code) services.set(key, { values: SERVICE, reals: new Map() })
        return code
      }
      if (!held) return 'ESRCH'
      if (command === 'SET_SERVICE') {
        const code = objectionToService(SERVICE, modules)
        if (!code) held.values = SERVICE
        return code
      }
      if (command === 'DEL_SERVICE') {
        services.delete(key)
        return null
      }
      if (!DEST) return 'EINVAL'
      return changeReal(held.reals, keyOf({ SERVICE, DEST }), command, DEST, objectionToFamily(SERVICE, DEST))
    },

    services: () => [...services.values()].map(({ values }) => asDumped(values)),

    reals: service => [...(services.get(keyOf({ SERVICE: service }))?.reals.values() ?? [])].reverse(),
  }

  function setTimeouts({ TIMEOUT_TCP, TIMEOUT_TCP_FIN, TIMEOUT_UDP }: IpvsValues): null {
    const { tcp, tcpFin, udp } = table.timeouts
    table.timeouts = { tcp: TIMEOUT_TCP || tcp, tcpFin: TIMEOUT_TCP_FIN || tcpFin, udp: TIMEOUT_UDP || udp }
    return null
  }

  function changeDaemon(command: Command, daemon: DaemonValues): string | null {
    const { STATE = 0 } = daemon
    if (command === 'DEL_DAEMON') return table.syncDaemons.delete(STATE) ? null : 'ESRCH'
    if (daemon.MCAST_IFN === undefined || daemon.SYNC_ID === undefined) return 'EINVAL'
    if (table.syncDaemons.has(STATE)) return 'EEXIST'
    table.syncDaemons.set(STATE, daemon)
    return null
  }

  /** Refuses a real server of the other family without a tunnel, or while the synchronization daemon runs. */
  function objectionToFamily(service: ServiceValues, dest: DestValues): string | null {
    if (dest.ADDR_FAMILY === undefined || dest.ADDR_FAMILY === service.AF) return null
    if (table.syncDaemons.size > 0) return 'EINVAL'
    return dest.FWD_METHOD === forward.TUNNEL ? null : 'EINVAL'
  }

  return table
}

/** Returns `keyOfService`, with a space and `keyOfReal` if DEST is present; empty if it cannot be decoded. */
export function keyOf({ SERVICE, DEST }: Pick<IpvsValues, 'SERVICE' | 'DEST'>): string {
  const id = SERVICE && decodeServiceId(SERVICE)
  if (!id) return ''
  return DEST ? `${keyOfService(id)} ${keyOfReal(decodeRealId(familyOf(id), DEST))}` : keyOfService(id)
}

// ---------------------------------------------------------------- services

/** The kernel's attribute policy refuses such a message before it executes the command. */
function isNameTooLong({ SCHED_NAME = '', PE_NAME = '' }: ServiceValues): boolean {
  return SCHED_NAME.length > 15 || PE_NAME.length > 16
}

function objectionToService(service: ServiceValues, { schedulers, engines }: Modules): string | null {
  const { SCHED_NAME, PE_NAME, FLAGS, TIMEOUT, NETMASK, AF: af } = service
  if (SCHED_NAME === undefined || !FLAGS || TIMEOUT === undefined || NETMASK === undefined) return 'EINVAL'
  if (!schedulers.includes(SCHED_NAME)) return 'ENOENT'
  if (PE_NAME && !engines.includes(PE_NAME)) return 'ENOENT'
  return af === AF.ipv6 && (NETMASK < 1 || NETMASK > 128) ? 'EINVAL' : null
}

/** Adds the HASHED flag, which the kernel sets itself. */
function asDumped(service: ServiceValues): ServiceValues {
  const FLAGS = Buffer.from(service.FLAGS ?? new Uint8Array(8))
  FLAGS.writeUInt32LE(FLAGS.readUInt32LE(0) | serviceFlag.HASHED, 0)
  return { ...service, FLAGS }
}

// ---------------------------------------------------------------- real servers

function changeReal(
  reals: Map<string, DestValues>,
  key: string,
  command: Command,
  dest: DestValues,
  objection: string | null,
): string | null {
  if (command === 'DEL_DEST') return reals.delete(key) ? null : 'ENOENT'
  const code = objectionToReal(dest, objection)
  if (code) return code
  const isThere = reals.has(key)
  if (command === 'SET_DEST' && !isThere) return 'ENOENT'
  if (command === 'NEW_DEST' && isThere) return 'EEXIST'
  if (command === 'NEW_DEST' && !isForwardable(decodeRealId('ipv6', dest).address)) return 'EINVAL'
  reals.set(key, dest)
  return null
}

function objectionToReal(dest: DestValues, objectionToFamily: string | null): string | null {
  const { FWD_METHOD, WEIGHT, U_THRESH, L_THRESH, TUN_TYPE, TUN_PORT } = dest
  const isFull = [FWD_METHOD, WEIGHT, U_THRESH, L_THRESH].every(value => value !== undefined)
  if (!isFull) return 'EINVAL'
  if (objectionToFamily) return objectionToFamily
  if ((WEIGHT ?? 0) > 0x7fffffff || (L_THRESH ?? 0) > (U_THRESH ?? 0)) return 'ERANGE'
  return TUN_TYPE === tunnelType.gue && !TUN_PORT ? 'EINVAL' : null
}

/** True for a unicast address, not link-local or IPv4-mapped. The machine's own addresses are not checked. */
function isForwardable(address: Address): boolean {
  if (address.family === 'ipv4') {
    const first = Number(address.text.split('.')[0])
    return first !== 0 && (first < 224 || first > 239) && address.text !== '255.255.255.255'
  }
  const isOther = isLinkLocal(address) || isMapped(address)
  return address.text !== '::' && !address.text.startsWith('ff') && !isOther
}
