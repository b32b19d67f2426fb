/** What addresses are called: looked up aside, remembered, and kept while nobody answers. */
import type { Address } from '../core/address.js'
import { type Clock, systemClock } from '../util/clock.js'
import type { Resolver } from './lookup.js'

/** Milliseconds for which names that have come in are gathered before use is made of them. */
const GATHER = 50

export class ReverseDnsCache {
  readonly #names: Map<string, readonly string[]>
  readonly #asking = new Map<string, Promise<void>>()
  readonly #resolver: Pick<Resolver, 'names'>
  readonly #onNews: () => void
  readonly #answered = new Set<string>()
  readonly #clock: Pick<Clock, 'alarm'>
  #cancelTelling: (() => void) | null = null

  /** `known`: names of an earlier run, by address. `onNews` is called when an address is called otherwise than before. */
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
   * Looks all of them up at once, each that has not been answered yet or, with `isFresh`, all of them again; none that is
   * being looked up. Resolves when all are answered or given up.
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

  /** `names` is null where nobody answers: what was known counts on. */
  #take(text: string, names: readonly string[] | null): void {
    if (names === null) return
    this.#answered.add(text)
    const before = this.#names.get(text) ?? []
    this.#names.set(text, names)
    if (before.join() !== names.join()) this.#cancelTelling ??= this.#clock.alarm(GATHER, () => this.#tell())
  }

  #tell(): void {
    this.#cancelTelling = null
    this.#onNews()
  }
}
