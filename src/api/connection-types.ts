/** Requests and answers about connections on the control socket. */
import { z } from '../check/option-types.js'
import { list, protocol } from './model-types.js'
import { targets } from './override-types.js'
import { overrideStatus } from './status-types.js'

/** `POST /v1/connections`: real servers, or all of a service; exact names as in the status document. */
export const connectionsRequest = z.strictObject({ targets })

export type ConnectionsRequest = z.output<typeof connectionsRequest>

/** The connections of one real server in one service, as the kernel counts them now. */
export const realConnections = z
  .object({
    name: z.string(),
    override: overrideStatus.nullable(),
    weight: z.number().nullable().describe('In the kernel; null: not in the table, and nothing is counted.'),
    active: z.number().describe('TCP: handshake or established. UDP has none.'),
    inactive: z
      .number()
      .describe('TCP: being closed, or closed shortly before. UDP: packets came within the UDP timeout.'),
    persistent: z.number().describe('Persistence templates: clients that come to this server again.'),
  })
  .meta({ id: 'RealConnections' })

export const serviceConnections = z
  .object({
    name: z.string(),
    protocol: protocol.nullable().describe('Null: a firewall mark, which may have any.'),
    onePacket: z.boolean(),
    persistence: z.number().nullable().describe('Seconds; null without persistence.'),
    reals: list(realConnections),
  })
  .meta({ id: 'ServiceConnections' })

export const connectionsAnswer = z
  .object({
    trouble: z.string().nullable().describe('A sentence if a target does not exist.'),
    timeouts: z
      .object({ tcpFin: z.number(), udp: z.number() })
      .describe('Timeouts of the kernel in seconds.'),
    expiresQuiescentTemplates: z
      .boolean()
      .nullable()
      .describe('True: persistent clients leave a server of weight 0. Null: this kernel does not report it.'),
    services: list(serviceConnections),
  })
  .meta({ id: 'Connections' })

export type RealConnections = Readonly<z.output<typeof realConnections>>
export type ServiceConnections = Readonly<z.output<typeof serviceConnections>>
export type ConnectionsAnswer = Readonly<z.output<typeof connectionsAnswer>>
