/** Measures what synchronous work costs, in milliseconds of one processor. */

interface Moment {
  readonly wall: number
  readonly cpu: number
}

/**
 * The lower of two measures: the time that passes is too much while other processes have the processor, and the processor
 * time of the process is too much while other threads work.
 */
export class CostMeter {
  #total = 0
  #began: Moment = now()

  start(): void {
    this.#began = now()
  }

  stop(): void {
    const { wall, cpu } = now()
    this.#total += Math.min(wall - this.#began.wall, cpu - this.#began.cpu)
  }

  /** Milliseconds between all pairs of `start` and `stop`. */
  get total(): number {
    return this.#total
  }
}

function now(): Moment {
  const { user, system } = process.cpuUsage()
  return { wall: performance.now(), cpu: (user + system) / 1000 }
}
