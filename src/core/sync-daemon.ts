/** The kernel's sync daemon, which copies connections to the other director: what should run, by the role. Pure. */
import type { Role } from './role.js'

export const SYNC_STATES = ['master', 'backup'] as const
/** The master sends connections, the backup takes them. */
export type SyncState = (typeof SYNC_STATES)[number]

/** A daemon as it runs in the kernel. */
export interface SyncDaemon {
  readonly state: SyncState
  readonly interface: string
  readonly id: number
  /** Multicast group; null: that of the kernel. */
  readonly group: string | null
  readonly port: number | null
  readonly ttl: number | null
  /** Maximum bytes of a message; null: by the MTU of the interface. */
  readonly maxLength: number | null
}

/** role: master while active, backup while standby. both: both at all times. none: lvsd starts and stops none. */
export type SyncRun = 'role' | 'both' | 'none'

export type SyncPolicy = Omit<SyncDaemon, 'state'> & { readonly run: SyncRun }

/** A daemon to stop is named by its state. Stops come first, as the kernel has at most one daemon of each state. */
export type SyncChange =
  | { readonly op: 'stop'; readonly state: SyncState }
  | { readonly op: 'start'; readonly daemon: SyncDaemon }

/** Returns null if lvsd has no say in it. */
export function wantedDaemons({ run, ...daemon }: SyncPolicy, role: Role): readonly SyncDaemon[] | null {
  if (run === 'none') return null
  const states =
    run === 'both' ? SYNC_STATES : [role === 'active' ? ('master' as const) : ('backup' as const)]
  return states.map(state => ({ ...daemon, state }))
}

/**
 * What makes the running daemons equal to the wanted ones.
 *
 *   wanted   running            change
 *   yes      no                 start
 *   yes      the same           none
 *   yes      another            stop, start
 *   no       any                stop
 */
export function syncChanges(
  wanted: readonly SyncDaemon[],
  running: readonly SyncDaemon[],
): readonly SyncChange[] {
  const isRight = (one: SyncDaemon) => wanted.some(each => isSame(each, one))
  const stops = running.filter(one => !isRight(one)).map(({ state }) => ({ op: 'stop', state }) as const)
  const starts = wanted
    .filter(each => !running.some(one => isSame(each, one)))
    .map(daemon => ({ op: 'start', daemon }) as const)
  return [...stops, ...starts]
}

/** The kernel fills in what is not wanted otherwise, and adapts the maximum length to the interface. */
function isSame(wanted: SyncDaemon, running: SyncDaemon): boolean {
  const fits = (key: 'group' | 'port' | 'ttl') => wanted[key] === null || wanted[key] === running[key]
  return (
    wanted.state === running.state &&
    wanted.interface === running.interface &&
    wanted.id === running.id &&
    fits('group') &&
    fits('port') &&
    fits('ttl')
  )
}
