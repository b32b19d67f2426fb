/**
 * Whether a worker's loop still comes round. Silence alone proves nothing: the whole process may be stopped, or the machine
 * so busy that the thread does not get its turn. So what counts is what the thread does while it is silent: the processor
 * time that it uses, and the time that it sleeps though its loop has something to do, by the core's own ticks, each of which
 * counts for at most its nominal length.
 */

/** Milliseconds of standstill after which a thread is said to block. */
export const BLOCKED = 500
/** The same for one that starts processes: a fork takes the kernel long where memory or processors are scarce. */
export const SPAWN_LIMIT = 5000
/** A standstill up to this length is what work in pieces comes to. */
const FREE = 200
/** What one may stand still beyond that, again and again: this share of the time. */
const REGAINED = 0.2
/** From here on it is worth a look at what the thread does. */
const SUSPICIOUS = 25

/** What silence counts in which the thread waits for a processor, as the core has not had to. */
const STARVED = 0.25

/** What the kernel says of a thread. */
export interface Activity {
  /** Processor time that it has used in all, milliseconds. */
  readonly used: number
  /** It waits for something, and not for a processor. */
  readonly isAsleep: boolean
}

export class Liveness {
  #beats = -1
  #silent = 0
  #stood = 0
  #spawned = 0
  #usedBefore: number | null = null
  #debt = 0

  /** Milliseconds for which nothing has been heard, by the core's ticks. */
  get silence(): number {
    return this.#silent
  }

  /** Milliseconds of that silence in which the thread worked, or slept though it had something to do. */
  get stood(): number {
    return this.#stood
  }

  /** A tick of the core, `ms` long. `isSpawning`: the thread waits for the kernel to start a process. */
  tick(beats: number, ms: number, look: () => Activity, isSpawning = false): void {
    this.#debt = Math.max(0, this.#debt - ms * REGAINED)
    if (beats !== this.#beats) {
      this.#debt += Math.max(0, this.#stood - FREE)
      this.#beats = beats
      this.#restart()
      return
    }
    this.#silent += ms
    if (isSpawning) {
      this.#spawned += ms
      this.#usedBefore = null
      return
    }
    if (this.#silent < SUSPICIOUS) return
    const { used, isAsleep } = look()
    if (this.#usedBefore !== null)
      this.#stood += isAsleep ? ms : Math.max(used - this.#usedBefore, ms * STARVED)
    this.#usedBefore = used
  }

  /** What was before is not to be counted: files were being loaded. */
  forgive(): void {
    this.#restart()
    this.#debt = 0
  }

  #restart(): void {
    this.#silent = 0
    this.#stood = 0
    this.#spawned = 0
    this.#usedBefore = null
  }

  /** True where it stands still for so many milliseconds, or has done so for too much of the time. */
  isBlocked(limit: number): boolean {
    return this.#stood >= limit || this.#debt > limit || this.#spawned >= SPAWN_LIMIT
  }
}
