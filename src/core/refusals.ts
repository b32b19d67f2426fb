/**
 * Connections of clients that a real server refuses, seen in the kernel's counters. With masquerading both directions pass
 * the director: such a connection is one packet of the client and one answer, and nothing follows. The kernel sums these
 * counters up every two seconds (ip_vs_est.c). A single connection whose handshake is on its way at that moment looks the
 * same, and costs a check. With direct routing and tunnels answers do not pass here: refused connections grow there as
 * silent ones do (core/active-growth.ts). Pure.
 */
import { type Growing, isManyMore, WINDOW } from './active-growth.js'

/** What the kernel has counted for one real server, modulo 2^32: connections, packets of clients, packets to them. */
export interface Flow {
  readonly connections: number
  readonly received: number
  readonly sent: number
}

/** What is known of one server. */
export interface Refusals {
  /** The counters at the last look before the first of these connections. */
  readonly before: Flow
  readonly count: number
  /** When the first of them was seen. */
  readonly since: number | undefined
}

/** Returns what is known after one more look. Any other packet than these means that the server answers someone. */
export function nextRefusals(known: Refusals | undefined, flow: Flow, now: number): Refusals {
  const isOver = known?.since !== undefined && now - known.since > WINDOW
  if (!known || isOver) return { before: flow, count: 0, since: undefined }
  const { before } = known
  const count = (flow.connections - before.connections) | 0
  const isRefused =
    ((flow.received - before.received) | 0) === count && ((flow.sent - before.sent) | 0) === count
  if (!isRefused || count < known.count) return { before: flow, count: 0, since: undefined }
  return count === known.count ? known : { before, count, since: known.since ?? now }
}

/** Returns the servers of one service that refuse connections, but for those whose neighbours are refused too. */
export function refusingOf(all: readonly Refusals[]): Growing[] {
  const counts = all.map(({ count }) => count).sort((a, b) => a - b)
  return all.flatMap(({ count }, place) =>
    count > 0 && isManyMore(count, counts) ? [{ place, count, since: 'sure' as const }] : [],
  )
}
