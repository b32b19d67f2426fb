/**
 * The jobs of a simulation that start once in each interval, by the tick at which they do. Runs of which the caller knows what
 * they find, and that this changes nothing, are counted in their turn instead of started (`promise`): they take the same time of
 * the clock at the same place among the others, and nothing else. See `simulate/simulated-director.ts`.
 */
import { Bucket, type Counter, type Promised } from './calendar-bucket.js'
import type { FairQueue } from './fair-queue.js'
import { RecentStarts } from './recent-starts.js'
import type { ScheduledJob, Startable } from './scheduled-job.js'

export interface CalendarParts extends Pick<Counter, 'now' | 'counted'> {
  /** Milliseconds for which a counted run may occupy its place. */
  readonly longest: number
}

/** Ticks. Jobs with longer intervals are few runs. */
const LONGEST_INTERVAL = 1200

/** The jobs of one executor with one interval. */
interface Ring {
  /** By the tick at which their jobs start, modulo the number of ticks of the interval. */
  readonly buckets: readonly Bucket[]
  readonly counter: Counter
  /** A tick at or before the next one with starts; Infinity without jobs. */
  next: number
}

export class Calendar {
  readonly #parts: CalendarParts
  readonly #starts: RecentStarts
  readonly #counters = new Map<FairQueue<Startable>, Counter>()
  readonly #rings = new Map<Counter, Map<number, Ring>>()
  readonly #all: Ring[] = []
  readonly #places = new Map<string, { readonly job: ScheduledJob; readonly bucket: Bucket }>()
  /** The last tick whose starts were queued. */
  #last = Number.NEGATIVE_INFINITY

  constructor(parts: CalendarParts) {
    this.#parts = parts
    this.#starts = new RecentStarts(parts.longest)
  }

  /** The tick of the next start, or an earlier one; Infinity without jobs. */
  get next(): number {
    let first = Number.POSITIVE_INFINITY
    for (const { next } of this.#all) if (next < first) first = next
    return first
  }

  /**
   * Takes a job that starts at `due`, and once in each interval from there; both in ticks. Returns false if it cannot.
   */
  take(job: ScheduledJob, due: number, interval: number): boolean {
    if (!Number.isInteger(interval) || interval > LONGEST_INTERVAL) return false
    const ring = this.#ringOf(job.queue, interval)
    const first = Math.ceil(due)
    const bucket = bucketAt(ring, first)
    if (!bucket.add(job, due)) return false
    this.#places.set(job.id, { job, bucket })
    ring.next = Math.min(ring.next, first)
    return true
  }

  /** Gives a job back, with its next start as `due`. Returns false if the job is not here. */
  give(job: ScheduledJob): boolean {
    const place = this.#places.get(job.id)
    if (place?.job !== job) return false
    this.#places.delete(job.id)
    job.due = place.bucket.remove(job, this.#last)
    return true
  }

  /** The next runs of the job are known. No effect on jobs that are not here. */
  promise(id: string, promised: Promised): void {
    const place = this.#places.get(id)
    place?.bucket.promise(place.job, promised)
  }

  /** Ends a promise. Returns the number of runs that were counted since. */
  recall(id: string): number {
    const place = this.#places.get(id)
    return place ? place.bucket.recall(place.job) : 0
  }

  /** Queues the starts of all ticks up to this one. `timeOf` returns the time of a tick in milliseconds of the clock. */
  enqueue(tick: number, timeOf: (tick: number) => number): void {
    for (let at = this.next; at <= tick; at++) {
      for (const ring of this.#all) {
        const { counter } = ring
        bucketAt(ring, at).enqueue({ tick: at, scheduledAt: timeOf(at), counter })
      }
    }
    this.#last = Math.max(this.#last, tick)
    for (const ring of this.#all) if (ring.next <= tick) ring.next = nextOf(ring, tick)
  }

  #ringOf(queue: FairQueue<Startable>, interval: number): Ring {
    const counter = this.#counterOf(queue)
    const ofQueue = this.#rings.get(counter) ?? new Map<number, Ring>()
    this.#rings.set(counter, ofQueue)
    const known = ofQueue.get(interval)
    if (known) return known
    const buckets = Array.from({ length: interval }, () => new Bucket(queue, interval))
    const ring = { buckets, counter, next: Number.POSITIVE_INFINITY }
    ofQueue.set(interval, ring)
    this.#all.push(ring)
    return ring
  }

  #counterOf(queue: FairQueue<Startable>): Counter {
    const known = this.#counters.get(queue)
    if (known) return known
    const { now, counted, longest } = this.#parts
    const counter = { now, counted, starts: this.#starts, startsOfQueue: new RecentStarts(longest) }
    this.#counters.set(queue, counter)
    return counter
  }
}

function bucketAt({ buckets }: Ring, tick: number): Bucket {
  const place = tick % buckets.length
  return buckets[place < 0 ? place + buckets.length : place] as Bucket
}

/** Returns the first tick after this one with starts. */
function nextOf(ring: Ring, tick: number): number {
  for (let next = tick + 1; next <= tick + ring.buckets.length; next++)
    if (bucketAt(ring, next).jobs.length > 0) return next
  return Number.POSITIVE_INFINITY
}
