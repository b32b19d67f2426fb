/** A clock that tests advance. It keeps the order of the event loop: alarms, then arrived data, then deferred work. */
import type { Clock } from '../../src/util/clock.js'

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

export class FakeClock implements Clock {
  #now = 1_000_000
  #seed = 1
  readonly #alarms = new Set<Alarm>()
  #arrivals: (() => void)[] = []
  #later: (() => void)[] = []

  now = (): number => this.#now

  alarm = (ms: number, ring: () => void): (() => void) => {
    const alarm = { at: this.#now + ms, ring }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  afterReading = (then: () => void): void => {
    this.#later.push(then)
  }

  /** Returns pseudo-random numbers, the same sequence in each test. */
  random = (): number => {
    this.#seed = (this.#seed * 16_807) % 2_147_483_647
    return this.#seed / 2_147_483_647
  }

  /** Number of alarms that are set. */
  get alarms(): number {
    return this.#alarms.size
  }

  /** Adds data that is handled when sockets are read. */
  arrive(what: () => void): void {
    this.#arrivals.push(what)
  }

  /** Advances the clock by `ms`. Alarms go off at their times. */
  wind(ms: number): void {
    const end = this.#now + ms
    this.#settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#ring(next)
    }
    this.#now = Math.max(this.#now, end)
  }

  /** Time that something takes while it runs: no alarm goes off meanwhile. */
  pass(ms: number): void {
    this.#now += ms
  }

  /**
   * Simulates a stop of the process for `ms`: all alarms that were due go off afterwards, late, before what has arrived
   * meanwhile is read.
   */
  stop(ms: number): void {
    this.#now += ms
    const due = [...this.#alarms].filter(({ at }) => at <= this.#now)
    for (const alarm of due.sort((a, b) => a.at - b.at)) if (this.#alarms.delete(alarm)) alarm.ring()
    this.#settle()
    this.wind(0)
  }

  #next(end: number): Alarm | undefined {
    let first: Alarm | undefined
    for (const alarm of this.#alarms) if (alarm.at <= end && alarm.at < (first?.at ?? Infinity)) first = alarm
    return first
  }

  #ring(alarm: Alarm): void {
    this.#alarms.delete(alarm)
    alarm.ring()
    this.#settle()
  }

  /** Handles arrived data before work that waits for the end of reading. */
  #settle(): void {
    while (this.#arrivals.length + this.#later.length > 0) {
      for (const arrival of this.#arrivals.splice(0)) arrival()
      for (const then of this.#later.splice(0)) then()
    }
  }
}
