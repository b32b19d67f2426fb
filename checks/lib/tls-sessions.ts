/**
 * When a check resumes a TLS session (RFC 5246 section 7.3, RFC 8446 section 2.2), and what it knows of sessions. A resumed
 * handshake costs both sides less: the server shows no certificate and proves no key. Therefore one handshake in
 * `FULL_EVERY` is full. A run takes the session, and gives one back when it has passed: after a run that failed, timed
 * out or was stopped, the next handshake is full.
 */

/** Of so many handshakes with a server that all pass, one is full. */
export const FULL_EVERY = 10
/**
 * Passed runs with full handshakes after a run that offered a session and did not pass. The number is ten times as large
 * each further time, until nine resumed runs in a row pass: a server that breaks with resumption alone fails some runs in
 * all, and not one in a hundred for ever.
 */
export const REST = 100
/** Maximum number of times that the rest grows tenfold. */
const MOST_GROWTH = 4
/** Maximum number of servers of which a process keeps a session; each has some 2 kB. */
const MOST = 4096

interface Known {
  /** The session for the next run, or null: the next handshake is full. */
  session: Buffer | null
  /** Resumed handshakes since the last full one. */
  resumed: number
  /** Runs that must pass with full handshakes before the next session is kept. */
  rest: number
  /** Runs that offered a session and did not pass, since resumption was last seen to work. */
  breaks: number
}

export class TlsSessions {
  readonly #known = new Map<string, Known>()
  readonly #most: number

  constructor(most = MOST) {
    this.#most = most
  }

  /** Returns the session that a run should offer, which no other run gets; undefined for a full handshake. */
  take(key: string): Buffer | undefined {
    const known = this.#known.get(key)
    if (!known) return undefined
    const { session } = known
    known.session = null
    if (!session || known.resumed >= FULL_EVERY - 1) return undefined
    // Until the run has passed, it counts as one that does not.
    known.rest = REST * 10 ** Math.min(known.breaks, MOST_GROWTH)
    known.breaks++
    return session
  }

  /**
   * A run has passed. `session`: what the server gave last, or what it has accepted. `wasOffered`: the run had a session from
   * `take`. `wasResumed`: the server accepted it.
   */
  passed(key: string, session: Buffer | undefined, wasOffered: boolean, wasResumed: boolean): void {
    const known = this.#known.get(key) ?? { session: null, resumed: 0, rest: 0, breaks: 0 }
    known.rest = wasOffered ? 0 : Math.max(0, known.rest - 1)
    known.resumed = wasResumed ? known.resumed + 1 : 0
    if (wasOffered) known.breaks = known.resumed >= FULL_EVERY - 1 ? 0 : Math.max(0, known.breaks - 1)
    known.session = known.rest === 0 ? (session ?? null) : null
    // The one that was used last is the last one of the map.
    this.#known.delete(key)
    this.#known.set(key, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > this.#most && oldest !== undefined) this.#known.delete(oldest)
  }
}
