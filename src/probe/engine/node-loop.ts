/** Node's event loop for runs of probes on epoll: for the probes that Node's own sockets cannot run. */
import { LoopEpoll } from '../../system/loop-epoll.js'
import type { ProbeLoop, Watcher } from './reactor.js'

export class NodeLoop implements ProbeLoop {
  readonly #epoll: LoopEpoll
  readonly #watchers: (Watcher | null)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []

  /** Throws a SystemError, or an Error where the machine has no such calls. */
  constructor() {
    this.#epoll = new LoopEpoll((place, generation, flags) => {
      if (this.#generations[place] === generation) this.#watchers[place]?.ready(flags)
    })
  }

  watch(fd: number, flags: number, watcher: Watcher): number {
    const place = this.#free.pop() ?? this.#watchers.push(null) - 1
    const generation = this.#next(place)
    const failed = this.#epoll.add(fd, flags, place, generation)
    if (failed < 0) {
      this.#free.push(place)
      return failed
    }
    this.#watchers[place] = watcher
    return place
  }

  unwatch(place: number): void {
    this.#watchers[place] = null
    this.#next(place)
    this.#free.push(place)
  }

  alarm(ms: number, call: () => void): () => void {
    const timer = setTimeout(call, ms)
    return () => clearTimeout(timer)
  }

  afterReading(call: () => void): void {
    setImmediate(call)
  }

  close(): void {
    this.#epoll.close()
  }

  /** An event of the descriptor that had this place before has another generation. */
  #next(place: number): number {
    const generation = ((this.#generations[place] ?? 0) + 1) >>> 0
    this.#generations[place] = generation
    return generation
  }
}
