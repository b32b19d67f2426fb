/** The sync daemon in attributes of the kernel. */
import { addressFromBytes, bytesOf, parseAddress } from '../core/address.js'
import type { SyncDaemon, SyncState } from '../core/sync-daemon.js'
import { type DaemonValues, daemonState } from './attributes.js'

const STATES: Readonly<Record<SyncState, number>> = {
  master: daemonState.MASTER,
  backup: daemonState.BACKUP,
}

export function encodeDaemon({ state, id, group, port, ttl, maxLength, ...rest }: SyncDaemon): DaemonValues {
  const address = group === null ? null : parseAddress(group)
  return {
    STATE: STATES[state],
    MCAST_IFN: rest.interface,
    SYNC_ID: id,
    ...(maxLength !== null && { SYNC_MAXLEN: maxLength }),
    ...(address?.family === 'ipv4' && { MCAST_GROUP: bytesOf(address) }),
    ...(address?.family === 'ipv6' && { MCAST_GROUP6: bytesOf(address) }),
    ...(port !== null && { MCAST_PORT: port }),
    ...(ttl !== null && { MCAST_TTL: ttl }),
  }
}

export function decodeDaemon(values: DaemonValues): SyncDaemon {
  const { STATE, MCAST_IFN = '', SYNC_ID = 0, SYNC_MAXLEN, MCAST_PORT, MCAST_TTL } = values
  const group = values.MCAST_GROUP6 ?? values.MCAST_GROUP
  return {
    state: STATE === daemonState.MASTER ? 'master' : 'backup',
    interface: MCAST_IFN,
    id: SYNC_ID,
    group: group ? addressFromBytes(group).text : null,
    port: MCAST_PORT ?? null,
    ttl: MCAST_TTL ?? null,
    maxLength: SYNC_MAXLEN ?? null,
  }
}

/** The request that stops a daemon names its state alone. */
export function encodeState(state: SyncState): DaemonValues {
  return { STATE: STATES[state] }
}
