/**
 * Active connections of a real server that grow while none ends: a sign that it answers nobody. The kernel counts a
 * connection as active from its first segment on (ip_vs_proto_tcp.c), so those that a server does not answer stay active
 * for a minute, and others become inactive when they end. The counts cost little to read, however many connections there
 * are, and show within a moment what the list of connections shows after seconds. Pure.
 */

/** Milliseconds that new connections count for: long-lived ones that come slowly are no sign. */
const WINDOW = 2000
/** New connections without an end among them, at least. */
const LEAST = 2
/** Milliseconds since the first of them: a request takes some time. */
const LASTING = 150
/** How many times as many as its neighbours a server has: with connections that last, all have many. */
const TIMES = 4
/** New connections that are remembered. */
const MOST = 100

/** Share of one processor that the looks may take, and bounds of the milliseconds between two. */
const PACE = { share: 0.0025, least: 50, most: 10_000 } as const
/** Milliseconds between two looks at the same services, at most: what came in `WINDOW` is seen by three looks. */
const USEFUL = WINDOW / 2
/** Services that are looked at first, while it is not known what that takes. */
const FIRST = 20
/** Looks whose times count. */
export const TIMED = 5

/** What services one look reads, and the milliseconds to the next one. */
export interface Looks {
  readonly most: number
  every(services: number): number
}

/**
 * Returns how to look, by the milliseconds that one service took in the last looks. The second shortest counts: in the
 * others something else had the processor. What a process has used of it is counted in ticks of 10 ms on some machines.
 */
export function looksBy(times: readonly number[]): Looks {
  const sorted = [...times].sort((a, b) => a - b)
  const each = sorted[1] ?? sorted[0]
  if (each === undefined) return { most: FIRST, every: () => PACE.most }
  return {
    most: Math.max(1, Math.floor((PACE.share * USEFUL) / each)),
    every: services => Math.min(Math.max((each * services) / PACE.share, PACE.least), PACE.most),
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

/** Returns the places of the servers of one service whose connections grow and do not end, with their number. */
export function growingOf(all: readonly Growth[], now: number): { place: number; count: number }[] {
  const counts = all.map(({ added }) => added.length).sort((a, b) => a - b)
  return all.flatMap(({ added }, place) => {
    const [oldest = now] = added
    const count = added.length
    const isGrowing =
      count >= LEAST && now - oldest >= LASTING && count >= TIMES * lowerMedianOfOthers(counts, count)
    return isGrowing ? [{ place, count }] : []
  })
}

/** Returns the lower one in the middle of all values but one that is `own`; 0 if there is no other. */
export function lowerMedianOfOthers(sorted: readonly number[], own: number): number {
  const middle = (sorted.length - 2) >> 1
  const value = sorted[middle] ?? 0
  return own > value ? value : (sorted[middle + 1] ?? 0)
}
