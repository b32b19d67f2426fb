/**
 * Facts about the machine and the configuration. Plain data: `read/` collects it, and tests construct it. In every fact
 * null means "not known", which never counts as good.
 */
import type { RedisExamination } from '../cluster/redis/examine.js'
import type { Family } from '../core/address.js'
import type { NamedAnswer } from '../core/address-conflict.js'
import type { ResolvedConfig } from '../core/model.js'
import type { LeftServices } from '../core/path-owner.js'

export interface Facts {
  readonly machine: Machine
  /** Null if there is no configuration: then the machine is judged alone. */
  readonly site: Site | null
}

export interface Machine {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly isRoot: boolean
  /** Release of the kernel, `6.1.0-18-amd64`. */
  readonly kernel: string | null
  /** Version of Node, `22.11.0`. */
  readonly node: string
  /** By dotted name. A name without an entry is one that the kernel does not have. */
  readonly sysctls: ReadonlyMap<string, string | null>
  /** True if IPVS is in the kernel now, loaded or built in. */
  readonly hasIpvs: boolean | null
  readonly modules: Modules
  readonly addresses: readonly LocalAddress[] | null
  /** Prefixes whose addresses all belong to this machine (`ip route add local …`), those of its addresses included. */
  readonly localRoutes: readonly Prefix[] | null
  readonly links: readonly Link[] | null
  /** Programs in this network namespace that may change the table or the addresses. */
  readonly programs: readonly Program[] | null
  readonly daemon: Daemon
  readonly process: ProcessFacts
  readonly isClockSynchronised: boolean | null
}

/** Names of kernel modules with underscores. */
export interface Modules {
  /** Loaded, or built into the kernel. */
  readonly present: ReadonlySet<string> | null
  /** Files of this kernel's modules; null if its folder of modules cannot be read. */
  readonly installed: ReadonlySet<string> | null
}

export interface LocalAddress {
  readonly text: string
  readonly family: Family
  readonly link: string
  /** The following are known for IPv6 only, and false for IPv4. */
  readonly isDeprecated: boolean
  readonly isTentative: boolean
  readonly isDadFailed: boolean
  /** True if it has an end, so it comes from a router advertisement or DHCP. */
  readonly isDynamic: boolean
}

export interface Prefix {
  readonly address: string
  readonly family: Family
  readonly length: number
}

export interface Link {
  readonly name: string
  readonly mtu: number
}

export interface Program {
  readonly name: 'keepalived' | 'ldirectord' | 'pacemaker' | 'heartbeat' | 'kube-proxy'
  readonly pid: number
  /** True if it changes the IPVS table, false if it certainly does not. */
  readonly writesTable: boolean | null
}

/** The lvsd that answers on the control socket. */
export type Daemon =
  | {
      readonly state: 'running'
      readonly pid: number
      readonly version: string
      readonly keptSince: string | null
      /** Why its network is lost by `connectivity`; null: it is not. */
      readonly lost: string | null
      /** Set if its table is in memory, and the hazards of the kernel's table are not wanted. */
      readonly isInMemory?: true
    }
  | { readonly state: 'absent' }
  /** This user may not open the socket, or there is no answer. */
  | { readonly state: 'not known'; readonly why: string }

/** The process that runs the checks: the daemon, or this command if there is none. */
export interface ProcessFacts {
  readonly isDaemon: boolean
  readonly groups: readonly number[] | null
  /** Effective capabilities, as bits. */
  readonly capabilities: bigint | null
  /** Hard limit of open descriptors. Node raises its own limit to it. */
  readonly descriptors: number | null
}

export interface Site {
  readonly file: string
  /** Null if it cannot run. */
  readonly config: ResolvedConfig | null
  /** False if this user may not read the file. */
  readonly isReadable: boolean
  readonly errors: number
  readonly warnings: number
  /** Number of distinct checks, and of those that send pings. */
  readonly checks: number
  readonly pings: number
  /** By address of a checked server: the source that the kernel chooses for it, or its refusal (`ENETUNREACH`). */
  readonly sources: ReadonlyMap<string, Source>
  /**
   * By address of a server that is checked with `path: service` over IPv4: the interface to it. Without those that have no
   * route, or are this machine. Null or absent: not known.
   */
  readonly pathLinks?: ReadonlyMap<string, string> | null
  readonly folders: readonly Folder[]
  /** Null or absent: nothing was asked. */
  readonly conflicts?: Conflicts | null
  /** Null or absent: the configuration has none. */
  readonly redis?: RedisExamination | null
  /** Null or absent: the kernel's table cannot be read. */
  readonly leftServices?: LeftServices | null
}

/** Who else answers for the virtual addresses that this machine has on Ethernet interfaces. */
export interface Conflicts {
  /** Number of addresses that were asked about. */
  readonly asked: number
  /** Number of those beyond the most that doctor asks about. */
  readonly unasked: number
  readonly found: readonly (NamedAnswer & { readonly services: readonly string[] })[]
  /** Why not all could be asked about; null: nothing prevented it. */
  readonly refusal: string | null
}

export type Source =
  /** `bound`: the address that lvsd binds checks to instead; absent: none. */
  { readonly address: string; readonly bound?: string } | { readonly refusal: string }

export interface Folder {
  readonly use: 'state' | 'socket'
  readonly path: string
  /** Null if it cannot be read; `mode` and `owner` of the folder, if it exists. */
  readonly found: 'absent' | { readonly mode: number; readonly owner: number } | null
}
