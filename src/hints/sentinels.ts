/**
 * Keeps one idle TCP connection, a sentinel, to each endpoint whose check wants one. Its end is a hint. A server that
 * closes idle connections by itself is learned: such a close only opens the next connection, which shows as quickly
 * whether the server still listens.
 *
 *   state     event                                   next      effect
 *   closed    its check passes                        waiting
 *   waiting   its turn comes                          opening   connect
 *   opening   established                             watching
 *   opening   refused, or an ICMP error               closed    hint
 *   opening   another failure                         closed
 *   watching  closed at the learned age               waiting
 *   watching  any other end                           closed    hint
 *   watching  its check is refused                    closed    the connection is dropped: the server may wait for its end
 *   any       its check times out                     closed    the connection is dropped, and if it was watching, rests a while
 */
import type { Address } from '../core/address.js'
import {
  type Budget,
  fullBudget,
  type Hint,
  idleLimitOf,
  isIdleClose,
  isRefusal,
  OPENED,
  restAfter,
  spend,
  untilNext,
  withAge,
} from '../core/hints.js'
import type { CheckResult } from '../core/model.js'
import type { Clock } from '../util/clock.js'
import { Deadlines } from '../util/deadlines.js'
import { type AskedEndpoint, sourceFor } from './endpoints.js'
import type { Tcp, TcpConnection } from './tcp.js'

export interface SentinelsParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly tcp: Pick<Tcp, 'connect'>
  /** Maximum number of connections, by the limit of descriptors. */
  readonly most: number
  sourceOf(target: Address): Address | null
  onHint(ids: readonly string[], hint: Hint): void
}

/** Minimum milliseconds between two connections to the same endpoint. After each in a row that meets an ICMP error it doubles. */
const OPEN_EVERY = 1000
/** How often it doubles at most: to about a minute. */
const MOST_DOUBLINGS = 6
/** Milliseconds by which the result of a run that passed may come late: then the run began as much sooner. */
const LATE = 1000

export type SentinelState = 'closed' | 'waiting' | 'opening' | 'watching'

export interface SentinelView {
  /** `left-out`: the descriptors do not suffice for all. */
  readonly state: SentinelState | 'left-out'
  /** When it was established, in milliseconds of the clock; null unless it is watching. */
  readonly since: number | null
  /** Set while it stays closed because a check has timed out beside it: until when, in milliseconds of the clock. */
  readonly restsUntil: number | null
  /** Age in milliseconds at which the server closes idle connections by itself; null: none is known. */
  readonly idleLimit: number | null
}

interface Sentinel {
  endpoint: AskedEndpoint
  state: SentinelState
  connection: TcpConnection | null
  since: number
  /** When the last connection was begun. */
  begunAt: number
  /** Number of connections in a row that have met an ICMP error when they were opened. */
  unreachable: number
  /** When a check first passed that began while this connection was open; null: none has. */
  servedAt: number | null
  /** Milliseconds since the last rest for which earlier connections were open beside which a check has passed. */
  servedFor: number
  /** Not before this time is the next one. */
  restsUntil: number
  /** Milliseconds; 0 before the first. */
  lastRest: number
  /** Ages at which the server has closed idle connections and went on to serve. */
  ages: readonly number[]
  /** The age of the last close, until it is known whether the server lives. */
  unproved: number | null
}

export class Sentinels {
  readonly #parts: SentinelsParts
  readonly #byKey = new Map<string, Sentinel>()
  #byJob: ReadonlyMap<string, Sentinel> = new Map()
  readonly #due: Deadlines<Sentinel>
  #budget: Budget
  #isClosed = false

  constructor(parts: SentinelsParts) {
    this.#parts = parts
    this.#budget = fullBudget(OPENED, parts.clock.now())
    this.#due = new Deadlines({ clock: parts.clock, onDue: due => this.#pump(due) })
  }

