/**
 * Converts between lvsd's model and the kernel's attributes. Pure: a change becomes a request; attributes from a dump
 * become services, real servers and counters.
 *
 * - The forwarding methods LOCALNODE and BYPASS are decoded as `gate`. Since 2.6.37 no kernel sets LOCALNODE by itself
 *   (it decides on local delivery per packet), so only another program can have set it. If another method is desired,
 *   lvsd sets it once and the kernel then reports that one, so there is no permanent drift.
 * - An IPv4 persistence mask with holes has no prefix length. It is decoded as -1, which never equals a desired prefix.
 * - The kernel stores addresses without zones.
 */
import { type Address, addressFromBytes, bytesOf, type Family } from '../core/address.js'
import {
  type Change,
  type Counters,
  type Forwarding,
  familyOf,
  type Protocol,
  type RealCounters,
  type SchedulerFlag,
  type ServiceAttributes,
  type ServiceId,
  type TableReal,
  type TunnelChecksum,
} from '../core/model.js'
import { ownerOfTimeout, timeoutOfOwner } from '../core/path-owner.js'
import { malformed } from '../netlink/error.js'
import {
  AF,
  type DestValues,
  forward,
  IPPROTO,
  type IpvsRequest,
  type ServiceValues,
  type StatsValues,
  serviceFlag,
  tunnelFlag,
  tunnelType,
} from './attributes.js'

const schedulerFlags: readonly (readonly [SchedulerFlag, number])[] = [
  ['flag-1', serviceFlag.SCHED1],
  ['flag-2', serviceFlag.SCHED2],
  ['flag-3', serviceFlag.SCHED3],
]

// ---------------------------------------------------------------- to the kernel

/** Returns the request that executes a change. */
export function requestOf(change: Change): IpvsRequest {
  const id = encodedOnce(change.id)
  switch (change.op) {
    case 'add-service':
      return {
        command: 'NEW_SERVICE',
        values: { SERVICE: { ...id, ...encodeService(change.id, change.service) } },
      }
    case 'set-service':
      return {
        command: 'SET_SERVICE',
        values: { SERVICE: { ...id, ...encodeService(change.id, change.service) } },
      }
    case 'delete-service':
      return { command: 'DEL_SERVICE', values: { SERVICE: id } }
    case 'add-real':
      return { command: 'NEW_DEST', values: { SERVICE: id, DEST: encodeReal(change.real) } }
    case 'set-real':
      return { command: 'SET_DEST', values: { SERVICE: id, DEST: encodeReal(change.real) } }
    case 'delete-real':
      return { command: 'DEL_DEST', values: { SERVICE: id, DEST: encodeRealId(change.was) } }
  }
}

let lastId: { readonly id: ServiceId; readonly values: ServiceValues } | null = null

/** As `encodeServiceId`, for a service that is the same object from one change of its servers to the next. */
function encodedOnce(id: ServiceId): ServiceValues {
  if (lastId?.id !== id) lastId = { id, values: encodeServiceId(id) }
  return lastId.values
}

/** Encodes the identity of a service. */
export function encodeServiceId(id: ServiceId): ServiceValues {
  if (id.kind === 'fwmark') return { AF: AF[id.family], FWMARK: id.fwmark }
  return {
    AF: AF[id.address.family],
    PROTOCOL: IPPROTO[id.protocol],
    ADDR: paddedBytes(id.address),
    PORT: id.port,
  }
}

/** Encodes the attributes of a service. */
export function encodeService(id: ServiceId, attributes: ServiceAttributes): ServiceValues {
  const { scheduler, persistence, owner } = attributes
  const family = familyOf(id)
  return {
    SCHED_NAME: scheduler,
    FLAGS: encodeFlags(flagsOf(attributes)),
    TIMEOUT: persistence?.timeout ?? timeoutOfOwner(owner),
    NETMASK: encodePrefix(family, persistence?.prefix ?? (family === 'ipv6' ? 128 : 32)),
    PE_NAME: persistence?.engine ?? undefined,
  }
}

function flagsOf({ persistence, onePacket, schedulerFlags: chosen }: ServiceAttributes): number {
  const ofScheduler = schedulerFlags.filter(([name]) => chosen.includes(name))
  return ofScheduler.reduce(
    (flags, [, bit]) => flags | bit,
    (persistence ? serviceFlag.PERSISTENT : 0) | (onePacket ? serviceFlag.ONEPACKET : 0),
  )
}

