/** The jobs of a calendar that start at the same ticks, in the order of their times. */
import type { FairQueue } from './fair-queue.js'
import type { RecentStarts } from './recent-starts.js'
import type { CountLimits, ScheduledJob, Series, Startable } from './scheduled-job.js'

/** The runs that are known beforehand: those that start before `until`, and at most `runs` of them. */
export interface Promised {
  /** Milliseconds of the clock. */
  readonly until: number
  readonly runs: number
}

/** What counts runs. */
export interface Counter {
  now(): number
  /** The counted starts of all executors, and of this one. */
  readonly starts: RecentStarts
  readonly startsOfQueue: RecentStarts
  /** Called for each run that is counted, with the milliseconds since it was due. */
  counted(ms: number): void
}

export interface Turn {
  readonly tick: number
  /** Milliseconds of the clock. */
  readonly scheduledAt: number
  readonly counter: Counter
}

/** Nothing is known of the runs of the job. */
const UNKNOWN = Number.NEGATIVE_INFINITY

export class Bucket {
  readonly jobs: ScheduledJob[] = []
  /** Until when runs are counted: see `Promised`. One array each, because every run reads them. */
  readonly until: number[] = []
  readonly left: number[] = []
  readonly #promised: number[] = []
  /** The first start of each job here, in ticks. */
  readonly #first: number[] = []
  readonly #queue: FairQueue<Startable>
  /** In ticks. */
  readonly #interval: number
  /** Queued starts. */
  #waiting: BucketSeries[] = []

  constructor(queue: FairQueue<Startable>, interval: number) {
    this.#queue = queue
    this.#interval = interval
  }

  /** Adds a job that starts at `due` next, in ticks. Returns false while starts wait since the last interval. */
  add(job: ScheduledJob, due: number): boolean {
    if (this.#isBehind) return false
    const at = this.#placeFor(due, job.number)
    this.jobs.splice(at, 0, job)
    this.#first.splice(at, 0, due)
    this.until.splice(at, 0, UNKNOWN)
    this.left.splice(at, 0, 0)
    this.#promised.splice(at, 0, 0)
    return true
  }

  /** Removes a job, and returns its next start after this tick, in ticks. */
  remove(job: ScheduledJob, tick: number): number {
    const at = this.jobs.indexOf(job)
    const first = this.#first[at] as number
    for (const list of [this.jobs, this.#first, this.until, this.left, this.#promised]) list.splice(at, 1)
    for (const series of this.#waiting) series.without(at)
    return first + Math.max(0, Math.floor((tick - first) / this.#interval) + 1) * this.#interval
  }

  promise(job: ScheduledJob, { until, runs }: Promised): void {
    const at = this.jobs.indexOf(job)
    this.until[at] = runs > 0 ? until : UNKNOWN
    this.left[at] = runs
    this.#promised[at] = runs
  }

  /** Returns the number of runs that were counted since the promise, which ends. */
  recall(job: ScheduledJob): number {
    const at = this.jobs.indexOf(job)
    const counted = (this.#promised[at] as number) - (this.left[at] as number)
    this.promise(job, { until: UNKNOWN, runs: 0 })
    return counted
  }

  /** Queues the starts of a tick: single jobs, and those between them whose runs are known as one series. */
  enqueue({ tick, scheduledAt, counter }: Turn): void {
    let from = 0
    const queueUpTo = (to: number) => {
      if (to > from)
        this.#queueSeries(new BucketSeries(this, { from, to, scheduledAt, counter, queue: this.#queue }))
      from = to + 1
    }
    const isBehind = this.#isBehind
    for (let at = 0; at < this.jobs.length; at++) {
      const isLater = (this.#first[at] as number) > tick || (isBehind && this.#waits(at))
      if (!isLater && this.until[at] !== UNKNOWN) continue
      queueUpTo(at)
      if (!isLater) queueJob(this.jobs[at] as ScheduledJob, scheduledAt)
    }
    queueUpTo(this.jobs.length)
  }

  #queueSeries(series: BucketSeries): void {
    this.#waiting.push(series)
    this.#queue.enqueue(series)
  }

  get #isBehind(): boolean {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter(({ isOver }) => !isOver)
    return this.#waiting.length > 0
  }

  #waits(at: number): boolean {
    return this.#waiting.some(series => series.has(at))
  }

  /** Binary search in the parts of a tick at which the jobs start. Those of the same time have the order of their numbers. */
  #placeFor(due: number, number: number): number {
    const part = partOf(due)
    let [low, high] = [0, this.jobs.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = partOf(this.#first[middle] as number)
      const isBefore = other === part ? (this.jobs[middle]?.number ?? 0) < number : other < part
      if (isBefore) low = middle + 1
      else high = middle
    }
    return low
  }
}

function queueJob(job: ScheduledJob, scheduledAt: number): void {
  job.scheduledAt = scheduledAt
  if (!job.run && !job.isWaiting) job.queue.enqueue(job)
}

/** Returns by how much of a tick the start is before the tick at which it is made, negated. */
function partOf(due: number): number {
  return due - Math.ceil(due)
}

interface SeriesParts extends Omit<Turn, 'tick'> {
  readonly queue: FairQueue<Startable>
  readonly from: number
  readonly to: number
}

/** Starts of the jobs `from` to `to` of a bucket. */
class BucketSeries implements Series {
  readonly isSeries = true
  readonly isSlow = false
  isWaiting = false
  lane: Series['lane'] = 'quick'
  readonly queue: FairQueue<Startable>
  readonly scheduledAt: number
  readonly #bucket: Bucket
  readonly #counter: Counter
  #at: number
  #to: number

  constructor(bucket: Bucket, { from, to, scheduledAt, counter, queue }: SeriesParts) {
    this.#bucket = bucket
    this.#at = from
    this.#to = to
    this.scheduledAt = scheduledAt
    this.#counter = counter
    this.queue = queue
  }

  get isOver(): boolean {
    return this.#at >= this.#to
  }

  count({ most, end, room, roomInQueue }: CountLimits): number {
    const { until, left } = this.#bucket
    const { starts, startsOfQueue } = this.#counter
    let counted = 0
    while (counted < most && this.#at < this.#to) {
      const now = this.#counter.now()
      const runs = left[this.#at] as number
      if (now >= end || runs === 0 || now >= (until[this.#at] as number)) break
      if (!starts.fits(room, now) || !startsOfQueue.fits(roomInQueue, now)) break
      left[this.#at] = runs - 1
      this.#at++
      counted++
      starts.add(now)
      startsOfQueue.add(now)
      this.#counter.counted(now - this.scheduledAt)
    }
    return counted
  }

  take(): ScheduledJob | null {
    return this.isOver ? null : (this.#bucket.jobs[this.#at++] as ScheduledJob)
  }

  has(at: number): boolean {
    return at >= this.#at && at < this.#to
  }

  /** The job at this place has been removed from the bucket. */
  without(at: number): void {
    if (at < this.#to) this.#to--
    if (at < this.#at) this.#at--
  }
}
