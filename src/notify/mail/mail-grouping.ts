/**
 * Groups events into mails for each list of recipients: up to 3 events become separate mails with ldirectord's subjects,
 * more become one summary. Any later event of a server cancels its waiting `Inaccessible` event, and a notice of a panic
 * those of the servers that it holds.
 */
import type { Clock } from '../../util/clock.js'
import { Grouping, type Waiting } from '../grouping.js'
import { type Item, type MailMessage, type Route, singleMessage, summaryMessage } from './message.js'

/** Maximum number of events listed in a mail. Further ones are only counted. */
const MOST_LISTED = 1000

export interface MailGroupingParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  /** Name of this host, for the mails. */
  readonly host: string
  readonly send: (message: MailMessage) => void
}

export function mailGrouping({ clock, host, send }: MailGroupingParts): Grouping<Item, Route, MailMessage> {
  /** The waiting `Inaccessible` event of each server; null if it is only counted in `more`. */
  const inaccessible = new WeakMap<Waiting<Item>, Map<string, Item | null>>()
  return new Grouping<Item, Route, MailMessage>({
    clock,
    send,
    keyOf: route => JSON.stringify([route.to, route.from, route.server]),
    put(item, waiting) {
      const { items } = waiting
      if ((items.size === 0 && waiting.more === 0) || !inaccessible.has(waiting))
        inaccessible.set(waiting, new Map())
      const own = inaccessible.get(waiting) as Map<string, Item | null>
      const { member, word, covers } = item.news
      if (covers) for (const other of items) if (covers.has(other.news.member)) items.delete(other)
      const before = own.get(member)
      if (before) items.delete(before)
      else if (before === null) waiting.more--
      own.delete(member)
      const isKept = items.size < MOST_LISTED
      if (isKept) items.add(item)
      else waiting.more++
      if (word === 'Inaccessible') own.set(member, isKept ? item : null)
    },
    compose({ items, more }, route, single) {
      const all = [...items]
      return all.length + more <= single
        ? all.map(item => singleMessage(item, route, host))
        : [summaryMessage(all, more, route, host)]
    },
  })
}
