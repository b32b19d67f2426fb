/** The queues of all executors, which take turns, and share the places of a scheduler. */
import { FairQueue } from './fair-queue.js'
import type { Startable } from './scheduled-job.js'

export class QueueTurns {
  readonly #queues: FairQueue<Startable>[] = []
  /** Index of the queue whose turn it is. */
  #turn = 0

  /** Adds a queue of which at most `most` items are underway. */
  add(most: number): FairQueue<Startable> {
    const queue = new FairQueue<Startable>(most)
    this.#queues.push(queue)
    return queue
  }

  /** Number of items that wait. */
  get waiting(): number {
    return this.#queues.reduce((sum, queue) => sum + queue.waiting, 0)
  }

  get hasNext(): boolean {
    return this.#queues.some(queue => queue.hasNext)
  }

  /** True if nothing waits in the other queues. */
  isAlone(queue: FairQueue<Startable>): boolean {
    return this.#queues.every(other => other === queue || other.waiting === 0)
  }

  next(): Startable | null {
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues[this.#turn] as FairQueue<Startable>
      this.#turn = (this.#turn + 1) % this.#queues.length
      const item = queue.next()
      if (item) return item
    }
    return null
  }
}
