/**
 * At which ticks the starts of a job fall: the first interval is cut short, so that the jobs of one configuration do not all
 * start at once, and few jobs share ticks.
 */
import type { ScheduledJob } from './scheduled-job.js'

/** Milliseconds. */
export const TICK = 50
/**
 * Few jobs start together at some ticks only, because to wake up costs as much as several checks: the number of starts
 * that one wake-up serves as far as possible, the ticks between two of them, and the least number of them in an interval.
 */
const TOGETHER = 100
const APART = [10, 5, 4, 2]
const LEAST_PHASES = 2
/** Golden ratio: its multiples fill an interval evenly, for any number of jobs. */
const GOLDEN = 0.618_033_988_749_895

export class StartPhases {
  /** Starts per tick on average. */
  #rate = 0
  #golden: number

  /** `first`: a random number below 1. */
  constructor(first: number) {
    this.#golden = first
  }

  add(job: ScheduledJob): void {
    this.#rate += rateOf(job)
  }

  remove(job: ScheduledJob): void {
    this.#rate -= rateOf(job)
  }

  /** Returns the start after the one at `job.due`, in ticks: after `tick`. */
  nextDue(job: ScheduledJob, tick: number): number {
    const interval = job.timing.interval / TICK
    if (job.grid !== null) {
      job.phaseShift = 'done'
      return job.grid + (Math.floor((tick - job.grid) / interval) + 1) * interval
    }
    if (job.phaseShift === 'pending') {
      job.phaseShift = 'shifting'
      this.#golden = (this.#golden + GOLDEN) % 1
      return tick + Math.max(1, this.#golden * interval)
    }
    // By now the other jobs of the configuration are known.
    const due = job.phaseShift === 'shifting' ? this.#shared(job.due, interval) : job.due
    job.phaseShift = 'done'
    const missed = Math.max(0, Math.floor((tick - due) / interval))
    return due + (missed + 1) * interval
  }

  /** Returns a start at or before `due`, in ticks, that others can share if there are few. */
  #shared(due: number, interval: number): number {
    const most = Math.min(TOGETHER / this.#rate, interval / LEAST_PHASES)
    const apart = APART.find(ticks => ticks <= most && interval % ticks === 0)
    return apart ? Math.floor(due / apart) * apart : due
  }
}

/** Returns the starts of a job per tick. */
function rateOf({ timing }: ScheduledJob): number {
  return TICK / timing.interval
}
