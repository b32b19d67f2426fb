/**
 * What several observers together say of one question. Each has applied `rise` and `fall` itself and says up or down.
 * `awaited` observers have begun to ask and say nothing yet. Pure.
 *
 *   rule       down                                up                                  else
 *   majority   more than half say down             at least half say up                as it is in force
 *   all        all say down, nobody is awaited     at least one says up                as it is in force
 *   any        at least one says down              all say up, nobody is awaited       as it is in force
 *
 *   Half of what: of those who say something and of those who are awaited, so that one observer alone removes no
 *   server in the moment in which another takes over. Before anything is known, who is awaited does not count for up.
 *   While nobody is awaited, the verdicts alone decide: directors with the same verdicts have the same state, whatever
 *   each of them had before.
 */
import type { HealthState } from './model.js'

/** How many observers must find a server down. */
export type Agreement = 'majority' | 'all' | 'any'

export interface Votes {
  readonly ups: number
  readonly downs: number
  readonly awaited: number
}

/** Returns the state that is in force from now on. `current`: the one that is. */
export function agreed({ ups, downs, awaited }: Votes, rule: Agreement, current: HealthState): HealthState {
  if (ups + downs === 0) return current
  const absent = current === 'unknown' ? 0 : awaited
  const total = ups + downs
  switch (rule) {
    case 'all':
      if (ups > 0) return 'up'
      return awaited === 0 ? 'down' : current
    case 'any':
      if (downs > 0) return 'down'
      return absent === 0 ? 'up' : current
    case 'majority':
      if (downs * 2 > total + awaited) return 'down'
      return ups * 2 >= total + absent ? 'up' : current
  }
}

/** How often a director says otherwise than all others. */
export interface Dissent {
  /** Questions about which it and at least one other director say something. */
  readonly compared: number
  /** Questions of them in which all others say the contrary. */
  readonly contrary: number
  /** Directors that it contradicts. */
  readonly against: number
}

/** Fewer questions are no view: a server may be between up and down. */
const FEWEST = 3

/**
 * True if the view of a director differs from that of all others: it contradicts several directors, in most of its
 * questions. Of two directors nobody can say which is wrong.
 */
export function isOutlier({ compared, contrary, against }: Dissent): boolean {
  return against >= 2 && contrary >= FEWEST && contrary * 2 > compared
}
