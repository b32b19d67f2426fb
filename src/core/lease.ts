/**
 * The role from a lease: a key of Redis that expires, and that one director holds. Who holds it is active. Pure.
 *
 *   Redis answers                          role
 *   this director holds the lease          active
 *   another director holds it              standby
 *   nobody holds it                        as it is
 *   nothing (Redis is away)                as it is
 *
 * A director takes a lease that is free. A standby first waits for the length of a lease where it may be free only
 * because Redis was away or has lost its data: the director that is active comes back within that time, and its role
 * need not move. A director that cannot serve (it has lost its network) lets its lease go and takes none.
 */
import type { Role } from './role.js'

export interface LeaseHolder {
  readonly id: string
  readonly host: string
  /** Grows with each new holder. */
  readonly token: number
}

export interface LeaseAnswer {
  /** Null: nobody. */
  readonly holder: LeaseHolder | null
  /** True: Redis has no record of an earlier lease. */
  readonly isForgotten: boolean
}

export interface LeaseState {
  readonly role: Role
  /** A standby takes no lease before this time, in milliseconds of the steady clock; null: at once. */
  readonly waitUntil: number | null
}

/**
 * What a director asks of Redis, in one step.
 *   take                 takes the lease if it is free, prolongs it if it is held by this director
 *   take if remembered   the same, but takes none of which Redis has no record
 *   ask                  prolongs it if it is held by this director
 *   release              gives it up if it is held by this director
 */
export type LeaseQuestion = 'take' | 'take if remembered' | 'ask' | 'release'

/** Redis can be used from now on: at the start, or after it was away. */
export function afterConnect(state: LeaseState, now: number, length: number): LeaseState {
  return { ...state, waitUntil: now + length }
}

/**
 *   able   role      wait       question
 *   no     any       any        release
 *   yes    active    any        take
 *   yes    standby   none       take if remembered
 *   yes    standby   goes on    ask
 *   yes    standby   is over    take
 */
export function questionOf({ role, waitUntil }: LeaseState, now: number, isAble: boolean): LeaseQuestion {
  if (!isAble) return 'release'
  if (role === 'active') return 'take'
  if (waitUntil === null) return 'take if remembered'
  return now < waitUntil ? 'ask' : 'take'
}

/**
 *   holder    record   wait       wait afterwards
 *   any       any      is over    none
 *   any       any      goes on    as it is: the lease may run out before its holder has come back
 *   nobody    yes      any        as it is
 *   nobody    no       none       the length of a lease
 *   nobody    no       any        as it is
 */
export function afterAnswer(
  state: LeaseState,
  { holder, isForgotten }: LeaseAnswer,
  { own, now, length }: { readonly own: string; readonly now: number; readonly length: number },
): LeaseState {
  const goesOn = state.waitUntil !== null && now < state.waitUntil
  if (holder)
    return { role: holder.id === own ? 'active' : 'standby', waitUntil: goesOn ? state.waitUntil : null }
  return isForgotten && state.waitUntil === null ? afterConnect(state, now, length) : state
}

/** The value of the key: `ID TOKEN HOST`. Null if it is none. */
export function leaseHolderOf(text: string): LeaseHolder | null {
  const [, id = '', token, host = ''] = /^(\S{1,64}) (\d{1,15}) (\S{1,256})$/.exec(text) ?? []
  return token === undefined ? null : { id, host, token: Number(token) }
}
