/**
 * A clock whose time passes only when `turn` is called, for simulations. It keeps the order of the event loop: alarms
 * that are due, then what waits for the end of reading.
 */
import type { Clock } from './clock.js'
import { DueHeap, type HeapItem } from './due-heap.js'
import { type Random, randomStream } from './random.js'

interface Alarm {
  readonly ring: () => void
}

/** The alarms of one time, in the order in which they were set: so Node.js calls timers. */
interface Moment extends HeapItem {
  readonly alarms: Set<Alarm>
}

/** Milliseconds. Timers of Node.js are not shorter either. */
const SOONEST = 1

export interface VirtualClockParts {
  /** Milliseconds at the begin. Default: 0. */
  readonly start?: number
  /** Equal seeds give equal random numbers. Default: 0. */
  readonly seed?: number
}

export class VirtualClock implements Clock {
  #now: number
  readonly random: Random
  readonly #moments = new DueHeap<Moment>()
  readonly #byTime = new Map<number, Moment>()
  #deferred: (() => void)[] = []

  constructor({ start = 0, seed = 0 }: VirtualClockParts = {}) {
    this.#now = start
    this.random = randomStream(seed)
  }

  now = (): number => this.#now

  alarm = (ms: number, ring: () => void): (() => void) => {
    const alarm: Alarm = { ring }
    const moment = this.#momentAt(this.#now + Math.max(SOONEST, ms))
    moment.alarms.add(alarm)
    return () => this.#remove(alarm, moment)
  }

  afterReading = (then: () => void): void => {
    this.#deferred.push(then)
  }

  #momentAt(due: number): Moment {
    const known = this.#byTime.get(due)
    if (known) return known
    const moment: Moment = { due: 0, heapIndex: -1, alarms: new Set() }
    this.#byTime.set(due, moment)
    this.#moments.put(moment, due)
    return moment
  }

  #remove(alarm: Alarm, moment: Moment): void {
    if (!moment.alarms.delete(alarm) || moment.alarms.size > 0) return
    this.#byTime.delete(moment.due)
    this.#moments.remove(moment)
  }

  /** Lets `ms` milliseconds pass, as work of the process does: alarms that are due meanwhile are late. */
  spend(ms: number): void {
    this.#now += Math.max(0, ms)
  }

  /**
   * Runs one turn of the event loop: if nothing is left to do at the present time, it moves on to the next alarm, then
   * calls all alarms that are due in the order of their times, then what was deferred. Returns false, with the time at
   * `end` or later, if that is behind `end`, or if nothing is due until then.
   */
  turn(end: number): boolean {
    if (this.#now > end || (this.#deferred.length === 0 && !this.#moveOn(end))) return false
    const until = this.#now
    for (let { first } = this.#moments; first && first.due <= until; { first } = this.#moments) {
      const alarm = first.alarms.values().next().value as Alarm
      this.#remove(alarm, first)
      alarm.ring()
    }
    for (const then of this.#deferred.splice(0)) then()
    return true
  }

  #moveOn(end: number): boolean {
    const { first } = this.#moments
    if (this.#now >= end || !first || first.due > end) {
      this.#now = Math.max(this.#now, end)
      return false
    }
    this.#now = Math.max(this.#now, first.due)
    return true
  }
}
