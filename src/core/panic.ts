/**
 * Panic: when many servers of a service fail at once, more likely the checks or the network are at fault than all the
 * servers, and those that are left could not carry the load. The table then stays as it was. Has no I/O.
 */
import type { HealthState } from './model.js'

/** The setting `panic` of a service. */
export interface Panic {
  /** Percent of its servers that must fall. */
  readonly share: number
  /** Milliseconds within which they must fall. */
  readonly within: number
  /** Maximum milliseconds that a panic lasts. */
  readonly for: number
}

/** A server that went from up to down, and is down. */
export interface Fall {
  /** Milliseconds of the steady clock. */
  readonly at: number
  /** Its weight in the table before. */
  readonly weight: number
}

/** What is known of a server when it is looked at. */
export interface Seen {
  /** State by the checks and damping, without the override. */
  readonly state: HealthState
  /** True if an override decides the state, so that its checks do not count. */
  readonly isOverridden: boolean
  /** True if the actual table shows it in service. Asked before its first state. */
  isInService(): boolean
  /** The weight to keep, if it falls. */
  weight(): number
}

/** Plain data for the next process. Times are ages in milliseconds. */
export interface SavedPanic {
  /** Age of the panic; null: no panic. */
  readonly panic: number | null
  readonly falls: readonly { readonly key: string; readonly age: number; readonly weight: number }[]
}

/** Minimum number of servers in a burst. The failure of one server is none, even if it is half of the service. */
const FEWEST = 2

/**
 * Returns how many fallen servers make a panic, of `servers` with a configured weight above 0. Infinity if that many
 * cannot fall: a service with one server never panics.
 */
export function neededFalls(servers: number, { share }: Pick<Panic, 'share'>): number {
  if (servers < FEWEST) return Number.POSITIVE_INFINITY
  // 1e-9: 10% of 30 is 3, and not 3.0000000000000004.
  return Math.max(FEWEST, Math.ceil((servers * share) / 100 - 1e-9))
}

/**
 * The panic of one service. `see` notes a server, in this way:
 *
 *   override   last state                state now   effect
 *   decides    any                       any         no fall: it is out of the panic
 *   no         any                       up          no fall
 *   no         up                        down        a fall, with the weight that it had
 *   no         down                      down        unchanged
 *   no         none, in service          down        a fall: lvsd has started, and the kernel had it
 *   no         none, not in service      down        no fall: it was down before
 *   no         any                       unknown     unchanged
 *
 * `look` decides:
 *
 *   panic   condition                                         next
 *   no      falls of the last `within` are fewer than needed  no
 *   no      they are as many as needed, or more               yes: all these servers are held
 *   yes     a server falls                                    yes: it is held too
 *   yes     fewer are down of those held than needed          no: they fail as usual
 *   yes     `for` is over                                     no: they fail as usual, and do not count again
 *   yes     the setting is gone                               no
 *
 * A held server stays in the table with its weight, unless an override says otherwise. One that was down before the
 * burst is not held.
 */
export class ServicePanic {
  readonly #last = new Map<string, 'up' | 'down'>()
  /** The oldest first. */
  readonly #falls = new Map<string, Fall>()
  #since: number | null = null

  /** Begin of the panic in milliseconds of the steady clock; null: no panic. */
  get since(): number | null {
    return this.#since
  }

  /** The servers that the panic keeps in the table, with their weights. */
  get held(): ReadonlyMap<string, Fall> {
    return this.#since === null ? NOBODY : this.#falls
  }

  see(key: string, { state, isOverridden, isInService, weight }: Seen, now: number): void {
    const last = this.#last.get(key)
    if (state === 'unknown') {
      if (isOverridden) this.#falls.delete(key)
      return
    }
    this.#last.set(key, state)
    if (isOverridden || state === 'up') this.#falls.delete(key)
    else if (last === 'up' || (last === undefined && isInService()))
      this.#falls.set(key, { at: now, weight: weight() })
  }

  /** `servers` is the number of those with a configured weight above 0 whose state no override decides. */
  look(servers: number, policy: Panic | null, now: number): void {
    if (!policy) {
      this.#end()
      return
    }
    const needed = neededFalls(servers, policy)
    if (this.#since !== null) {
      if (now >= this.#since + policy.for) this.#end()
      else if (this.#falls.size < needed) this.#since = null
      else return
    }
    this.#forget(now - policy.within)
    if (this.#falls.size >= needed) this.#since = now
  }

  /** Forgets servers that the configuration no longer has. */
  follow(keys: ReadonlySet<string>): void {
    for (const known of [this.#last, this.#falls])
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key)
  }

  save(now: number): SavedPanic {
    const falls = [...this.#falls].map(([key, { at, weight }]) => ({ key, age: now - at, weight }))
    return { panic: this.#since === null ? null : now - this.#since, falls }
  }

  /** Takes what `save` returned in an earlier process. */
  restore({ panic, falls }: SavedPanic, now: number): void {
    this.#since = panic === null ? null : now - panic
    for (const { key, age, weight } of falls) {
      this.#falls.set(key, { at: now - age, weight })
      this.#last.set(key, 'down')
    }
  }

  #end(): void {
    this.#since = null
    this.#falls.clear()
  }

  #forget(before: number): void {
    for (const [key, { at }] of this.#falls) {
      if (at >= before) return
      this.#falls.delete(key)
    }
  }
}

const NOBODY: ReadonlyMap<string, Fall> = new Map()
