/** The queue of mails, one for each mail server and for the local sendmail, with its log lines. */

import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { type Delivery, DeliveryQueue } from '../delivery-queue.js'
import type { MailMessage } from './message.js'

export interface MailQueueParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly log: Log
  /** Attempts to deliver to these recipients until aborted. Must not reject. */
  readonly deliver: (message: MailMessage, to: readonly string[], signal: AbortSignal) => Promise<Delivery>
}

/** Milliseconds before each further attempt. After the last one the mail is dropped. */
const RETRY_AFTER = [5000, 30_000, 120_000, 300_000]
/** Time limit of an attempt in milliseconds: connect, greeting, TLS and all replies. */
const PATIENCE = 30_000

export function mailQueue({ clock, log, deliver }: MailQueueParts): DeliveryQueue<MailMessage> {
  return new DeliveryQueue<MailMessage>({
    clock,
    deliver,
    destinationOf: ({ route: { server } }) => (server ? `${server.host} port ${server.port}` : 'sendmail'),
    recipientsOf: ({ route }) => route.to,
    retryAfter: tries => RETRY_AFTER[tries],
    patienceOf: () => PATIENCE,
    reports: {
      sent: ({ subject }, to) => log.info('mail.sent', { to }, `emailalert: ${subject}`),
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
}
