/**
 * Threads that fill the memory in one go: their loop does not come round, so that they do not tell how much they hold. What
 * the process has grown by since such a worker fell silent is held against it, less what others account for. Those of users'
 * files are processes, of which the kernel knows what they hold.
 */
import { getHeapStatistics } from 'node:v8'
import { residentMegabytes } from './process-facts.js'

/** Milliseconds of silence from which on a look at the memory is worth it, and those of them that it has worked. */
const SILENT = 40
const WORKED = 15
/** Megabytes of growth that are never too much. */
const GROWTH = 48
/** Megabytes that a thread takes by beginning, with the libraries that it loads. */
const BEGINNING = 48

/** What is looked at of a worker. */
export interface Watched {
  readonly isReady: boolean
  /** Milliseconds for which nothing has been heard of it, and those of them in which it worked or slept. */
  readonly silence: number
  readonly stood: number
  /** Megabytes that its code may hold, and that it has said it holds. */
  readonly limit: number
  readonly told: number
  end(cause: { readonly kind: 'memory'; readonly limit: number }): void
}

export interface MemoryFacts {
  /** Megabytes that the process holds. */
  resident(): number
  /** Megabytes of the core's own part of them. */
  core(): number
}

const FACTS: MemoryFacts = { resident: residentMegabytes, core: coreMegabytes }

export class MemoryWatch {
  readonly #facts: MemoryFacts
  /** What the process held when the worker was last heard, and what others than the worker accounted for. */
  readonly #before = new Map<Watched, Held>()

  constructor(facts: MemoryFacts = FACTS) {
    this.#facts = facts
  }

  look(workers: readonly Watched[]): void {
    for (const worker of this.#before.keys()) if (!workers.includes(worker)) this.#before.delete(worker)
    if (workers.length === 0) return
    const resident = this.#facts.resident()
    const core = this.#facts.core()
    const grown = workers.filter(worker => {
      const held = { resident, others: core + othersOf(worker, workers) }
      const before = this.#before.get(worker)
      // What another one has left behind may be freed only now.
      const isLess = before !== undefined && resident < before.resident
      if (!worker.isReady || worker.silence === 0 || isLess) this.#before.set(worker, held)
      return worker.silence >= SILENT && this.#hasFilled(worker, held)
    })
    const [longest] = grown.sort((a, b) => b.stood - a.stood)
    longest?.end({ kind: 'memory', limit: longest.limit })
  }

  #hasFilled(worker: Watched, { resident, others }: Held): boolean {
    const before = this.#before.get(worker)
    // One that has not had the processor has filled nothing.
    if (!before || worker.stood < WORKED) return false
    const growth = resident - before.resident - Math.max(0, others - before.others)
    return growth >= Math.max(GROWTH, worker.limit - worker.told)
  }
}

interface Held {
  readonly resident: number
  readonly others: number
}

/** What the other workers hold by their own account, and by having begun. */
function othersOf(worker: Watched, workers: readonly Watched[]): number {
  let sum = 0
  for (const other of workers) if (other !== worker && other.isReady) sum += Math.max(BEGINNING, other.told)
  return sum
}

function coreMegabytes(): number {
  const { total_heap_size, external_memory } = getHeapStatistics()
  return (total_heap_size + external_memory) / 1_048_576
}
