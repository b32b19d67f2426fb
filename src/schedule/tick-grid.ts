/** The grid of a scheduler in time: ticks of `TICK` milliseconds. Fractions of ticks are kept, so that intervals do not drift. */
import type { Clock } from '../util/clock.js'
import { TICK } from './start-phases.js'

export class TickGrid {
  readonly #clock: Pick<Clock, 'now'>
  readonly #origin: number

  /** The phase of the grid is random. */
  constructor(clock: Pick<Clock, 'now' | 'random'>) {
    this.#clock = clock
    this.#origin = clock.now() - clock.random() * TICK
  }

  /** Returns the time `ms` milliseconds from now in ticks. */
  tickIn(ms: number): number {
    return (this.#clock.now() + ms - this.#origin) / TICK
  }

  timeOf(tick: number): number {
    return this.#origin + tick * TICK
  }

  /** Returns the last whole tick, also if it comes within a millisecond. */
  lastAt(now: number): number {
    return Math.floor((now + 1 - this.#origin) / TICK)
  }
}