/** Encodes struct ip_vs_flags. The full mask makes the kernel clear the flags that are not set. */
function encodeFlags(flags: number): Uint8Array {
  const value = Buffer.alloc(8)
  value.writeUInt32LE(flags, 0)
  value.writeUInt32LE(0xffffffff, 4)
  return value
}

function encodePrefix(family: Family, prefix: number): number {
  if (family === 'ipv6') return prefix
  const mask = Buffer.alloc(4)
  mask.writeUInt32BE(prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0)
  return mask.readUInt32LE()
}

function encodeRealId({ address, port }: Pick<TableReal, 'address' | 'port'>): DestValues {
  // Without ADDR_FAMILY the kernel assumes the service's family.
  return { ADDR: paddedBytes(address), PORT: port, ADDR_FAMILY: AF[address.family] }
}

function encodeReal(real: TableReal): DestValues {
  const { forwarding } = real
  const tunnel = forwarding === 'gate' || forwarding === 'masq' ? null : forwarding
  return {
    ADDR: paddedBytes(real.address),
    PORT: real.port,
    ADDR_FAMILY: AF[real.address.family],
    FWD_METHOD: tunnel ? forward.TUNNEL : forwarding === 'masq' ? forward.MASQ : forward.DROUTE,
    WEIGHT: real.weight,
    U_THRESH: real.upper,
    L_THRESH: real.lower,
    // The kernel sets omitted tunnel attributes to 0.
    TUN_TYPE: tunnel ? tunnelType[tunnel] : undefined,
    TUN_PORT: tunnel ? real.tunnelPort : undefined,
    TUN_FLAGS: tunnel ? tunnelFlag[real.tunnelChecksum] : undefined,
  }
}

function paddedBytes(address: Address): Uint8Array {
  const padded = new Uint8Array(16)
  padded.set(bytesOf(address))
  return padded
}

// ---------------------------------------------------------------- from the kernel

/**
 * Decodes a service from a dump. Returns null for a protocol that lvsd does not support: another program created that
 * service, and lvsd ignores it.
 */
export function decodeService(values: ServiceValues): { id: ServiceId; service: ServiceAttributes } | null {
  const id = decodeServiceId(values)
  return id && { id, service: decodeServiceAttributes(familyOf(id), values) }
}

/** Decodes the identity of a service. Returns null for a protocol that lvsd does not support. */
export function decodeServiceId(values: ServiceValues): ServiceId | null {
  const family = familyOfNumber(values.AF)
  if (values.FWMARK !== undefined) return { kind: 'fwmark', fwmark: values.FWMARK, family }
  const protocol = protocolOfNumber(values.PROTOCOL)
  if (!protocol) return null
  const { ADDR, PORT } = values
  if (!ADDR || PORT === undefined) throw malformed('a service without its address or port')
  return { kind: 'address', protocol, address: decodeAddress(family, ADDR), port: PORT }
}

function decodeServiceAttributes(family: Family, values: ServiceValues): ServiceAttributes {
  const { SCHED_NAME, FLAGS, TIMEOUT, NETMASK, PE_NAME } = values
  if (SCHED_NAME === undefined || FLAGS?.length !== 8 || TIMEOUT === undefined || NETMASK === undefined)
    throw malformed('a service without its scheduler, flags, timeout or netmask')
  const flags = Buffer.from(FLAGS.buffer, FLAGS.byteOffset, FLAGS.length).readUInt32LE(0)
  const isPersistent = (flags & serviceFlag.PERSISTENT) !== 0
  const owner = isPersistent ? undefined : ownerOfTimeout(TIMEOUT)
  return {
    scheduler: SCHED_NAME,
    schedulerFlags: schedulerFlags.filter(([, bit]) => flags & bit).map(([name]) => name),
    persistence: isPersistent
      ? { timeout: TIMEOUT, prefix: decodePrefix(family, NETMASK), engine: PE_NAME ?? null }
      : null,
    onePacket: (flags & serviceFlag.ONEPACKET) !== 0,
    ...(owner !== undefined && { owner }),
  }
}

