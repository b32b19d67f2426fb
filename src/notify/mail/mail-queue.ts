/** The queue of mails, one for each mail server and for the local sendmail, with its log lines. */

import { type AlertClaims, ASK_AGAIN, NO_CLAIMS, type Telling } from '../../cluster/alert-claims.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { type Delivery, DeliveryQueue } from '../delivery-queue.js'
import { type Item, type MailMessage, partOf, type Route } from './message.js'

export interface MailQueueParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly log: Log
  /** Attempts to deliver to these recipients until aborted. Must not reject. */
  readonly deliver: (message: MailMessage, to: readonly string[], signal: AbortSignal) => Promise<Delivery>
  /** The agreement with the other directors of the site; absent: this one sends everything. */
  readonly claims?: Pick<AlertClaims, 'share' | 'host'>
  /** Name of this host, for the mails. */
  readonly host?: string
}

/** Milliseconds before each further attempt. After the last one the mail is dropped. */
const RETRY_AFTER = [5000, 30_000, 120_000, 300_000]
/** Time limit of an attempt in milliseconds: connect, greeting, TLS and all replies. */
const PATIENCE = 30_000

export function mailQueue({ clock, log, ...parts }: MailQueueParts): DeliveryQueue<MailMessage> {
  const { deliver, claims = NO_CLAIMS, host = '' } = parts
  /** What some recipients have of a mail: this director sends it to the others, too. */
  const begun = new WeakMap<MailMessage, MailMessage>()
  const queue: DeliveryQueue<MailMessage> = new DeliveryQueue<MailMessage>({
    clock,
    async deliver(message, to, signal) {
      const sent = begun.get(message)
      if (sent) return deliver(sent, to, signal)
      const { items, route } = message
      const shares = await claims.share(items, item => tellingOf(item, route))
      const { mine, told, waiting } = shares
      if (mine.length === 0 && items.length > 0) return waiting.length > 0 ? POSTPONED : TAKEN
      const own = told.length + waiting.length === 0 ? message : partOf(message, mine, host)
      const delivery = await deliver(own, to, signal)
      const { again, refused } = delivery
      const isSent = again.length + refused.length < to.length
      void shares.end(isSent)
      if (!isSent) return delivery
      begun.set(message, own)
      // A mail of its own, because this one may be still to be sent to some.
      if (waiting.length > 0) queue.enqueue(partOf(message, waiting, host))
      return delivery
    },
    destinationOf: ({ route: { server } }) => (server ? `${server.host} port ${server.port}` : 'sendmail'),
    recipientsOf: ({ route }) => route.to,
    retryAfter: tries => RETRY_AFTER[tries],
    patienceOf: () => PATIENCE,
    reports: {
      sent: (message, to) =>
        log.info('mail.sent', { to }, `emailalert: ${(begun.get(message) ?? message).subject}`),
      failed({ subject }, to, { destination, fault, isFirst, isTriedAgain }) {
        if (!isFirst) return
        log.error(
          'mail.failed',
          { server: destination, to, error: fault.message, subject },
          isTriedAgain ? 'a mail cannot be delivered; lvsd tries again' : 'a mail cannot be delivered',
        )
      },
      works: (server, lost) => log.info('mail.works', { server, lost }, 'mails are delivered again'),
      left: mails => log.error('mail.lost', { mails }, 'lvsd stops; mails were not delivered and are lost'),
    },
  })
  return queue
}

const NOTHING: Delivery = { again: [], refused: [], fault: null }
const TAKEN: Delivery = { ...NOTHING, isTaken: true }
const POSTPONED: Delivery = { ...NOTHING, isPostponed: true, wait: ASK_AGAIN }

/** Null: it is about this director, such as its start, so that no other tells it. */
function tellingOf({ news, phase, at }: Item, { to, from, server }: Route): Telling | null {
  if (phase !== 'running' || news.service === null) return null
  const place = server ? `${server.host} ${server.port}` : null
  const about = (kind: string) => ['mail', to.join(' '), from, place, news.member, kind]
  const [word = ''] = news.kind.split(' ', 1)
  const rest = news.kind.slice(word.length)
  const contrary = IN.includes(word) ? OUT : OUT.includes(word) ? IN : []
  return { about: about(news.kind), ends: contrary.map(other => about(other + rest)), at, print: '' }
}

/** What is told of a server with one of these words is over with one of the others. */
const IN: readonly string[] = ['Added', 'Restored']
const OUT: readonly string[] = ['Deleted', 'Quiescent', 'Inaccessible']
