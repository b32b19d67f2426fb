/** Looks for clients' connections that pile up unanswered, in the kernel's list, and gives a hint about their server. */
import { isUnanswered, type ListedConnection, pilesOf, type Unanswered } from '../core/half-open.js'
import type { Hint } from '../core/hints.js'
import { FIRST_PACE, nextPace, type Paced, type ReadPace, retryAfter } from '../core/read-pace.js'
import type { ConnectionList, Piece } from '../ipvs/connection-list.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { Poller } from '../util/poller.js'
import { wakeCost } from '../util/wake-cost.js'

export interface HalfOpenParts {
  readonly clock: Pick<Clock, 'alarm' | 'now'>
  readonly log: Pick<Log, 'error'>
  readonly list: Pick<ConnectionList, 'read' | 'close'>
  /** Returns the jobs of a real server that gets new connections, else none. Keys are those of the kernel's table. */
  jobsOf(service: string, real: string): readonly string[]
  /** Returns the seconds for which a real server has been up; 0 if it is not, or is none of lvsd's. */
  upFor(service: string, real: string): number
  onHint(ids: readonly string[], hint: Hint): void
  /** Milliseconds of one processor to wake up for a look; replaced in tests. */
  readonly wake?: number
}

/** What looks take of one processor, all included. The counts of active connections take 0.25 %. */
const PACED: Paced = { share: 0.0005, every: { least: 1000, most: 10_000 } }
/** Milliseconds that one look reads, at least: as long as it takes to wake up for it. */
const READ = 0.3
/** Looks whose costs do not count: the first ones take longer. */
const UNKNOWN = 5
/**
 * Looks after which what was read of a long list is judged: it is a sample of all connections. The next one begins at the
 * start again, because the kernel walks from there to what is read: far in a list of a million, that takes many milliseconds.
 */
const LOOKS = 10
/** Milliseconds between two hints about the same server. */
const AGAIN_AFTER = 10_000

export class HalfOpen {
  readonly #parts: HalfOpenParts
  readonly #looks: Poller
  readonly #wake: number
  #pace: ReadPace = FIRST_PACE
  #unknown = UNKNOWN
  /** Looks in a row that could not read the list. */
  #failures = 0
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
    this.#wake = parts.wake ?? wakeCost()
    this.#looks = new Poller('connections without an answer', () => this.#look(), parts)
    this.#looks.every(this.#pace.interval)
  }

  async close(): Promise<void> {
    await this.#looks.stop()
    this.#parts.list.close()
  }

  #look(): void {
    const { clock } = this.#parts
    const began = clock.now()
    const piece = this.#read()
    if (!piece) {
      // As before IPVS is loaded. The next look begins at the start again.
      this.#counts.clear()
      this.#lookCount = 0
      this.#looks.every(retryAfter(++this.#failures))
      return
    }
    this.#failures = 0
    this.#take(piece, began)
    const cost = this.#wake + clock.now() - began
    if (this.#unknown > 0) this.#unknown--
    else this.#pace = nextPace(this.#pace, cost, PACED)
    this.#looks.every(this.#pace.interval)
  }

  #take({ connections, isEnd }: Piece, now: number): void {
    this.#up.clear()
    if (this.#lookCount === 0) this.#since = now
    for (const connection of connections) this.#count(connection)
    this.#lookCount++
    if (!isEnd && this.#lookCount < LOOKS) return
    this.#parts.list.close()
    this.#judge(now)
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

  #read(): Piece | null {
    try {
      return this.#parts.list.read(Math.max(READ, this.#wake))
    } catch {
      this.#parts.list.close()
      return null
    }
  }

  #judge(now: number): void {
    const counts: Unanswered = this.#counts
    this.#counts = new Map()
    this.#lookCount = 0
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
