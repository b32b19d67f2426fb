/** Requests and answers about connections on the control socket. Plain JSON. */
import { z } from '../check/option-types.js'
import type { Protocol } from '../core/model.js'
import { targets } from './override-types.js'
import type { OverrideStatus } from './status-types.js'

/** `POST /connections`: real servers, or all of a service; exact names as in the status document. */
export const connectionsRequest = z.strictObject({ targets })

export type ConnectionsRequest = z.output<typeof connectionsRequest>

/** The connections of one real server in one service, as the kernel counts them now. */
export interface RealConnections {
  readonly name: string
  readonly override: OverrideStatus | null
  /** Weight in the kernel's table; null: not in the table, and the kernel counts nothing. */
  readonly weight: number | null
  /** TCP: handshake or established. UDP has none. */
  readonly active: number
  /** TCP: being closed, or closed shortly before. UDP: packets came within the UDP timeout. */
  readonly inactive: number
  /** Persistence templates: clients that the kernel sends to this server again. */
  readonly persistent: number
}

export interface ServiceConnections {
  readonly name: string
  /** Null: a firewall mark, which may have any. */
  readonly protocol: Protocol | null
  readonly onePacket: boolean
  /** Seconds; null without persistence. */
  readonly persistence: number | null
  readonly reals: readonly RealConnections[]
}

export interface ConnectionsAnswer {
  /** A sentence if a target does not exist, else null. */
  readonly trouble: string | null
  /** Timeouts of the kernel in seconds. */
  readonly timeouts: { readonly tcpFin: number; readonly udp: number }
  /** True: persistent clients leave a server of weight 0. Null: this kernel does not report it. */
  readonly expiresQuiescentTemplates: boolean | null
  readonly services: readonly ServiceConnections[]
}
