/** Caches the names of addresses (reverse DNS). A failed look-up leaves the cached names unchanged. */
import type { Address } from '../core/address.js'
import { type Clock, systemClock } from '../util/clock.js'
import type { Resolver } from './lookup.js'

/** Milliseconds between the first new names and the call of `onNews`, so that one call reports many. */
const GATHER = 50

export class ReverseDnsCache {
  readonly #names: Map<string, readonly string[]>
  readonly #asking = new Map<string, Promise<void>>()
  readonly #resolver: Pick<Resolver, 'names'>
  readonly #onNews: () => void
  readonly #answered = new Set<string>()
  readonly #clock: Pick<Clock, 'alarm'>
  #cancelTelling: (() => void) | null = null

  /** `known` has the names of an earlier run, by address. `onNews` is called when names of an address have changed. */
  constructor(
    resolver: Pick<Resolver, 'names'>,
    known: Iterable<readonly [string, readonly string[]]>,
    onNews: () => void,
    clock: Pick<Clock, 'alarm'> = systemClock,
  ) {
    this.#resolver = resolver
    this.#names = new Map(known)
    this.#onNews = onNews
    this.#clock = clock
  }

  of(address: Address): readonly string[] {
    return this.#names.get(address.text) ?? []
  }

  /**
   * Looks up the names of these addresses concurrently: addresses without an answer so far or, with `isFresh`, all. A
   * pending look-up is not repeated. Resolves when all look-ups have ended.
   */
  async refresh(addresses: readonly Address[], isFresh: boolean): Promise<void> {
    const wanted = new Map(addresses.map(address => [address.text, address]))
    const due = [...wanted.values()].filter(({ text }) => isFresh || !this.#answered.has(text))
    await Promise.all(due.map(address => this.#ask(address)))
  }

  close(): void {
    this.#cancelTelling?.()
  }

  #ask(address: Address): Promise<void> {
    const { text } = address
    const asked =
      this.#asking.get(text) ??
      this.#resolver.names(address).then(names => {
        this.#asking.delete(text)
        this.#take(text, names)
      })
    this.#asking.set(text, asked)
    return asked
  }

  /** `names` is null if the look-up failed; the cached names then stay. */
  #take(text: string, names: readonly string[] | null): void {
    if (names === null) return
    this.#answered.add(text)
    const before = this.#names.get(text) ?? []
    this.#names.set(text, names)
    if (before.join() !== names.join())
      this.#cancelTelling ??= this.#clock.alarm(GATHER, () => this.#report())
  }

  #report(): void {
    this.#cancelTelling = null
    this.#onNews()
  }
}