  /** Takes the endpoints to watch. Those that stay keep their connections. Returns how many are left out. */
  follow(endpoints: ReadonlyMap<string, AskedEndpoint>): number {
    for (const [key, sentinel] of this.#byKey) if (!endpoints.has(key)) this.#forget(key, sentinel)
    const byJob = new Map<string, Sentinel>()
    for (const [key, endpoint] of endpoints) {
      const sentinel =
        this.#byKey.get(key) ?? (this.#byKey.size < this.#parts.most ? this.#new(endpoint) : null)
      if (!sentinel) continue
      sentinel.endpoint = endpoint
      for (const id of endpoint.ids) byJob.set(id, sentinel)
    }
    this.#byJob = byJob
    return endpoints.size - this.#byKey.size
  }

  /** Takes a result of a job. */
  result(id: string, result: CheckResult): void {
    const { ok, reason } = result
    const sentinel = this.#byJob.get(id)
    if (!sentinel || ok === null) return
    const { unproved } = sentinel
    sentinel.unproved = null
    if (!ok) {
      if (reason === 'timeout') this.#rest(sentinel)
      // A server that ends listens no more, and waits for the connections that it has.
      else if (sentinel.state === 'watching' && isRefusal(result)) {
        this.#countServed(sentinel)
        this.#shut(sentinel)
      }
      return
    }
    if (unproved !== null) sentinel.ages = withAge(sentinel.ages, unproved)
    if (sentinel.state === 'closed') this.#wait(sentinel)
    else if (sentinel.state === 'watching' && sentinel.servedAt === null) this.#notePass(sentinel, result)
  }

  #notePass(sentinel: Sentinel, { ms }: CheckResult): void {
    const now = this.#parts.clock.now()
    if (now - LATE - ms >= sentinel.since) sentinel.servedAt = now
  }

