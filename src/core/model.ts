/**
 * The types of lvsd's domain: plain frozen values without clocks, sockets or behaviour beyond identity. The terms are
 * those of the field: service (virtual service), real (real server), check, weight, quiescent, fallback.
 */

import { type Address, endpoint, type Family, isName, literalAddress } from './address.js'
import type { AlertReceiver } from './alert-receiver.js'
import type { WantedSource } from './check-source.js'
import type { Multihomed } from './multihomed.js'

// ---------------------------------------------------------------- identity

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** Identifies a virtual service as the kernel does: protocol, address and port, or firewall mark and family. */
export type ServiceId =
  | {
      readonly kind: 'address'
      readonly protocol: Protocol
      readonly address: Address
      readonly port: number
    }
  | Fwmark

export interface Fwmark {
  readonly kind: 'fwmark'
  readonly fwmark: number
  readonly family: Family
}

/** Returns the unique, stable, readable key of a service: `tcp [2001:db8::80]:80`, `fwmark 1 ipv6`. */
export function keyOfService(id: ServiceId): string {
  if (id === lastId) return lastKey
  lastId = id
  lastKey =
    id.kind === 'fwmark'
      ? `fwmark ${id.fwmark} ${id.family}`
      : `${id.protocol} ${endpoint(id.address, id.port)}`
  return lastKey
}

/** Who goes through the servers of a service asks for its key again and again. */
let lastId: ServiceId | null = null
let lastKey = ''

/** Returns the address family that clients use to reach the service. */
export function familyOf(id: ServiceId): Family {
  return id.kind === 'fwmark' ? id.family : id.address.family
}

/** Returns the key of a real server within its service, as in the kernel: `[2001:db8::1]:80`. */
export function keyOfReal({ address, port }: { readonly address: Address; readonly port: number }): string {
  return endpoint(address, port)
}

// ---------------------------------------------------------------- the table

/** gate: direct routing; masq: NAT; ipip, gue, gre: tunnels. See `ipvsadm -g`, `-m`, `-i`. */
export type Forwarding = 'gate' | 'masq' | 'ipip' | 'gue' | 'gre'
export type TunnelChecksum = 'none' | 'csum' | 'remcsum'
/** Flags of the scheduler (`ipvsadm -b`): sh-fallback and mh-fallback are flag-1, sh-port and mh-port flag-2. */
export type SchedulerFlag = 'flag-1' | 'flag-2' | 'flag-3'

export interface Persistence {
  /** Seconds. */
  readonly timeout: number
  /** Prefix length that groups clients: 0 to 32 for IPv4, 1 to 128 for IPv6. */
  readonly prefix: number
  /** Name of the persistence engine (`sip`), or null. */
  readonly engine: string | null
}

export interface ServiceAttributes {
  readonly scheduler: string
  /** Sorted, without duplicates. */
  readonly schedulerFlags: readonly SchedulerFlag[]
  readonly persistence: Persistence | null
  readonly onePacket: boolean
  /** Number of the lvsd that has signed this service as its own (`core/path-owner.ts`); absent: it is not signed. */
  readonly owner?: number
}

/** The kernel keeps a weight as a signed 32-bit number. */
export const MAX_WEIGHT = 2 ** 31 - 1

export interface RealAttributes {
  readonly forwarding: Forwarding
  /** UDP port of a gue tunnel; 0 otherwise. */
  readonly tunnelPort: number
  /** For gue and gre tunnels; 'none' otherwise. */
  readonly tunnelChecksum: TunnelChecksum
  /** 0 to MAX_WEIGHT. A real server with weight 0 gets no new connections. */
  readonly weight: number
  /** Number of connections at which the kernel stops sending new ones; 0 means no limit. */
  readonly upper: number
  /** Number of connections below which the kernel resumes; 0 means three quarters of `upper`. */
  readonly lower: number
}

/** A real server in the actual or desired table. */
export interface TableReal extends RealAttributes {
  readonly address: Address
  readonly port: number
}

/** A virtual service in the actual or desired table. `reals` is keyed by `keyOfReal`. */
export interface TableService extends ServiceAttributes {
  readonly id: ServiceId
  readonly reals: ReadonlyMap<string, TableReal>
}

/** The actual or desired table, keyed by `keyOfService`. Counters are kept separately: see `Counters`. */
export type Table = ReadonlyMap<string, TableService>

