/**
 * Passes the job changes of a new configuration or a new role to the executors in time slices: to set the jobs of thousands
 * of servers takes long. A later change of a job replaces one that waits, unless it only brings the next run forward.
 */
import type { JobChanges } from '../health/health-changes.js'
import type { HealthStore } from '../health/health-store.js'
import type { Executors } from '../schedule/executors.js'
import { runSliced, type Sliced } from '../util/time-slice.js'
import { jobOrders, type Order, type Pace, paceOrders } from './schedule-jobs.js'

/** Milliseconds of a slice: the message to the engine's thread that follows in the same turn takes as long. */
const TURN = 4

export class PendingJobs {
  readonly #executors: Pick<Executors, 'set' | 'remove' | 'soon'>
  readonly #waiting = new Map<string, () => void>()
  /** Orders of one change that are made as they are passed on, while no other change waits. */
  #next: Iterator<Order> | null = null
  #running: Promise<void> | null = null

  constructor(executors: Pick<Executors, 'set' | 'remove' | 'soon'>) {
    this.#executors = executors
  }

  /** Passes on what takes one slice at once, and the rest in slices. */
  take(changes: JobChanges, pace: Pace): void {
    this.#add(jobOrders(this.#executors, changes, pace))
  }

  /** Gives every job the interval of a new role, in the same way. */
  pace(jobs: HealthStore['jobs'], pace: Pace): void {
    this.#add(paceOrders(this.#executors, jobs, pace))
  }

  #add(orders: Iterable<Order>): void {
    if (this.#next === null && this.#waiting.size === 0) this.#next = orders[Symbol.iterator]()
    else {
      this.#wait(this.#rest())
      this.#wait(orders)
    }
    this.#run()
  }

  *#rest(): Iterable<Order> {
    const next = this.#next
    this.#next = null
    for (let step = next?.next(); step && !step.done; step = next?.next()) yield step.value
  }

  #wait(orders: Iterable<Order>): void {
    for (const [id, order, isFurther] of orders) {
      const before = isFurther && this.#waiting.get(id)
      this.#waiting.set(id, before ? inTurn(before, order) : order)
    }
  }

  /** Resolves when all changes have been passed on. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Drops what waits. */
  close(): void {
    this.#waiting.clear()
    this.#next = null
  }

  #run(): void {
    this.#running ??= runSliced(this.#drain(), TURN).finally(() => {
      this.#running = null
      // What came after the last step was taken, and before this.
      if (this.#next || this.#waiting.size > 0) this.#run()
    })
  }

  *#drain(): Sliced<void> {
    for (let step = this.#next?.next(); step; step = this.#next?.next()) {
      if (step.done) this.#next = null
      else step.value[1]()
      yield
    }
    for (const [id, order] of this.#waiting) {
      this.#waiting.delete(id)
      order()
      yield
    }
  }
}

function inTurn(first: () => void, second: () => void): () => void {
  return () => {
    first()
    second()
  }
}
