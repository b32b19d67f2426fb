/**
 * Roles of several directors: the active one serves the virtual addresses, a standby waits to take over. lvsd moves no
 * address itself: it is told its role by VRRP, Pacemaker or a lease. Pure.
 */

export type Role = 'active' | 'standby'

/** What a standby does with the kernel's table: the same as the active one, nothing, or nothing of lvsd in it. */
export type StandbyTable = 'same' | 'keep' | 'empty'

/** Whether a standby checks real servers: as the active one, with longer intervals, or not. */
export type StandbyChecks = 'on' | 'slow' | 'off'

/**
 * What the reconciler does.
 *   reconcile   makes the table equal to the desired table
 *   keep        writes nothing
 *   empty       removes lvsd's services
 */
export type TableMode = 'reconcile' | 'keep' | 'empty'

/**
 *   role      standby: table   mode
 *   active    any              reconcile
 *   standby   same             reconcile
 *   standby   keep             keep
 *   standby   empty            empty
 */
export function tableMode(role: Role, table: StandbyTable): TableMode {
  return role === 'active' || table === 'same' ? 'reconcile' : table
}

/** The intervals of checks with `checks: slow` are this many times as long. */
export const SLOW_FACTOR = 10

/** Returns the interval of checks by the role; null: the check does not run. */
export function intervalBy(role: Role, checks: StandbyChecks, interval: number): number | null {
  if (role === 'active' || checks === 'on') return interval
  return checks === 'slow' ? interval * SLOW_FACTOR : null
}

const WORDS: ReadonlyMap<string, Role> = new Map([
  ['active', 'active'],
  ['master', 'active'],
  ['primary', 'active'],
  ['promoted', 'active'],
  ['standby', 'standby'],
  ['backup', 'standby'],
  ['secondary', 'standby'],
  ['slave', 'standby'],
  ['unpromoted', 'standby'],
  ['fault', 'standby'],
  ['stop', 'standby'],
  ['stopped', 'standby'],
])

/** Returns the role that a word of lvsd, VRRP or Pacemaker stands for, in any case; null: it is none of them. */
export function roleOf(word: string): Role | null {
  return WORDS.get(word.trim().toLowerCase()) ?? null
}

/** The words that `roleOf` knows. */
export const ROLE_WORDS: readonly string[] = [...WORDS.keys()]
