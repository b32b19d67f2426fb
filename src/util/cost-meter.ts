/** Measures what synchronous work costs, in milliseconds of one processor. */

/** Milliseconds. */
export interface Moment {
  readonly wall: number
  readonly cpu: number
}

/**
 * The lower of two measures: the time that passes is too much while other processes have the processor, and the processor
 * time of the process is too much while other threads work. Where the kernel counts processor time in ticks, most work takes
 * none of it; then the time that passes counts.
 */
export class CostMeter {
  readonly #now: () => Moment
  #total = 0
  #began: Moment

  /** `now` is replaced in tests. */
  constructor(now = moment) {
    this.#now = now
    this.#began = now()
  }

  start(): void {
    this.#began = this.#now()
  }

  stop(): void {
    const { wall, cpu } = this.#now()
    const [passed, used] = [wall - this.#began.wall, cpu - this.#began.cpu]
    this.#total += used > 0 ? Math.min(passed, used) : passed
  }

  /** Milliseconds between all pairs of `start` and `stop`. */
  get total(): number {
    return this.#total
  }
}

function moment(): Moment {
  const { user, system } = process.cpuUsage()
  return { wall: performance.now(), cpu: (user + system) / 1000 }
}
