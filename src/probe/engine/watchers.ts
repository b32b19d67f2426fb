/**
 * Who watches which descriptor of an epoll instance. Each has a place, which epoll returns with its events. A place is used
 * again, so an event has a generation too: one of the descriptor that had the place before has another.
 */

/** Is called with the flags of epoll(7) when a watched descriptor is ready. */
export interface Watcher {
  ready(flags: number): void
}

interface Events {
  /** Returns a negative errno if the kernel refuses. */
  add(fd: number, flags: number, place: number, generation: number): number
}

export class Watchers {
  readonly #watchers: (Watcher | null)[] = []
  readonly #generations: number[] = []
  readonly #free: number[] = []

  /** Number of descriptors that are watched. */
  get size(): number {
    return this.#watchers.length - this.#free.length
  }

  /** Watches a descriptor with `events`. Returns its place, or a negative errno. */
  add(events: Events, fd: number, flags: number, watcher: Watcher): number {
    const place = this.#free.pop() ?? this.#watchers.push(null) - 1
    const failed = events.add(fd, flags, place, this.#next(place))
    if (failed < 0) {
      this.#free.push(place)
      return failed
    }
    this.#watchers[place] = watcher
    return place
  }

  /** Ends a watch. The caller closes the descriptor. */
  remove(place: number): void {
    this.#watchers[place] = null
    this.#next(place)
    this.#free.push(place)
  }

  /** Passes an event on to whom it is for. */
  tell(place: number, generation: number, flags: number): void {
    if (this.#generations[place] === generation) this.#watchers[place]?.ready(flags)
  }

  #next(place: number): number {
    const generation = ((this.#generations[place] ?? 0) + 1) >>> 0
    this.#generations[place] = generation
    return generation
  }
}
