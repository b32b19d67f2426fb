/** Repeats notifications of servers that are down. A server that is up again is not repeated. */
import type { Clock } from '../../util/clock.js'

interface Down {
  readonly reason: string
  /** Time of the last notification, by the monotonic clock. */
  told: number
  /** Interval in milliseconds, or null for none. */
  repeat: number | null
}

/** Milliseconds. Reminders that are due within this time are sent together. */
const TOGETHER = 1000

export class Reminders {
  readonly #clock: Clock
  readonly #remind: (member: string) => void
  readonly #down = new Map<string, Down>()
  #alarm: { at: number; cancel: () => void } | null = null

  constructor(clock: Clock, remind: (member: string) => void) {
    this.#clock = clock
    this.#remind = remind
  }

  /** Adds a server that is down and has just been reported. */
  add(member: string, reason: string, repeat: number | null): void {
    const down = { reason, told: this.#clock.now(), repeat }
    this.#down.set(member, down)
    this.#wake(dueAt(down))
  }

  forget(member: string): void {
    this.#down.delete(member)
  }

  /** Returns why the server is down; null if it is not. */
  reasonOf(member: string): string | null {
    return this.#down.get(member)?.reason ?? null
  }

  /** Updates the intervals. Servers that are not in `repeats` are removed. */
  follow(repeatOf: (member: string) => number | null | undefined): void {
    for (const [member, down] of this.#down) {
      const repeat = repeatOf(member)
      if (repeat === undefined) this.#down.delete(member)
      else down.repeat = repeat
    }
    this.#wake(this.#soonest())
  }

  close(): void {
    this.#alarm?.cancel()
    this.#alarm = null
    this.#down.clear()
  }

  #soonest(): number {
    let soonest = Number.POSITIVE_INFINITY
    for (const down of this.#down.values()) soonest = Math.min(soonest, dueAt(down))
    return soonest
  }

  /** Sets the single timer to the first due reminder. */
  #wake(at: number): void {
    if (at === Number.POSITIVE_INFINITY || (this.#alarm && this.#alarm.at <= at)) return
    this.#alarm?.cancel()
    const wait = Math.min(Math.max(0, at - this.#clock.now()), MOST_WAIT)
    this.#alarm = { at, cancel: this.#clock.alarm(wait, () => this.#ring()) }
  }

  #ring(): void {
    this.#alarm = null
    const now = this.#clock.now()
    for (const [member, down] of this.#down) {
      if (dueAt(down) > now + TOGETHER) continue
      down.told = now
      this.#remind(member)
    }
    this.#wake(this.#soonest())
  }
}

/** Maximum delay of setTimeout in milliseconds. */
const MOST_WAIT = 2 ** 31 - 1

function dueAt({ told, repeat }: Down): number {
  return repeat === null ? Number.POSITIVE_INFINITY : told + repeat
}
