/** Answers of a daemon about connections, and a control socket that gives them one after the other. */
import { join } from 'node:path'
import type {
  ConnectionsAnswer,
  RealConnections,
  ServiceConnections,
} from '../../../src/api/connection-types.js'
import { type Control, openControlSocket } from '../../../src/api/server.js'
import type { OverrideStatus } from '../../../src/api/status-types.js'
import type { Multihomed } from '../../../src/core/multihomed.js'
import { onCleanup } from '../after-each.js'
import { controlOf } from '../control.js'
import { temporaryFolder } from '../folder.js'
import { realStatus, serviceStatus, statusDocument } from './documents.js'

export const DRAIN: OverrideStatus = {
  effect: 'drain',
  weight: null,
  source: 'command',
  who: 'anna',
  reason: 'disk swap',
  since: new Date(0).toISOString(),
  until: null,
  rampUntil: null,
}

export function connections(change: Partial<RealConnections> = {}): RealConnections {
  return {
    name: '[fd00::3]:80',
    override: DRAIN,
    weight: 0,
    active: 0,
    inactive: 0,
    persistent: 0,
    ...change,
  }
}

export function answerOf(
  reals: readonly RealConnections[],
  service: Partial<ServiceConnections> = {},
  change: Partial<ConnectionsAnswer> = {},
): ConnectionsAnswer {
  return {
    trouble: null,
    timeouts: { tcpFin: 120, udp: 300 },
    expiresQuiescentTemplates: false,
    services: [{ name: 'web', protocol: 'tcp', onePacket: false, persistence: null, reals, ...service }],
    ...change,
  }
}

export interface DrainDaemon {
  /** Names of the real servers of its service `web`. */
  readonly reals?: readonly string[]
  readonly multihomed?: Multihomed
  /** The effect that counts, whatever is given. */
  readonly counts?: OverrideStatus['effect']
  onEnd?(request: unknown): void
  /** What counts when overrides have ended, for each real server. */
  readonly remains?: OverrideStatus
  /** Overrides that a request ends. */
  readonly ended?: number
  readonly connections?: Control['connections']
}

/** A daemon with one service; the last of its answers repeats. Returns its socket and the overrides it was given. */
export async function drainDaemon(
  answers: readonly ConnectionsAnswer[],
  {
    reals = ['[fd00::3]:80'],
    multihomed,
    onEnd = () => {},
    remains,
    ended = 0,
    counts,
    connections,
  }: DrainDaemon = {},
) {
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const given: Parameters<Control['overrides']['give']>[0][] = []
  const left = [...answers]
  const service = serviceStatus({
    reals: reals.map(name => realStatus({ name })),
    ...(multihomed && { multihomed }),
  })
  const control = controlOf({
    status: async () => statusDocument({ services: [service] }),
    overrides: {
      give: async request => {
        given.push(request)
        const override = { ...DRAIN, effect: counts ?? request.effect.kind }
        const told = reals.map(real => ({ service: 'web', real, override }))
        return { ok: true, message: '1 override given', ended: 0, isKept: true, reals: told }
      },
      end: async request => {
        onEnd(request)
        const told = remains ? reals.map(real => ({ service: 'web', real, override: remains })) : []
        return { ok: true, message: '', ended, isKept: true, reals: told }
      },
    },
    connections: connections ?? {
      read: async () => (left.length > 1 ? left.shift() : left[0]) as ConnectionsAnswer,
    },
  })
  const server = await openControlSocket(socket, control)
  onCleanup(() => server.close())
  return { socket, given, server, control }
}
