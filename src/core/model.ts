/**
 * The words of lvsd. Plain frozen values: no clocks, no sockets, no behaviour beyond identity.
 * Terms are the field's: service (virtual service), real (real server), check, weight, quiescent, fallback.
 */
import { type Address, endpoint, type Family } from './address.js'

// ---------------------------------------------------------------- identity

export type Protocol = 'tcp' | 'udp' | 'sctp'

/** How the kernel names a virtual service: address, port and protocol, or a firewall mark and a family. */
export type ServiceId =
  | {
      readonly kind: 'address'
      readonly protocol: Protocol
      readonly address: Address
      readonly port: number
    }
  | { readonly kind: 'fwmark'; readonly fwmark: number; readonly family: Family }

/** `tcp [2001:db8::80]:80`, `fwmark 1 ipv6`: unique, stable, readable. */
export function keyOfService(id: ServiceId): string {
  if (id.kind === 'fwmark') return `fwmark ${id.fwmark} ${id.family}`
  return `${id.protocol} ${endpoint(id.address, id.port)}`
}

/** The address family in which clients reach the service. */
export function familyOf(id: ServiceId): Family {
  return id.kind === 'fwmark' ? id.family : id.address.family
}

/** `[2001:db8::1]:80`: how the kernel tells the real servers of one service apart. */
export function keyOfReal({ address, port }: { readonly address: Address; readonly port: number }): string {
  return endpoint(address, port)
}

// ---------------------------------------------------------------- the table

/** gate: direct routing. masq: NAT. ipip, gue, gre: tunnels. `local`: what a kernel may report for its own address. */
export type Forwarding = 'gate' | 'masq' | 'ipip' | 'gue' | 'gre'
export type TunnelChecksum = 'none' | 'csum' | 'remcsum'
/** The scheduler's own flags, `ipvsadm -b flag-1,…`: sh-fallback and mh-fallback are flag-1, sh-port and mh-port flag-2. */
export type SchedulerFlag = 'flag-1' | 'flag-2' | 'flag-3'

export interface Persistence {
  /** Seconds. */
  readonly timeout: number
  /** Prefix length by which clients are grouped: 0 to 32 for IPv4, 1 to 128 for IPv6. */
  readonly prefix: number
  /** Persistence engine (`sip`), or null. */
  readonly engine: string | null
}

export interface ServiceAttributes {
  readonly scheduler: string
  /** Sorted, without repetition. */
  readonly schedulerFlags: readonly SchedulerFlag[]
  readonly persistence: Persistence | null
  readonly onePacket: boolean
}

export interface RealAttributes {
  readonly forwarding: Forwarding
  /** UDP port of a gue tunnel; 0 otherwise. */
  readonly tunnelPort: number
  /** Of gue and gre tunnels; 'none' otherwise. */
  readonly tunnelChecksum: TunnelChecksum
  /** 0 to 2^31-1; 0 gets no new connections. */
  readonly weight: number
  /** Connections at which the kernel stops sending new ones; 0 is no limit. */
  readonly upper: number
  /** Connections below which it sends again; 0 means three quarters of `upper`. */
  readonly lower: number
}

/** A real server as the kernel holds it. */
export interface TableReal extends RealAttributes {
  readonly address: Address
  readonly port: number
}

/** A virtual service as the kernel holds it, its real servers by `keyOfReal`. */
export interface TableService extends ServiceAttributes {
  readonly id: ServiceId
  readonly reals: ReadonlyMap<string, TableReal>
}

/** The table, by `keyOfService`. Counters are not part of it: see `Counters`. */
export type Table = ReadonlyMap<string, TableService>

