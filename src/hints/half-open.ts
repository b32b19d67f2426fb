/** Looks for clients' connections that pile up unanswered, in the kernel's list, and gives a hint about their server. */
import { isUnanswered, type ListedConnection, pilesOf, type Unanswered } from '../core/half-open.js'
import type { Hint } from '../core/hints.js'
import type { ConnectionList } from '../ipvs/connection-list.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'

export interface HalfOpenParts {
  readonly clock: Pick<Clock, 'alarm' | 'now'>
  readonly log: Pick<Log, 'error'>
  readonly list: Pick<ConnectionList, 'read' | 'close'>
  /** Returns the jobs of a real server that gets new connections, else none. Keys are those of the kernel's table. */
  jobsOf(service: string, real: string): readonly string[]
  /** Returns the seconds for which a real server has been up; 0 if it is not, or is none of lvsd's. */
  upFor(service: string, real: string): number
  onHint(ids: readonly string[], hint: Hint): void
}

/** Milliseconds between two looks. */
const EVERY = 1000
/** Milliseconds of one processor for each look: 0.05 % of it. The counts of active connections take 0.25 %. */
const COST = 0.5
/**
 * Looks after which what was read of a long list is judged: it is a sample of all connections. The next one begins at the
 * start again, because the kernel walks from there to what is read: far in a list of a million, that takes many milliseconds.
 */
const LOOKS = 10
/** Milliseconds between two hints about the same server. */
const AGAIN_AFTER = 10_000
/** Milliseconds until the next look if the list cannot be read, as before IPVS is loaded. */
const RETRY = 60_000

export class HalfOpen {
  readonly #parts: HalfOpenParts
  readonly #looks: Poller
  #counts = new Map<string, Map<string, number>>()
  #lookCount = 0
  /** When the first look was made whose connections are counted. */
  #since = 0
  /** Seconds for which real servers have been up at this look, by service and real server. */
  readonly #up = new Map<string, number>()
  /** When the last hint about a real server was given, by service and real server. */
  readonly #given = new Map<string, number>()

  constructor(parts: HalfOpenParts) {
    this.#parts = parts
    this.#looks = new Poller('connections without an answer', () => this.#look(), parts)
    this.#looks.every(EVERY)
  }

  async close(): Promise<void> {
    await this.#looks.stop()
    this.#parts.list.close()
  }

  #look(): void {
    const piece = this.#read()
    this.#looks.every(piece ? EVERY : RETRY)
    if (!piece) return
    this.#up.clear()
    if (this.#lookCount === 0) this.#since = this.#parts.clock.now()
    for (const connection of piece.connections) this.#count(connection)
    this.#lookCount++
    if (!piece.isEnd && this.#lookCount < LOOKS) return
    this.#parts.list.close()
    this.#judge()
  }

  #count(connection: ListedConnection): void {
    const { service, real } = connection
    const reals = this.#counts.get(service) ?? new Map<string, number>()
    this.#counts.set(service, reals)
    const counts = isUnanswered(connection) && isUnanswered(connection, this.#upFor(service, real))
    reals.set(real, (reals.get(real) ?? 0) + (counts ? 1 : 0))
  }

  /** Asked once in a look: a server that fails has thousands of such connections. */
  #upFor(service: string, real: string): number {
    const key = `${service} ${real}`
    const known = this.#up.get(key) ?? this.#parts.upFor(service, real)
    this.#up.set(key, known)
    return known
  }

  #read(): ReturnType<ConnectionList['read']> | null {
    try {
      return this.#parts.list.read(COST, line => line.startsWith('TCP'))
    } catch {
      this.#parts.list.close()
      return null
    }
  }

  #judge(): void {
    const counts: Unanswered = this.#counts
    this.#counts = new Map()
    this.#lookCount = 0
    const now = this.#parts.clock.now()
    for (const [key, at] of this.#given) if (now - at >= AGAIN_AFTER) this.#given.delete(key)
    for (const { service, real, count } of pilesOf(counts)) {
      const key = `${service} ${real}`
      // It may have come back since the first look.
      const isOld = now - this.#since > 1000 * this.#upFor(service, real)
      const ids = isOld || this.#given.has(key) ? [] : this.#parts.jobsOf(service, real)
      if (ids.length === 0) continue
      this.#given.set(key, now)
      const detail = `${counted(count, 'connection')} of clients to ${service} without an answer`
      this.#parts.onHint(ids, { kind: 'half-open', detail, isStrong: true })
    }
  }
}