function decodePrefix(family: Family, netmask: number): number {
  if (family === 'ipv6') return netmask
  const mask = Buffer.alloc(4)
  mask.writeUInt32LE(netmask)
  const prefix = Math.clz32(~mask.readUInt32BE())
  return encodePrefix('ipv4', prefix) === netmask ? prefix : -1
}

/** Decodes the identity of a real server. `serviceFamily` is the address family of its service. */
export function decodeRealId(serviceFamily: Family, values: DestValues): { address: Address; port: number } {
  const { ADDR, PORT, ADDR_FAMILY } = values
  if (!ADDR || PORT === undefined) throw malformed('a real server without its address or port')
  const family = ADDR_FAMILY === undefined ? serviceFamily : familyOfNumber(ADDR_FAMILY)
  return { address: decodeAddress(family, ADDR), port: PORT }
}

/** Decodes a real server from a dump. `serviceFamily` is the address family of its service. */
export function decodeReal(serviceFamily: Family, values: DestValues): TableReal {
  const { FWD_METHOD, WEIGHT, U_THRESH = 0, L_THRESH = 0 } = values
  if (FWD_METHOD === undefined || WEIGHT === undefined)
    throw malformed('a real server without its forwarding method or weight')
  const { address, port } = decodeRealId(serviceFamily, values)
  const forwarding = forwardingOf(FWD_METHOD, values.TUN_TYPE)
  const isTunnel = forwarding !== 'gate' && forwarding !== 'masq'
  return {
    address,
    port,
    forwarding,
    tunnelPort: isTunnel ? (values.TUN_PORT ?? 0) : 0,
    tunnelChecksum: isTunnel ? checksumOfFlags(values.TUN_FLAGS ?? 0) : 'none',
    weight: WEIGHT,
    upper: U_THRESH,
    lower: L_THRESH,
  }
}

function forwardingOf(method: number, tunnel: number = tunnelType.ipip): Forwarding {
  const kind = method & forward.MASK
  if (kind === forward.MASQ) return 'masq'
  if (kind !== forward.TUNNEL) return 'gate'
  if (tunnel === tunnelType.gue) return 'gue'
  return tunnel === tunnelType.gre ? 'gre' : 'ipip'
}

function checksumOfFlags(flags: number): TunnelChecksum {
  if (flags & tunnelFlag.remcsum) return 'remcsum'
  return flags & tunnelFlag.csum ? 'csum' : 'none'
}

/** Decodes the counters of a service. The kernel sums up its per-CPU counters every two seconds. */
export function decodeCounters(values: StatsValues = {}): Counters {
  return {
    connections: values.CONNS ?? 0,
    inPackets: values.INPKTS ?? 0,
    outPackets: values.OUTPKTS ?? 0,
    inBytes: values.INBYTES ?? 0,
    outBytes: values.OUTBYTES ?? 0,
    connectionRate: values.CPS ?? 0,
    inPacketRate: values.INPPS ?? 0,
    outPacketRate: values.OUTPPS ?? 0,
    inByteRate: values.INBPS ?? 0,
    outByteRate: values.OUTBPS ?? 0,
  }
}

/** Decodes the counters of a real server. */
export function decodeRealCounters(values: DestValues): RealCounters {
  const active = values.ACTIVE_CONNS ?? 0
  const inactive = values.INACT_CONNS ?? 0
  const persistent = values.PERSIST_CONNS ?? 0
  return Object.assign(decodeCounters(values.STATS64), { active, inactive, persistent })
}

function decodeAddress(family: Family, bytes: Uint8Array): Address {
  if (bytes.length !== 16) throw malformed(`an address of ${bytes.length} bytes`)
  return addressFromBytes(family === 'ipv6' ? bytes : bytes.subarray(0, 4))
}

function familyOfNumber(af: number | undefined): Family {
  if (af === AF.ipv6) return 'ipv6'
  if (af === AF.ipv4) return 'ipv4'
  throw malformed(`address family ${af}`)
}

function protocolOfNumber(number: number | undefined): Protocol | null {
  return number === undefined ? null : (PROTOCOLS.get(number) ?? null)
}

const PROTOCOLS: ReadonlyMap<number, Protocol> = new Map(
  Object.entries(IPPROTO).map(([name, number]) => [number, name as Protocol]),
)
