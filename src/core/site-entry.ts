/**
 * Entries that several directors of a site share, such as overrides. Each change of an entry names the changes before it,
 * so that directors that could not hear each other, and a store that has lost what it had, agree afterwards, and no
 * change is lost without a word. Pure.
 */

/** A state of one entry. */
export interface SiteEntry<T> {
  /** Identity of the change that made this state, unique. */
  readonly change: string
  /** The changes before it that are known, the last one first; the oldest are forgotten. */
  readonly past: readonly string[]
  /** The director that made the change. */
  readonly by: string
  /** When, in milliseconds of that director's wall clock. */
  readonly at: number
  /** One that has ended says so, and is kept, so that a director that was away does not bring it back. */
  readonly value: T
}

export interface Merged<T> {
  /** What counts. */
  readonly entry: SiteEntry<T>
  /** True if the store has to get it. */
  readonly isToWrite: boolean
  /** True if it takes the place of what the director held. */
  readonly isTaken: boolean
  /** The state that was replaced, although whoever made the other did not know of it; null: none. */
  readonly lost: SiteEntry<T> | null
}

/** Changes that an entry remembers. */
export const MOST_PAST = 20

/**
 * Merges what a director holds of an entry with what the store has. One of them is there.
 *
 *   held                 store               result
 *   none                 any                 the store's
 *   any                  none                the held one, written
 *   a change             the same change     nothing to do
 *   knows the store's    any                 the held one, written
 *   any                  knows the held one  the store's
 *   neither knows the other, equal values    the store's
 *   neither knows the other                  the later one of both; the other is lost
 */
export function mergeEntry<T>(
  held: SiteEntry<T> | undefined,
  stored: SiteEntry<T> | undefined,
): Merged<T> | null {
  if (!stored) return held ? written(held) : null
  if (!held) return taken(stored)
  if (held.change === stored.change) return { ...taken(stored), isTaken: false }
  if (held.past.includes(stored.change)) return written(held)
  if (stored.past.includes(held.change)) return taken(stored)
  if (JSON.stringify(held.value) === JSON.stringify(stored.value)) return { ...taken(stored), isTaken: false }
  const past = (one: SiteEntry<T>, other: SiteEntry<T>) =>
    [...new Set([other.change, ...one.past, ...other.past])].slice(0, MOST_PAST)
  return isLater(held, stored)
    ? { ...written({ ...held, past: past(held, stored) }), lost: stored }
    : { ...taken(stored), lost: held }
}

/** Returns the state after a change of `before`. */
export function changed<T>(before: SiteEntry<T> | undefined, next: Omit<SiteEntry<T>, 'past'>): SiteEntry<T> {
  return { ...next, past: before ? [before.change, ...before.past].slice(0, MOST_PAST) : [] }
}

function taken<T>(entry: SiteEntry<T>): Merged<T> {
  return { entry, isToWrite: false, isTaken: true, lost: null }
}

function written<T>(entry: SiteEntry<T>): Merged<T> {
  return { entry, isToWrite: true, isTaken: false, lost: null }
}

/** By the clocks of the directors; equal ones by the change, so that all directors agree. */
function isLater(a: SiteEntry<unknown>, b: SiteEntry<unknown>): boolean {
  return a.at === b.at ? a.change > b.change : a.at > b.at
}
