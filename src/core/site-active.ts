/**
 * How many directors of a site are active: one is right. A takeover has none or two for a moment, so that what is wrong is
 * told once it has lasted. Pure.
 *
 *   told     active directors                     told afterwards
 *   any      one                                  nothing; the end, if something was told
 *   nothing  none or several, for the patience    it
 *   other    none or several, for the patience    it, in place of the other
 */
import type { Role } from './role.js'

export type ActiveFault = 'none' | 'several'

export interface ActiveView {
  /** What is wrong now; null: nothing. */
  readonly found: ActiveFault | null
  /** Since when, in milliseconds of the steady clock. */
  readonly since: number
  /** What has been told and is not over. */
  readonly told: ActiveFault | null
}

export interface ActiveReading {
  /** Milliseconds of the steady clock. */
  readonly now: number
  /** The roles of the directors that live, this one included. */
  readonly roles: readonly Role[]
  /** Several active ones are right: each has an address of its own. */
  readonly mayBeSeveral: boolean
  /** Milliseconds for which a fault must last before it is told. */
  readonly patience: number
}

export const ALL_RIGHT: ActiveView = { found: null, since: 0, told: null }

/** Returns what is known after a reading, and what is to be told: a fault, or its end. */
export function nextActive(
  before: ActiveView,
  { now, roles, mayBeSeveral, patience }: ActiveReading,
): { readonly view: ActiveView; readonly tell: ActiveFault | 'over' | null } {
  const found = faultOf(roles, mayBeSeveral)
  const since = found === before.found ? before.since : now
  if (found === null)
    return { view: { found, since, told: null }, tell: before.told === null ? null : 'over' }
  const isDue = found !== before.told && now - since >= patience
  return { view: { found, since, told: isDue ? found : before.told }, tell: isDue ? found : null }
}

function faultOf(roles: readonly Role[], mayBeSeveral: boolean): ActiveFault | null {
  const active = roles.filter(role => role === 'active').length
  if (active === 0) return 'none'
  return active > 1 && !mayBeSeveral ? 'several' : null
}
