/**
 * Detects a worker whose event loop does not run. Missing beats alone prove nothing: the process may be stopped, or the
 * machine may be too busy to schedule it. Therefore this class measures the thread while beats are missing: the CPU
 * time that it uses, and the time that it sleeps although its loop has work. Time is measured by ticks of the core, and
 * each tick counts at most with its nominal length, or twice that for CPU time.
 */

/** Milliseconds of standstill after which a thread counts as blocked. */
export const BLOCKED = 500
/** The same for a thread that starts processes. A fork takes long when memory or CPU is scarce. */
export const SPAWN_LIMIT = 5000
/** Milliseconds of standstill that are normal for work in slices. */
const FREE = 200
/** Longer standstills add up to a debt. It decreases by this fraction of the elapsed time. */
const REGAINED = 0.2
/** Milliseconds without a beat after which the thread's activity is measured. */
const SUSPICIOUS = 25

/** Fraction of a tick without beats that counts while the thread waits for a CPU, because the core itself did get one. */
const STARVED = 0.25
/**
 * Most ticks that one tick can count. CPU time is not proof of work where a hypervisor takes the processor away and the
 * kernel is not told: the time of the pause is then charged to the thread, and the tick of the core is as late.
 */
const LATE = 2

/** State of a thread, from the kernel. */
export interface Activity {
  /** Total CPU time in milliseconds. */
  readonly used: number
  /** True if the thread sleeps; false if it runs or waits for a CPU. */
  readonly isAsleep: boolean
}

export class Liveness {
  #beats = -1
  #silent = 0
  #stood = 0
  #spawned = 0
  #usedBefore: number | null = null
  #debt = 0

  /** Milliseconds since the last beat, by the core's ticks. */
  get silence(): number {
    return this.#silent
  }

  /** Milliseconds without a beat in which the thread used CPU time, or slept although its loop had work. */
  get stood(): number {
    return this.#stood
  }

  /** Handles a tick of `ms` milliseconds. `isSpawning`: the thread waits for the kernel to start a process. */
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
      this.#stood += isAsleep ? ms : Math.min(Math.max(used - this.#usedBefore, ms * STARVED), ms * LATE)
    this.#usedBefore = used
  }

  /** Discards the past, because files were being loaded. */
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

  /** True if the current standstill reaches `limit` milliseconds, or if repeated standstills took too much of the time. */
  isBlocked(limit: number): boolean {
    return this.#stood >= limit || this.#debt > limit || this.#spawned >= SPAWN_LIMIT
  }
}
