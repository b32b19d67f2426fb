/**
 * Groups alerts into messages for each receiver. A command is run for each of up to 3 alerts, and once for more of them.
 * An alert that waits with its end is left out when the same fires again.
 */
import type { AlertReceiver } from '../../core/alert-receiver.js'
import type { Clock } from '../../util/clock.js'
import { Grouping, type Waiting } from '../grouping.js'
import type { Notice } from './alert.js'
import type { TrackedAlert } from './alert-book.js'
import { type AlertMessage, alertMessage } from './alert-queue.js'

/** Destination of messages: a receiver. */
export interface Route {
  readonly config: AlertReceiver
  readonly destinations: readonly string[]
}

/** Alerts in one message. */
const MOST_IN_MESSAGE = 200

export interface AlertGroupingParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly send: (message: AlertMessage) => void
  /** Nobody is told of this alert: it was over, and fires again, before its message. */
  readonly skipped: (alert: TrackedAlert, destination: string) => void
}

export function alertGrouping({
  clock,
  send,
  skipped,
}: AlertGroupingParts): Grouping<Notice, Route, AlertMessage> {
  /** What waits, by the key of the alert. */
  const byKey = new WeakMap<Waiting<Notice>, Map<string, readonly Notice[]>>()
  return new Grouping<Notice, Route, AlertMessage>({
    clock,
    send,
    keyOf: ({ config }) => config.name,
    put(notice, waiting, { destinations: [destination = ''] }) {
      const { items } = waiting
      if (items.size === 0) byKey.set(waiting, new Map())
      const own = byKey.get(waiting) as Map<string, readonly Notice[]>
      const { key } = notice.alert as TrackedAlert
      const before = own.get(key) ?? []
      const isPair = ({ alert }: Notice) => before.filter(one => one.alert === alert).length === 2
      const gone = notice.status === 'firing' ? before.filter(isPair) : []
      for (const one of gone) {
        items.delete(one)
        if (one.status === 'firing') skipped(one.alert as TrackedAlert, destination)
      }
      items.add(notice)
      own.set(key, [...before.filter(one => !gone.includes(one)), notice])
    },
    compose: ({ items }, route, single) => compose([...items], route, single),
  })
}

function compose(items: readonly Notice[], { config, destinations }: Route, single: number): AlertMessage[] {
  const [destination = ''] = destinations
  const isEach = config.kind === 'command' && items.length <= single
  const size = isEach ? 1 : MOST_IN_MESSAGE
  const messages: AlertMessage[] = []
  for (let at = 0; at < items.length; at += size)
    messages.push(alertMessage(destination, { notices: items.slice(at, at + size) }))
  return messages
}