/** The kernel's counters of a service or a real server. */
export interface Counters {
  readonly connections: number
  readonly inPackets: number
  readonly outPackets: number
  readonly inBytes: number
  readonly outBytes: number
  /** Per second, from the kernel's rate estimator. */
  readonly connectionRate: number
  readonly inPacketRate: number
  readonly outPacketRate: number
  readonly inByteRate: number
  readonly outByteRate: number
}

export interface RealCounters extends Counters {
  readonly active: number
  readonly inactive: number
  readonly persistent: number
}

/** Result of reading the whole actual table. `reals` is keyed by `${serviceKey} ${realKey}`. */
export interface Dump {
  readonly table: Table
  readonly services: ReadonlyMap<string, Counters>
  readonly reals: ReadonlyMap<string, RealCounters>
}

/** The kernel's connection timeouts in seconds (`ipvsadm --set`). A 0 in a change leaves that timeout unchanged. */
export interface Timeouts {
  readonly tcp: number
  readonly tcpFin: number
  readonly udp: number
}

/** One step from the actual towards the desired table. `was` is the entry before the change. */
export type Change =
  | { readonly op: 'add-service'; readonly id: ServiceId; readonly service: ServiceAttributes }
  | {
      readonly op: 'set-service'
      readonly id: ServiceId
      readonly service: ServiceAttributes
      readonly was: ServiceAttributes
    }
  | { readonly op: 'delete-service'; readonly id: ServiceId; readonly was: TableService }
  | { readonly op: 'add-real'; readonly id: ServiceId; readonly real: TableReal }
  | { readonly op: 'set-real'; readonly id: ServiceId; readonly real: TableReal; readonly was: TableReal }
  | { readonly op: 'delete-real'; readonly id: ServiceId; readonly was: TableReal }

// ---------------------------------------------------------------- checks and health

export type Phase = 'resolve' | 'connect' | 'handshake' | 'send' | 'first byte' | 'headers' | 'body' | 'run'

/**
 * Why a real server is down, in one word: refused, unreachable, reset, closed (the server closed the connection early),
 * timeout, tls, name (does not resolve), status (HTTP status, DNS rcode, exit code), unexpected (the answer does not
 * match), truncated, too-big, garbage (the answer does not follow the protocol), signal, off, error.
 */
export type Reason =
  | 'refused'
  | 'unreachable'
  | 'reset'
  | 'closed'
  | 'timeout'
  | 'tls'
  | 'name'
  | 'status'
  | 'unexpected'
  | 'truncated'
  | 'too-big'
  | 'garbage'
  | 'signal'
  | 'off'
  | 'error'

/** A phase or reason that only a user's check defines. The type keeps the editor's suggestions for lvsd's own words. */
export type OwnWord = string & Record<never, never>

export interface PhaseTime {
  readonly phase: Phase
  /** Milliseconds from the start of the check to the end of the phase. */
  readonly ms: number
}

/**
 * The result of one run. `ok: null` means no verdict: lvsd could not run the check, for example because no file
 * descriptors were left. The health of the server does not change then.
 */
export interface CheckResult {
  readonly ok: boolean | null
  /** Null if the check passed. */
  readonly reason: Reason | OwnWord | 'no-verdict' | null
  /** The expected and the actual outcome, for people. */
  readonly detail: string
  /** The phase in which the run ended; null for checks without phases. */
  readonly phase: Phase | null
  /**
   * Duration of the run in milliseconds. The object of a result that changes no state may get the times of later runs that are equal
   * in all else. A caller that needs the times of this run later copies them.
   */
  readonly ms: number
  /** Time of each phase, for `lvsd probe`; empty if not requested. */
  readonly phases: readonly PhaseTime[]
  /** Set only by a passing check that advises a weight (agents, external commands). */
  readonly advice?: WeightAdvice
  /** True if the run was started off its schedule (`Executor.atOnce`). */
  readonly isEarly?: true
  /** Why the run came before its time; absent: it did not. */
  readonly hint?: string
}

/** When a check runs, and how many results change the state. All values are at least 1. */
export interface CheckPolicy {
  /** Milliseconds from the start of one run to the start of the next. */
  readonly interval: number
  /** Time limit for the whole run, in milliseconds. */
  readonly timeout: number
  /** Consecutive passes that bring a server up. */
  readonly rise: number
  /** Consecutive failures that take a server down. */
  readonly fall: number
  /** Interval in milliseconds while `rise` or `fall` is not reached yet. */
  readonly fastinter: number
}

