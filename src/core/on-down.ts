/**
 * On down: what becomes of a server that is down. The connections of a dead one are lost in any case; those of a sick one
 * may continue. Pure.
 */
import type { CheckResult, HealthState, Service } from './model.js'

export type DownAction = 'remove' | 'quiesce'

/** Why a server is down. */
export type DownCause = 'dead' | 'sick'

/** The setting `on-down` of a service. */
export interface OnDown {
  readonly dead: DownAction
  readonly sick: DownAction
  /** Milliseconds after which a quiesced server is removed; null: never. */
  readonly after: number | null
}

/** A failed check, as far as it matters for the cause. */
export interface Failure {
  readonly result: CheckResult
  /** The check tests the host and not its service: it is a ping. */
  readonly testsHost: boolean
  /** The service has no connections: UDP. */
  readonly isUdp: boolean
}

/**
 * Returns the cause. A server is dead if all of its failed checks say so: where they disagree, the gentle action is
 * right. One that is down without a failed check (an override, damping) is sick.
 *
 *   result                            cause
 *   refused, unreachable              dead
 *   timeout in connect                dead
 *   timeout of a ping                 dead: it is silent to that too
 *   timeout of another, UDP           dead: nothing was heard, and there is no connection to lose
 *   timeout of another                sick: it took the connection and does not answer
 *   any other (status, reset, tls …)  sick: something answers
 */
export function causeOf(failures: readonly Failure[]): DownCause {
  return failures.length > 0 && failures.every(isDead) ? 'dead' : 'sick'
}

function isDead({ result: { reason, phase }, testsHost, isUdp }: Failure): boolean {
  if (reason === 'refused' || reason === 'unreachable') return true
  return reason === 'timeout' && (phase === 'connect' || testsHost || isUdp)
}

/** Longest time that a UDP server stays quiesced: senders never stop, so it would never be empty. Five minutes. */
export const LONGEST_UDP = 300_000

/**
 * True if the service is known to use UDP. A firewall mark may stand for TCP, UDP and SCTP at once, and its entry has no
 * protocol. The kernel counts connections of all protocols of a real server together, and only its list of single
 * connections has the protocol, which is too long to read. So a mark has no limit of its own: its `after` is for all.
 */
export function isUdp({ virtual }: Pick<Service, 'virtual'>): boolean {
  return virtual.kind === 'address' && virtual.protocol === 'udp'
}

/** Returns the setting with the limit for UDP. */
export function limited(policy: OnDown, isUdp: boolean): OnDown {
  return isUdp ? { ...policy, after: Math.min(policy.after ?? LONGEST_UDP, LONGEST_UDP) } : policy
}

/** `since` is in milliseconds of the steady clock. `new`: neither up nor down yet. */
export type DownPhase =
  | { readonly phase: 'new' | 'up' | 'removed' }
  | { readonly phase: 'quiesced'; readonly since: number }

export interface DownInput {
  /** The state after damping and overrides. */
  readonly state: HealthState
  readonly cause: DownCause
  readonly policy: OnDown
  /** True if the actual table has the server. Asked only in the phase `new`. */
  isInTable(): boolean
  readonly now: number
}

/**
 * Returns the next phase.
 *
 *   phase      state    action of the cause        next
 *   any        up       any                        up
 *   any        unknown  any                        unchanged
 *   removed    down     any                        removed: only a server that is up comes back
 *   any other  down     remove                     removed
 *   new        down     quiesce, not in the table  removed: it has no connections
 *   new, up    down     quiesce                    quiesced
 *   quiesced   down     quiesce, time left         quiesced, with the same begin
 *   quiesced   down     quiesce, `after` is over   removed
 */
export function nextDown(phase: DownPhase, { state, cause, policy, isInTable, now }: DownInput): DownPhase {
  if (state === 'up') return phase.phase === 'up' ? phase : UP
  if (state === 'unknown' || phase.phase === 'removed') return phase
  if (policy[cause] === 'remove') return REMOVED
  if (phase.phase === 'quiesced') return isOver(phase.since, policy, now) ? REMOVED : phase
  return phase.phase === 'new' && !isInTable() ? REMOVED : { phase: 'quiesced', since: now }
}

const UP: DownPhase = { phase: 'up' }
const REMOVED: DownPhase = { phase: 'removed' }

function isOver(since: number, { after }: OnDown, now: number): boolean {
  return after !== null && now >= since + after
}

/** Returns when a quiesced server is removed, in milliseconds of the steady clock; null: not by time. */
export function removedAt(phase: DownPhase, { after }: OnDown): number | null {
  return phase.phase === 'quiesced' && after !== null ? phase.since + after : null
}
