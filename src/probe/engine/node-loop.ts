/** Node's event loop for runs of probes on epoll: for the probes that Node's own sockets cannot run. */
import { LoopEpoll } from '../../system/loop-epoll.js'
import type { ProbeLoop } from './reactor.js'
import { type Watcher, Watchers } from './watchers.js'

export class NodeLoop implements ProbeLoop {
  readonly #watchers = new Watchers()
  readonly #epoll: LoopEpoll

  /** Throws a SystemError, or an Error where the machine has no such calls. */
  constructor() {
    this.#epoll = new LoopEpoll((place, generation, flags) => this.#watchers.tell(place, generation, flags))
  }

  watch(fd: number, flags: number, watcher: Watcher): number {
    return this.#watchers.add(this.#epoll, fd, flags, watcher)
  }

  unwatch(place: number): void {
    this.#watchers.remove(place)
  }

  /** Node's event loop waits for nobody. */
  lookSoon(): boolean {
    return false
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
}