/** A weight: a percentage of the configured weight, or an absolute number. */
export type Weighing = { readonly percent: number } | { readonly weight: number }

/** The weight that a passing check advises. `most` is its upper limit. */
export type WeightAdvice = Weighing & { readonly most?: Weighing }

export type HealthState = 'unknown' | 'up' | 'down'

export interface Health {
  readonly state: HealthState
  /** Number of consecutive results that contradict `state`. The state changes when it reaches `rise` or `fall`. */
  readonly streak: number
  /** Time of the last change of `state`, in milliseconds of the steady clock. */
  readonly since: number
  readonly last: CheckResult | null
}

/** Consecutive runs of a check without a verdict. */
export interface NoVerdicts {
  /** Time of the first such run, in milliseconds of the steady clock. */
  readonly since: number
  readonly count: number
  /** The reason that the last run gave. */
  readonly detail: string
}

// ---------------------------------------------------------------- configuration as read

/** Which way a check goes: to the address of the real server, or to the virtual address, through the real server. */
export type CheckPath = 'real' | 'service'

/** A check as configured for one real server: kind, parsed options, policy and target. */
export interface CheckUse {
  /** The kind of check, a key of the loaded kinds. */
  readonly kind: string
  /** The options of the kind, parsed, with defaults filled in; plain data. */
  readonly options: Readonly<Record<string, unknown>>
  readonly policy: CheckPolicy
  /** Port of the target (`checkport`); null means that of the real server. */
  readonly port: number | null
  /** Host of the target (`checkaddress`): the canonical text of a literal, or a name. Null means the real server. */
  readonly host: string | null
  /** Number of plain TCP connects between two runs of the check (ldirectord's `checktype = N`); absent means none. */
  readonly connects?: number
  /** True: an idle connection to the target is kept, whose end brings the check forward. */
  readonly sentinel?: boolean
  /** True: the check may fail before its time limit while clients get no answer (core/early-timeout.ts). */
  readonly earlyTimeout?: true
  /** Source address of the check; absent: lvsd chooses one that is not virtual. */
  readonly source?: WantedSource
  /** `service`: it goes to the virtual address, through the real server. Absent: to the address of the real server. */
  readonly path?: 'service'
}

/** A server of a service: a real server or the fallback. */
export interface Member {
  /** The canonical text of a literal, or the name as written. */
  readonly host: string
  /** Address family that the name resolves to; absent means that of the service. */
  readonly family?: Family
  readonly port: number
  readonly attributes: RealAttributes
}

export interface Real extends Member {
  readonly checks: readonly CheckUse[]
  /** How many of `checks` must pass; by default all. */
  readonly need: number
}

export type Fallback = Member

/** The address of a service as written: a `ServiceId` in which a name may take the place of the address. */
export type Virtual = VirtualAddress | Fwmark

export interface VirtualAddress {
  readonly kind: 'address'
  readonly protocol: Protocol
  /** The canonical text of a literal, or the name as written. */
  readonly host: string
  readonly port: number
  /** Family of the literal, or that the name resolves to; null means either. */
  readonly family: Family | null
}

/** Returns the id of a service at this address; null without an address, unless it is a fwmark. */
export function idOf(virtual: Virtual, address: Address | null): ServiceId | null {
  if (virtual.kind === 'fwmark') return virtual
  const { kind, protocol, port } = virtual
  return address && { kind, protocol, address, port }
}

/** Returns the id of a service; null if its host is a name. */
export function idAsWritten(virtual: Virtual): ServiceId | null {
  return idOf(virtual, virtual.kind === 'address' ? literalAddress(virtual.host) : null)
}

/** Key of a service, independent of name resolution: `tcp [2001:db8::80]:80`, `tcp www.example:80 ipv6`. */
export function keyAsWritten(virtual: Virtual): string {
  if (virtual.kind === 'fwmark') return keyOfService(virtual)
  const { protocol, host, port, family } = virtual
  return `${protocol} ${endpoint(host, port)}${isName(host) ? ` ${family ?? ''}` : ''}`
}

