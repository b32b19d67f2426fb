/**
 * Connections through the kernel's table that a real server does not answer: the client's SYN has been forwarded, and what
 * follows never came. A sign that the server may have failed. Pure.
 */

import { lowerMedianOfOthers } from './active-growth.js'

/** Seconds that the kernel keeps a connection in SYN_RECV after its last packet (ip_vs_proto_tcp.c). */
const KEPT = 60
/** Seconds after the last packet from which a connection counts as unanswered: a handshake over any path is shorter. */
const UNANSWERED_AFTER = 2
/** Unanswered connections of one server that are a sign, at least: fewer come from clients that give up. */
const LEAST = 5
/** How many times as many as its neighbours a server has: with a SYN flood, or a fault before the director, all have many. */
const TIMES = 4

/** One line of the kernel's list of connections. */
export interface ListedConnection {
  /** Service and real server, in the kernel's notation. */
  readonly service: string
  readonly real: string
  readonly state: string
  /** Seconds until the kernel forgets the connection. */
  readonly expires: number
}

/** Unanswered connections by real server, by service. Servers with connections and none unanswered have 0. */
export type Unanswered = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * True if the connection waits for its server. The other states mean that an answer has come. One whose last packet came
 * before the server was found to be up tells of an earlier failure: the kernel keeps it for a minute. `upFor`: seconds.
 */
export function isUnanswered(
  { state, expires }: Pick<ListedConnection, 'state' | 'expires'>,
  upFor = Number.POSITIVE_INFINITY,
): boolean {
  // At most a second too old, as the kernel tells whole seconds of what is left.
  const age = KEPT - expires
  return state === 'SYN_RECV' && age >= UNANSWERED_AFTER && age <= upFor
}

/** Returns the servers whose connections pile up unanswered, with their number: those of one service are compared. */
export function pilesOf(counts: Unanswered): { service: string; real: string; count: number }[] {
  return [...counts].flatMap(([service, reals]) => {
    const sorted = [...reals.values()].sort((a, b) => a - b)
    return [...reals].flatMap(([real, count]) => {
      const isAlone = count >= LEAST && count >= TIMES * lowerMedianOfOthers(sorted, count)
      return isAlone ? [{ service, real, count }] : []
    })
  })
}