  /** Counts a connection that ends. Where a check has just passed, the server may have ended it to serve that check. */
  #countServed(sentinel: Sentinel): void {
    const { since, servedAt } = sentinel
    const now = this.#parts.clock.now()
    if (servedAt !== null && now - servedAt >= LATE) sentinel.servedFor += now - since
  }

  /** Null: the job has no sentinel. `left-out` is known to the caller alone. */
  of(id: string): SentinelView | null {
    const sentinel = this.#byJob.get(id)
    if (!sentinel) return null
    const { state, since, ages, restsUntil } = sentinel
    const isResting = (state === 'closed' || state === 'waiting') && restsUntil > this.#parts.clock.now()
    return {
      state,
      since: state === 'watching' ? since : null,
      restsUntil: isResting ? restsUntil : null,
      idleLimit: idleLimitOf(ages),
    }
  }

  /** Number of sentinels by their state. */
  get counts(): Readonly<Record<SentinelState, number>> {
    const counts = { closed: 0, waiting: 0, opening: 0, watching: 0 }
    for (const { state } of this.#byKey.values()) counts[state]++
    return counts
  }

  close(): void {
    this.#isClosed = true
    this.#due.close()
    for (const [key, sentinel] of this.#byKey) this.#forget(key, sentinel)
  }

  #new(endpoint: AskedEndpoint): Sentinel {
    const never = Number.NEGATIVE_INFINITY
    const sentinel: Sentinel = {
      endpoint,
      state: 'closed',
      connection: null,
      since: 0,
      begunAt: never,
      unreachable: 0,
      servedAt: null,
      servedFor: 0,
      restsUntil: never,
      lastRest: 0,
      ages: [],
      unproved: null,
    }
    this.#byKey.set(endpoint.key, sentinel)
    return sentinel
  }

  #forget(key: string, sentinel: Sentinel): void {
    this.#byKey.delete(key)
    this.#shut(sentinel)
  }

  #rest(sentinel: Sentinel): void {
    const { state, since, lastRest, servedAt } = sentinel
    this.#shut(sentinel)
    if (state !== 'watching') return
    const now = this.#parts.clock.now()
    const servedFor = sentinel.servedFor + (servedAt === null ? 0 : now - since)
    sentinel.servedFor = 0
    sentinel.lastRest = restAfter(lastRest, servedFor)
    sentinel.restsUntil = now + sentinel.lastRest
  }

  #shut(sentinel: Sentinel): void {
    this.#due.set(sentinel, null)
    sentinel.connection?.drop()
    sentinel.connection = null
    sentinel.state = 'closed'
  }

  // -------------------------------------------------------------- opening

  #wait(sentinel: Sentinel): void {
    if (this.#isClosed) return
    sentinel.state = 'waiting'
    const { begunAt, unreachable, restsUntil } = sentinel
    const every = OPEN_EVERY * 2 ** Math.min(unreachable, MOST_DOUBLINGS)
    this.#due.set(sentinel, Math.max(this.#parts.clock.now(), begunAt + every, restsUntil))
  }

  #pump(due: readonly Sentinel[]): void {
    const { clock } = this.#parts
    due.forEach((sentinel, i) => {
      const now = clock.now()
      const rest = spend(this.#budget, OPENED, now)
      if (rest) {
        this.#budget = rest
        this.#open(sentinel, now)
      } else
        this.#due.set(sentinel, now + untilNext(this.#budget, OPENED, now) + (i * 1000) / OPENED.perSecond)
    })
  }

  #open(sentinel: Sentinel, now: number): void {
    const { tcp, sourceOf } = this.#parts
    const { endpoint } = sentinel
    sentinel.state = 'opening'
    sentinel.begunAt = now
    const on = {
      opened: () => this.#opened(sentinel),
      ended: (code: string | null) => this.#ended(sentinel, code),
    }
    const connection = tcp.connect(endpoint, sourceFor(endpoint, sourceOf), on)
    if (typeof connection === 'string') this.#ended(sentinel, connection)
    else sentinel.connection = connection
  }

  #opened(sentinel: Sentinel): void {
    sentinel.state = 'watching'
    sentinel.since = this.#parts.clock.now()
    sentinel.servedAt = null
    sentinel.unreachable = 0
    // The last close was that of a server that lives.
    if (sentinel.unproved !== null) sentinel.ages = withAge(sentinel.ages, sentinel.unproved)
    sentinel.unproved = null
  }

  // -------------------------------------------------------------- the end

  #ended(sentinel: Sentinel, code: string | null): void {
    const { state, since } = sentinel
    sentinel.connection = null
    sentinel.state = 'closed'
    sentinel.unproved = null
    if (state === 'watching') {
      this.#countServed(sentinel)
      this.#lost(sentinel, code, this.#parts.clock.now() - since)
    } else if (code === 'ECONNREFUSED' || code === 'ECONNRESET')
      this.#hint(sentinel, 'sentinel', `${CONNECTION} was ${wordOf(code)} when lvsd opened it`)
    // Its check has just passed. A packet filter may reject a second connection within a short time, and the check that follows as well.
    else if (code !== null && UNREACHABLE.has(code)) {
      sentinel.unreachable++
      this.#hint(sentinel, 'icmp', reported(code), { isSingle: true })
    }
  }

  #lost(sentinel: Sentinel, code: string | null, age: number): void {
    const isClosed = code === null || code === 'ECONNRESET'
    if (isClosed) sentinel.unproved = age
    if (isClosed && isIdleClose(idleLimitOf(sentinel.ages), age)) this.#wait(sentinel)
    else if (isClosed)
      this.#hint(sentinel, 'sentinel', `${CONNECTION} was ${wordOf(code)} after ${(age / 1000).toFixed(1)} s`)
    else if (code === 'ETIMEDOUT')
      this.#hint(sentinel, 'sentinel', `the server no longer answers on the idle connection`, {
        isStrong: true,
      })
    else this.#hint(sentinel, 'icmp', reported(code))
  }

  #hint(
    { endpoint }: Sentinel,
    kind: Hint['kind'],
    detail: string,
    more: Omit<Hint, 'kind' | 'detail'> = {},
  ): void {
    this.#parts.onHint(endpoint.ids, { kind, detail, ...more })
  }
}

const CONNECTION = 'the idle connection to the server'
/** What ICMP errors become for the kernel of this machine (icmp_err_convert, icmpv6_err_convert). */
const UNREACHABLE: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EACCES'])

function reported(code: string): string {
  return `the network reports an error of the idle connection (${code})`
}

function wordOf(code: string | null): string {
  if (code === null) return 'closed'
  return code === 'ECONNREFUSED' ? 'refused' : 'reset'
}