/** What the daemon is doing. */
export type DaemonPhase = 'starting' | 'running' | 'reloading' | 'stopping'

export interface MailServer {
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
}

/** A time again and again in which real servers are out: see `core/window.ts`. */
export interface MaintenanceWindow {
  /** Cron expression of its begin, in wall times of `zone`. */
  readonly at: string
  readonly zone: string
  /** Length in milliseconds. */
  readonly for: number
  /** Milliseconds at its begin in which the servers are only drained. At most `for`. */
  readonly drain: number
  /** Names of the real servers in their service (`[2001:db8::1]:80`); null: all of them. */
  readonly reals: readonly string[] | null
  /** For people; may be empty. */
  readonly reason: string
}

/** An address of a service after its first one, or its mark of the other family: a service of its own in the kernel. */
export interface FurtherAddress {
  readonly virtual: Virtual
  readonly attributes: ServiceAttributes
  readonly fallback: Fallback | null
}

/** A virtual service. The schema adds the keys that pass through unchanged: see `config/schema/model-keys.ts`. */
export interface Service {
  /** Name shown to people, unique in the configuration. */
  readonly name: string
  /**
   * Set if the configuration defines one service with several protocols or ports, which becomes several services: `of`
   * is the name in the configuration, `first` the name of the first of these services. The checks of the first count
   * for all. The real servers of all are in the same order.
   */
  readonly part?: { readonly of: string; readonly first: string }
  /** Its address; of several, the first, which identifies the service. */
  readonly virtual: Virtual
  readonly attributes: ServiceAttributes
  /** Further addresses; absent: none. See `core/kernel-services.ts`. */
  readonly also?: readonly FurtherAddress[]
  /** True: a failed real server stays in the table at weight 0. False: it is removed. */
  readonly quiescent: boolean
  /** Whether lvsd removes the service from the kernel's table when it stops. */
  readonly cleanstop: boolean
  readonly fallback: Fallback | null
  readonly reals: readonly Real[]
  /** Real servers that are written with several addresses; absent: none. Operators' commands treat each as one. */
  readonly multihomed?: Multihomed
  /** Maintenance windows; absent: none. */
  readonly windows?: readonly MaintenanceWindow[]
}

/** Settings of lvsd itself. The schema defines the keys: see `config/schema/model-keys.ts`. */
// biome-ignore lint/suspicious/noEmptyInterface: the schema adds to it
export interface Settings {}

/** The configuration as read: names are not resolved. */
export interface Config {
  /** Path of the file that the configuration was read from. */
  readonly file: string
  readonly settings: Settings
  /** Values of sysctls by name, which lvsd sets. Absent means none. */
  readonly sysctls?: Readonly<Record<string, string>>
  /** Receivers of alerts. Absent means none. */
  readonly alerts?: readonly AlertReceiver[]
  readonly services: readonly Service[]
}

// ---------------------------------------------------------------- configuration with addresses

/** The configuration that runs. `resolveConfig` makes it from a `Config`. */
export interface ResolvedConfig extends Config {
  readonly services: readonly ResolvedService[]
}

export interface ResolvedService extends Service {
  /**
   * Null if the name of the virtual address does not resolve, or resolves to the address of another service. The
   * service is then not in the table, but its checks run.
   */
  readonly id: ServiceId | null
  readonly fallback: ResolvedMember | null
  readonly also?: readonly ResolvedFurtherAddress[]
  readonly reals: readonly ResolvedReal[]
}

export interface ResolvedFurtherAddress extends FurtherAddress {
  readonly id: ServiceId
  readonly fallback: ResolvedMember | null
}

export interface ResolvedMember extends Member {
  /** Null if the name does not resolve. A real server is then down with the reason `name`. */
  readonly address: Address | null
}

export interface ResolvedReal extends Real, ResolvedMember {
  readonly checks: readonly ResolvedCheckUse[]
}

export interface ResolvedCheckUse extends CheckUse {
  /** Address of the target. Null if its name does not resolve; the check then gives no verdict. */
  readonly address: Address | null
}

/** Key of a real server within the configuration, independent of name resolution: `web [2001:db8::1]:80`. */
export function keyOfMember(service: Pick<Service, 'name'>, real: Pick<Member, 'host' | 'port'>): string {
  return `${service.name} ${endpoint(real.host, real.port)}`
}