/** What the kernel counts for a service or a real server. */
export interface Counters {
  readonly connections: number
  readonly inPackets: number
  readonly outPackets: number
  readonly inBytes: number
  readonly outBytes: number
  /** Per second, as the kernel's estimator sees them. */
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

/** One reading of the kernel. `reals` is keyed by `${serviceKey} ${realKey}`. */
export interface Dump {
  readonly table: Table
  readonly services: ReadonlyMap<string, Counters>
  readonly reals: ReadonlyMap<string, RealCounters>
}

/** The kernel's own connection timeouts, seconds (`ipvsadm --set`). 0 in a change leaves one as it is. */
export interface Timeouts {
  readonly tcp: number
  readonly tcpFin: number
  readonly udp: number
}

/** One step from the actual towards the desired table. `was` is what the kernel held before. */
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
 * Why a real server is down, one word:
 * refused, unreachable, reset, closed (early end), timeout, tls, name (does not resolve), status (HTTP status, DNS rcode,
 * exit code), unexpected (the answer does not match), truncated, too-big, garbage (not the protocol), signal, off, error.
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

/** A word that only a user's check knows, for a phase or a reason; editors still suggest those that lvsd knows. */
export type OwnWord = string & Record<never, never>

export interface PhaseTime {
  readonly phase: Phase
  /** Milliseconds from the start of the check to the end of the phase. */
  readonly ms: number
}

/**
 * What one run of a check found. `ok: null` is no verdict: lvsd itself could not ask (no descriptors left), and the
 * health of the server does not move.
 */
export interface CheckResult {
  readonly ok: boolean | null
  /** Null when up. */
  readonly reason: Reason | OwnWord | 'no-verdict' | null
  /** What was expected and what came, for people. */
  readonly detail: string
  /** The phase reached when it ended; null for checks that have none. */
  readonly phase: Phase | null
  /** Milliseconds the run took. */
  readonly ms: number
  /** For `lvsd probe`; empty where nobody asked. */
  readonly phases: readonly PhaseTime[]
  /** Of a passing check that has a say in the weight (agents, external commands). */
  readonly advice?: WeightAdvice
}

/** Passes and failures that it takes, and when to look again. All milliseconds and counts are at least 1. */
export interface CheckPolicy {
  /** From start to start, milliseconds. */
  readonly interval: number
  /** Total for one run, everything included, milliseconds. */
  readonly timeout: number
  /** Passes in a row that bring a server up. */
  readonly rise: number
  /** Failures in a row that take a server down. */
  readonly fall: number
  /** Interval while the streak towards a change is not complete, milliseconds. */
  readonly fastinter: number
}

/** A weight: a share of the configured one in per cent, or a number. */
export type Weighing = { readonly percent: number } | { readonly weight: number }

/** What a passing check says of the weight. `most`: what it comes to at most. */
export type WeightAdvice = Weighing & { readonly most?: Weighing }

export type HealthState = 'unknown' | 'up' | 'down'

export interface Health {
  readonly state: HealthState
  /** Results in a row that speak against `state`; reaching rise or fall changes it. */
  readonly streak: number
  /** Of the last change of `state`, milliseconds of the steady clock. */
  readonly since: number
  readonly last: CheckResult | null
}

/** Runs of a check in a row that gave no verdict. */
export interface NoVerdicts {
  /** Of the first, milliseconds of the steady clock. */
  readonly since: number
  readonly count: number
  /** Why, as the last one says. */
  readonly detail: string
}

// ---------------------------------------------------------------- configuration

/** A check as configured for one real server: kind, parsed options, policy, and where it is sent. */
export interface CheckUse {
  /** The check's name, a key of the loaded checks. */
  readonly kind: string
  /** The check's own options, parsed and with defaults filled in; plain data. */
  readonly options: Readonly<Record<string, unknown>>
  readonly policy: CheckPolicy
  /** Where to send it when that is not the real server itself (`checkport`, `checkaddress`). */
  readonly port: number | null
  readonly address: Address | null
  /** A name in place of the address, which is null while it is not resolved: such a check is down with the reason `name`. */
  readonly host?: string
  /** Plain connects between two runs of the check (ldirectord's `checktype = N`); absent is none. */
  readonly connects?: number
}

export interface Real {
  /** Literal's canonical text, or the name as written. */
  readonly host: string
  /** Null while a name is not resolved: such a real server is down with the reason `name`. */
  readonly address: Address | null
  /** Of the address that a name is to have; absent: that of the service. */
  readonly family?: Family
  readonly port: number
  readonly attributes: RealAttributes
  readonly checks: readonly CheckUse[]
  /** How many of `checks` must pass; all of them by default. */
  readonly need: number
}

export interface Fallback {
  readonly host: string
  readonly address: Address | null
  /** As for a real server. */
  readonly family?: Family
  readonly port: number
  readonly attributes: RealAttributes
}

/** What the daemon is doing. */
export type DaemonPhase = 'starting' | 'running' | 'reloading' | 'stopping'

/** Who gets mails about a service, and when. */
export interface MailPolicy {
  /** At least one, as written: `ops@example.com`, `Operators <ops@example.com>`, `root`; none twice. */
  readonly to: readonly string[]
  /** Null: root at this host. */
  readonly from: string | null
  /** Milliseconds after which a server that is still down is told again; null: once is enough. */
  readonly repeat: number | null
  /** What the daemon must be doing for a mail to be sent. */
  readonly during: readonly DaemonPhase[]
  /** Null: the sendmail of this machine. */
  readonly server: MailServer | null
}

export interface MailServer {
  /** A name or an address without brackets. */
  readonly host: string
  readonly port: number
}

export interface Service {
  /** Unique in the configuration; what people call it. */
  readonly name: string
  /**
   * Of a service with several protocols or ports: the name that stands in the configuration, and the first of them, whose
   * checks count for all. Their real servers stand in the same order.
   */
  readonly part?: { readonly of: string; readonly first: string }
  /** Stands before the subjects of mails, or null. */
  readonly label: string | null
  /** For the readers of mails, or null. */
  readonly comment: string | null
  /** The virtual address's literal or name as written; the key's text for a fwmark. */
  readonly host: string
  /** Null while the virtual address is a name that is not resolved yet. */
  readonly id: ServiceId | null
  /** What `id` is once `host` resolves: everything but the address. Null for literals and fwmarks. */
  readonly unresolved: {
    readonly protocol: Protocol
    readonly port: number
    readonly family: Family | null
  } | null
  readonly attributes: ServiceAttributes
  /** A failed real server stays at weight 0 (true) or is removed (false). */
  readonly quiescent: boolean
  /** Remove the service from the kernel when lvsd stops. */
  readonly cleanstop: boolean
  readonly fallback: Fallback | null
  /** Run through the shell with `start|stop VIRTUAL PROTOCOL` when the last server goes and the first comes back. */
  readonly fallbackcommand: string | null
  /** File that gets a line for every result, or null. */
  readonly monitorfile: string | null
  /** Null: no mails. */
  readonly mail: MailPolicy | null
  readonly reals: readonly Real[]
}

export interface Settings {
  /** Milliseconds between two readings of the whole kernel table. */
  readonly resync: number
  /** Milliseconds between two resolutions of names. */
  readonly resolve: number
  /** Checks under way at once, at most; the descriptor limit may lower it. */
  readonly concurrency: number
  /** Per cent of the running real servers that one reload may remove without an explicit yes; 100 allows all. */
  readonly removalLimit: number
  /** Path of the control socket. */
  readonly socket: string
  /** Folder of the ownership journal. */
  readonly state: string
  /** Folders with the user's own checks. */
  readonly checks: readonly string[]
  /** Folder whose files, named after real servers, hold them down, or null. */
  readonly maintenancedir: string | null
  /** Read the configuration again whenever its file changes. */
  readonly autoreload: boolean
  /** Command that is run with the configuration's path when its file has changed, or null. */
  readonly callback: string | null
  /** Kernel timeouts to set at start, or null to leave them. */
  readonly timeouts: Timeouts | null
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

export interface Config {
  /** Path it was read from. */
  readonly file: string
  readonly settings: Settings
  readonly services: readonly Service[]
}

/** `web [2001:db8::1]:80`: one real server of one service, before and after its name resolves. */
export function keyOfMember(service: Pick<Service, 'name'>, real: Pick<Real, 'host' | 'port'>): string {
  return `${service.name} ${endpoint(real.host, real.port)}`
}
