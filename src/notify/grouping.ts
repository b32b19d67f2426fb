/**
 * Groups items into messages for each route, so that a simultaneous failure of many servers results in few messages.
 * Items within 2 s belong together. A route gets at most 10 messages per minute; further items wait and are combined.
 */
import type { Clock } from '../util/clock.js'

/** Milliseconds from the first item to its message. */
const GROUP_WAIT = 2000
/** Up to so many items become separate messages, if the route has any. */
const MOST_SINGLE = 3
const MOST_PER_MINUTE = 10
const MINUTE = 60_000

/** What waits for one route. */
export interface Waiting<Item> {
  readonly items: Set<Item>
  /** Number of items that are counted but not kept. */
  more: number
}

export interface GroupingParts<Item, Route, Message> {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  /** Routes of the same key are grouped. */
  keyOf(route: Route): string
  /** Adds an item to those that wait; it may take the place of others. */
  put(item: Item, waiting: Waiting<Item>, route: Route): void
  /** Makes messages of all that waits, which is not empty. `single`: so many may be sent now. */
  compose(waiting: Waiting<Item>, route: Route, single: number): readonly Message[]
  send(message: Message): void
}

interface Batch<Item, Route> {
  route: Route
  readonly waiting: Waiting<Item>
  /** Times of the messages sent within the last minute. */
  sent: number[]
  cancel: (() => void) | null
}

export class Grouping<Item, Route, Message> {
  readonly #parts: GroupingParts<Item, Route, Message>
  readonly #batches = new Map<string, Batch<Item, Route>>()

  constructor(parts: GroupingParts<Item, Route, Message>) {
    this.#parts = parts
  }

  add(item: Item, route: Route): void {
    const batch = this.#batchOf(route)
    this.#parts.put(item, batch.waiting, route)
    batch.cancel ??= this.#parts.clock.alarm(GROUP_WAIT, () => this.#close(batch))
  }

  /** Sends everything at once, regardless of the limit per minute. */
  flush(): void {
    for (const batch of this.#batches.values()) {
      batch.cancel?.()
      this.#handOn(batch, MOST_SINGLE)
    }
    this.#batches.clear()
  }

  #batchOf(route: Route): Batch<Item, Route> {
    const key = this.#parts.keyOf(route)
    const known = this.#batches.get(key)
    if (known) {
      known.route = route
      return known
    }
    for (const [other, { cancel, sent }] of this.#batches)
      if (!cancel && this.#recent(sent).length === 0) this.#batches.delete(other)
    const batch: Batch<Item, Route> = {
      route,
      waiting: { items: new Set(), more: 0 },
      sent: [],
      cancel: null,
    }
    this.#batches.set(key, batch)
    return batch
  }

  #close(batch: Batch<Item, Route>): void {
    const { clock } = this.#parts
    batch.cancel = null
    batch.sent = this.#recent(batch.sent)
    const [oldest] = batch.sent
    const free = MOST_PER_MINUTE - batch.sent.length
    if (free > 0 || oldest === undefined) this.#handOn(batch, Math.min(MOST_SINGLE, free))
    else batch.cancel = clock.alarm(oldest + MINUTE - clock.now(), () => this.#close(batch))
  }

  #recent(sent: readonly number[]): number[] {
    const now = this.#parts.clock.now()
    return sent.filter(at => now - at < MINUTE)
  }

  #handOn(batch: Batch<Item, Route>, single: number): void {
    const { compose, send, clock } = this.#parts
    const { route } = batch
    const { items, more } = batch.waiting
    if (items.size === 0) return
    const messages = compose({ items: new Set(items), more }, route, single)
    items.clear()
    batch.waiting.more = 0
    batch.sent.push(...messages.map(() => clock.now()))
    for (const message of messages) send(message)
  }
}
