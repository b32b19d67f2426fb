/**
 * Groups events into mails for each list of recipients, so that a simultaneous failure of many servers results in few
 * mails. Events within 2 s belong together: up to 3 become separate mails with ldirectord's subjects, more become one
 * summary. A list of recipients gets at most 10 mails per minute; further events wait and are combined in one mail.
 */
import type { Clock } from '../../util/clock.js'
import { type Item, type MailMessage, type Route, singleMessage, summaryMessage } from './message.js'

/** Milliseconds from the first event to its mail. */
const GROUP_WAIT = 2000
const MOST_SINGLE = 3
const MOST_PER_MINUTE = 10
const MINUTE = 60_000
/** Maximum number of events listed in a mail. Further ones are only counted. */
const MOST_LISTED = 1000

export interface GroupingParts {
  readonly clock: Clock
  /** Name of this host, for the mails. */
  readonly host: string
  readonly send: (message: MailMessage) => void
}

/** Events that wait for one list of recipients. */
interface Batch {
  readonly route: Route
  readonly items: Set<Item>
  /** The `Inaccessible` event of each server; null if it is only counted in `more`. */
  readonly inaccessible: Map<string, Item | null>
  /** Number of events that are counted but not kept. */
  more: number
  /** Times of the mails sent within the last minute. */
  sent: number[]
  cancel: (() => void) | null
}

export class Grouping {
  readonly #parts: GroupingParts
  readonly #batches = new Map<string, Batch>()

  constructor(parts: GroupingParts) {
    this.#parts = parts
  }

  /** Adds an event. Any later event of a server cancels its waiting `Inaccessible` event. */
  add(item: Item, route: Route): void {
    const { clock } = this.#parts
    const batch = this.#batchOf(route)
    takeBack(batch, item.news.member)
    const isKept = batch.items.size < MOST_LISTED
    if (isKept) batch.items.add(item)
    else batch.more++
    if (item.news.word === 'Inaccessible') batch.inaccessible.set(item.news.member, isKept ? item : null)
    batch.cancel ??= clock.alarm(GROUP_WAIT, () => this.#close(batch))
  }

  /** Sends everything at once, regardless of the limit per minute. */
  flush(): void {
    for (const batch of this.#batches.values()) {
      batch.cancel?.()
      this.#handOn(batch, MOST_SINGLE)
    }
    this.#batches.clear()
  }

  #batchOf(route: Route): Batch {
    const key = JSON.stringify([route.to, route.from, route.server])
    const known = this.#batches.get(key)
    if (known) return known
    for (const [other, { cancel, sent }] of this.#batches)
      if (!cancel && this.#recent(sent).length === 0) this.#batches.delete(other)
    const batch: Batch = {
      route,
      items: new Set(),
      inaccessible: new Map(),
      more: 0,
      sent: [],
      cancel: null,
    }
    this.#batches.set(key, batch)
    return batch
  }

  #close(batch: Batch): void {
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

  #handOn(batch: Batch, single: number): void {
    const { route, more } = batch
    const { host, send, clock } = this.#parts
    const items = [...batch.items]
    if (items.length === 0) return
    batch.items.clear()
    batch.inaccessible.clear()
    batch.more = 0
    const messages =
      items.length + more <= single
        ? items.map(item => singleMessage(item, route, host))
        : [summaryMessage(items, more, route, host)]
    batch.sent.push(...messages.map(() => clock.now()))
    for (const message of messages) send(message)
  }
}

function takeBack(batch: Batch, member: string): void {
  const before = batch.inaccessible.get(member)
  if (before) batch.items.delete(before)
  else if (before === null) batch.more--
  batch.inaccessible.delete(member)
}
