/**
 * Groups what there is to tell, for each list of recipients on its own, so that many servers that fall at once are few
 * mails. News that come within 2 s go together: up to 3 as mails of their own, with ldirectord's subjects, more in one
 * that lists them. No list of recipients gets more than 10 mails in a minute: what comes on top waits, and is one mail.
 */
import type { Clock } from '../../util/clock.js'
import { type Item, type Letter, letterAbout, letterListing, type Route } from './message.js'

/** Milliseconds from the first news to its mail. */
const GATHER = 2000
const MOST_SINGLE = 3
const MOST_PER_MINUTE = 10
const MINUTE = 60_000
/** News that one mail lists; what comes on top is counted. */
const MOST_LISTED = 1000

export interface DigestParts {
  readonly clock: Clock
  /** The name of this host, for the mails. */
  readonly host: string
  readonly send: (letter: Letter) => void
}

/** What waits for one list of recipients. */
interface Pile {
  readonly route: Route
  readonly items: Set<Item>
  /** Those that say that a server is inaccessible, by server; null where it is among `more`. */
  readonly inaccessible: Map<string, Item | null>
  /** Counted, not kept. */
  more: number
  /** When its mails were handed on, within the last minute. */
  sent: number[]
  cancel: (() => void) | null
}

export class Digest {
  readonly #parts: DigestParts
  readonly #piles = new Map<string, Pile>()

  constructor(parts: DigestParts) {
    this.#parts = parts
  }

  /** That a server is inaccessible is taken back by any other news of it that comes before the mail is made. */
  add(item: Item, route: Route): void {
    const { clock } = this.#parts
    const pile = this.#pileOf(route)
    takeBack(pile, item.news.member)
    const isKept = pile.items.size < MOST_LISTED
    if (isKept) pile.items.add(item)
    else pile.more++
    if (item.news.word === 'Inaccessible') pile.inaccessible.set(item.news.member, isKept ? item : null)
    pile.cancel ??= clock.alarm(GATHER, () => this.#close(pile))
  }

  /** Hands on everything at once, however much was sent before. */
  flush(): void {
    for (const pile of this.#piles.values()) {
      pile.cancel?.()
      this.#handOn(pile, MOST_SINGLE)
    }
    this.#piles.clear()
  }

  #pileOf(route: Route): Pile {
    const key = JSON.stringify([route.to, route.from, route.server])
    const known = this.#piles.get(key)
    if (known) return known
    for (const [other, { cancel, sent }] of this.#piles)
      if (!cancel && this.#recent(sent).length === 0) this.#piles.delete(other)
    const pile: Pile = {
      route,
      items: new Set(),
      inaccessible: new Map(),
      more: 0,
      sent: [],
      cancel: null,
    }
    this.#piles.set(key, pile)
    return pile
  }

  #close(pile: Pile): void {
    const { clock } = this.#parts
    pile.cancel = null
    pile.sent = this.#recent(pile.sent)
    const [oldest] = pile.sent
    const free = MOST_PER_MINUTE - pile.sent.length
    if (free > 0 || oldest === undefined) this.#handOn(pile, Math.min(MOST_SINGLE, free))
    else pile.cancel = clock.alarm(oldest + MINUTE - clock.now(), () => this.#close(pile))
  }

  #recent(sent: readonly number[]): number[] {
    const now = this.#parts.clock.now()
    return sent.filter(at => now - at < MINUTE)
  }

  #handOn(pile: Pile, single: number): void {
    const { route, more } = pile
    const { host, send, clock } = this.#parts
    const items = [...pile.items]
    if (items.length === 0) return
    pile.items.clear()
    pile.inaccessible.clear()
    pile.more = 0
    const letters =
      items.length + more <= single
        ? items.map(item => letterAbout(item, route, host))
        : [letterListing(items, more, route, host)]
    pile.sent.push(...letters.map(() => clock.now()))
    for (const letter of letters) send(letter)
  }
}

function takeBack(pile: Pile, member: string): void {
  const before = pile.inaccessible.get(member)
  if (before) pile.items.delete(before)
  else if (before === null) pile.more--
  pile.inaccessible.delete(member)
}
