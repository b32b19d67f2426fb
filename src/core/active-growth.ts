/**
 * Active connections of a real server that grow while none ends: a sign that it answers nobody. The kernel counts a
 * connection as active from its first segment on (ip_vs_proto_tcp.c), so those that a server does not answer stay active
 * for a minute, and others become inactive when they end. The counts cost little to read, however many connections there
 * are, and show within a moment what the list of connections shows after seconds. Pure.
 */

import { boundedMean } from './read-pace.js'

/** Milliseconds that new connections count for: long-lived ones that come slowly are no sign. */
export const WINDOW = 2000
/** New connections without an end among them that are a sign, at least. */
const LEAST = 2
/** Milliseconds since the first of them: a request takes some time. */
const LASTING = 150
/** How many times as many as its neighbours a server has: with connections that last, all have many. */
const TIMES = 4
/** New connections that are remembered. */
const MOST = 100

/** Share of one processor that the looks may take, and bounds of the milliseconds between two. */
const PACE = { share: 0.0025, least: 50, most: 10_000 } as const
/** The same where checks may fail early, whose users want to know soon. */
const EARLY_PACE = { ...PACE, share: 0.01, least: 25 } as const
/** Milliseconds between two looks at the same services, at most: what came in `WINDOW` is seen by three looks. */
const USEFUL = WINDOW / 2
/** Milliseconds whose share can be saved up, as while nothing changes. */
const SAVED_FOR = WINDOW
/** How much shorter the pauses are, at most, while what was saved is spent. */
const FASTER = 0.5
/** Services that are looked at first, while it is not known what that takes. */
const FIRST = 20
/** Looks whose times count. */
export const TIMED = 20
/** How many times the second shortest of them a look counts at most. */
const MOST_TIMES = 2
/**
 * Milliseconds from a look that finds a first connection to the next one. Most requests have ended by the first of them, and
 * what is a sign is one by the second.
 */
const SOON = { attempt: 20, sure: LASTING } as const
export type Sooner = keyof typeof SOON

/** Milliseconds of one processor that looks have left of their share at a time, in milliseconds of any clock; less than 0: they owe them. */
export interface Saved {
  readonly ms: number
  readonly at: number
}

/** What services one look reads, and the milliseconds to the next one. */
export interface Looks {
  readonly most: number
  /** Returns what is left after one more look at so many services. */
  after(saved: Saved, services: number, now: number): Saved
  /**
   * The milliseconds to the next look at so many services. The more is saved, the shorter. With `sooner` it comes soon, unless
   * something is owed: it is paid from what was saved, or owed itself. The next one comes as much later.
   */
  pause(services: number, saved: Saved, sooner: Sooner | null): number
}

/**
 * Returns how to look, by the milliseconds that one service took in the last looks. Their mean counts, and of those that were
 * slow for reasons of their own, as where others had the processor, twice the second shortest. `wake`: milliseconds of one
 * processor to wake up for a look. `isEarly`: a check may fail early.
 */
export function looksBy(times: readonly number[], wake: number, isEarly = false): Looks {
  const sorted = [...times].sort((a, b) => a - b)
  const short = sorted[1] ?? sorted[0]
  if (short === undefined) return { most: FIRST, after: saved => saved, pause: () => PACE.most }
  const each = boundedMean(times, MOST_TIMES * short)
  const { share, least, most } = isEarly ? EARLY_PACE : PACE
  const costOf = (services: number) => wake + each * services
  const mostSaved = (services: number) => Math.max(share * SAVED_FOR, costOf(services))
  return {
    // No more than a moment in a row, however large the share is.
    most: Math.max(1, Math.floor((PACE.share * USEFUL - wake) / each)),
    after({ ms, at }, services, now) {
      const left = Math.min(mostSaved(services), ms + share * (now - at))
      return { ms: left - costOf(services), at: now }
    },
    pause(services, { ms }, sooner) {
      const cost = costOf(services)
      const spent = ms > 0 ? cost * FASTER * Math.min(1, ms / mostSaved(services)) : ms
      const every = Math.min(Math.max((cost - spent) / share, least), most)
      return sooner && ms + share * SOON[sooner] >= 0 ? Math.min(SOON[sooner], every) : every
    },
  }
}

/** What is known of one server. */
export interface Growth {
  readonly active: number
  /** When connections were added since the last one ended, the oldest first. */
  readonly added: readonly number[]
}

/** Returns what is known after one more look, which has found this number of active connections. */
export function nextGrowth(before: Growth | undefined, active: number, now: number): Growth {
  if (!before || active < before.active) return { active, added: [] }
  const [oldest] = before.added
  if (active === before.active && (oldest === undefined || now - oldest <= WINDOW)) return before
  const more = Math.min(MOST, active - before.active)
  const kept = before.added.filter(at => now - at <= WINDOW)
  return { active, added: [...kept, ...Array<number>(more).fill(now)].slice(-MOST) }
}

/**
 * A server whose connections grow and do not end. `first`: this look has found the first of them. `again`: it has not ended
 * since an earlier look, which is worth a bare connect. `sure`: they are a sign.
 */
export interface Growing {
  readonly place: number
  readonly count: number
  readonly since: 'first' | 'again' | 'sure'
}

/** Returns the servers of one service whose connections grow and do not end. */
export function growingOf(all: readonly Growth[], now: number): Growing[] {
  const counts = all.map(({ added }) => added.length).sort((a, b) => a - b)
  return all.flatMap(({ added }, place) => {
    const [oldest] = added
    const count = added.length
    if (oldest === undefined || !isManyMore(count, counts)) return []
    const isSure = count >= LEAST && now - oldest >= LASTING
    return [{ place, count, since: isSure ? 'sure' : oldest < now ? 'again' : 'first' }]
  })
}

/** True if a server has many more than its neighbours. `sorted`: the counts of all. */
export function isManyMore(count: number, sorted: readonly number[]): boolean {
  return count >= TIMES * lowerMedianOfOthers(sorted, count)
}

/** Returns the lower one in the middle of all values but one that is `own`; 0 if there is no other. */
export function lowerMedianOfOthers(sorted: readonly number[], own: number): number {
  const middle = (sorted.length - 2) >> 1
  const value = sorted[middle] ?? 0
  return own > value ? value : (sorted[middle + 1] ?? 0)
}
