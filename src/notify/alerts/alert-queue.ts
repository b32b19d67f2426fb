/** The queue of alerts: one for each destination, with its retries, its log lines and its counters. */
import { randomUUID } from 'node:crypto'
import type { AlertDestinationStatus } from '../../api/status-types.js'
import {
  type AlertClaims,
  ASK_AGAIN,
  MOST_ASKING,
  NO_CLAIMS,
  type Telling,
} from '../../cluster/alert-claims.js'
import type { AlertReceiver } from '../../core/alert-receiver.js'
import { ruleOf } from '../../core/alert-rules.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { type Delivery, DeliveryQueue } from '../delivery-queue.js'
import { fingerprintOf, type Notice } from './alert.js'
import type { TrackedAlert } from './alert-book.js'
import type { Attempt, Batch } from './transport.js'

/** Alerts on their way to a destination. */
export interface AlertMessage {
  /** The same in each attempt with the same alerts. */
  id: string
  readonly destination: string
  /** The alerts; for an Alertmanager those of the moment of the attempt. */
  notices: readonly Notice[]
  /** Set for an Alertmanager: gives it all alerts at the moment of the attempt. */
  readonly current?: () => readonly Notice[]
}

export function alertMessage(
  destination: string,
  given: Pick<AlertMessage, 'current'> & { readonly notices?: readonly Notice[] },
): AlertMessage {
  return { id: randomUUID(), destination, notices: [], ...given }
}

/** Counters of a destination since the start of lvsd. */
interface DestinationStats {
  /** Messages that it accepted. */
  sent: number
  /** Attempts that failed. */
  failures: number
  /** Messages that were given up. */
  lost: number
  /** Wall-clock milliseconds of the last accepted message, and the last error; null without. */
  lastSentAt: number | null
  lastError: string | null
}

export interface AlertQueueParts {
  readonly clock: Pick<Clock, 'now' | 'alarm' | 'random'>
  readonly now: () => number
  readonly log: Log
  /** Whether the next process knows what was not delivered. */
  readonly isKept: boolean
  receiverOf(destination: string): AlertReceiver | undefined
  attempt(receiver: AlertReceiver, destination: string, batch: Batch, signal: AbortSignal): Promise<Attempt>
  /** The agreement with the other directors of the site; absent: this one sends everything. */
  readonly claims?: Pick<AlertClaims, 'share' | 'host'>
  /** The destination knows these alerts, or they are given up. */
  settled(message: AlertMessage): void
}

/** Milliseconds before the second attempt; doubled for each further one, up to the longest. */
const FIRST_RETRY = 1000
const LONGEST_RETRY = 60_000
/** Attempts for a message. With the pauses above this is about 10 minutes. */
const MOST_TRIES = 15

/** A pause between a half and the whole of the doubled one, so that many directors do not retry at the same moment. */
export function retryAfter(tries: number, random: number): number | undefined {
  if (tries + 1 >= MOST_TRIES) return undefined
  const pause = Math.min(FIRST_RETRY * 2 ** tries, LONGEST_RETRY)
  return pause / 2 + (pause / 2) * random
}

export class AlertQueue {
  readonly #parts: AlertQueueParts
  readonly #queue: DeliveryQueue<AlertMessage>
  readonly #stats = new Map<string, DestinationStats>()

  constructor(parts: AlertQueueParts) {
    const { clock, log } = parts
    this.#parts = parts
    this.#queue = new DeliveryQueue<AlertMessage>({
      clock,
      destinationOf: ({ destination }) => destination,
      recipientsOf: ({ destination }) => [destination],
      patienceOf: ({ destination }) => (parts.receiverOf(destination)?.timeout ?? 0) + MOST_ASKING,
      retryAfter: tries => retryAfter(tries, clock.random()),
      deliver: (message, to, signal) => this.#deliver(message, to, signal),
      reports: {
        sent: (message, _, { output }) => this.#sent(message, output),
        failed: ({ destination, notices }, _, { fault, isFirst, isTriedAgain, output }) => {
          const stats = this.#stat(destination)
          stats.failures++
          stats.lastError = fault.message
          if (!isFirst) return
          log.error(
            'alert.failed',
            {
              receiver: destination,
              error: fault.message,
              alerts: notices.length,
              ...(output && { output }),
            },
            isTriedAgain
              ? 'alerts cannot be delivered to a receiver; lvsd tries again'
              : 'alerts cannot be delivered to a receiver',
          )
        },
        works: (receiver, lost) =>
          log.info('alert.delivered-again', { receiver, lost }, 'alerts are delivered to a receiver again'),
        dropped: message => {
          this.#stat(message.destination).lost++
          parts.settled(message)
        },
        left: messages =>
          log.warn(
            'alert.undelivered',
            { messages },
            parts.isKept
              ? 'lvsd stops; alerts that were not delivered are left for the next start'
              : 'lvsd stops; alerts were not delivered and are lost',
          ),
      },
    })
  }

  enqueue(message: AlertMessage): void {
    this.#queue.enqueue(message)
  }

  /** True if a message waits whose attempt has not begun. */
  hasUntried(destination: string): boolean {
    return this.#queue.hasUntried(destination)
  }

  status(destination: string): Omit<AlertDestinationStatus, 'receiver' | 'kind'> {
    const { lastSentAt, ...counters } = this.#stat(destination)
    return {
      destination,
      ...counters,
      waiting: this.#queue.waiting(destination),
      isFailing: this.#queue.isFailing(destination),
      lastSentAt: lastSentAt === null ? null : new Date(lastSentAt).toISOString(),
    }
  }

  #stat(destination: string): DestinationStats {
    const known = this.#stats.get(destination)
    if (known) return known
    const fresh = { sent: 0, failures: 0, lost: 0, lastSentAt: null, lastError: null }
    this.#stats.set(destination, fresh)
    return fresh
  }

  forget(destination: string): void {
    this.#queue.forget(destination)
    this.#stats.delete(destination)
  }

  close(patience: number): Promise<void> {
    return this.#queue.close(patience)
  }

  async #deliver(message: AlertMessage, to: readonly string[], signal: AbortSignal): Promise<Delivery> {
    const { destination, current, id } = message
    const receiver = this.#parts.receiverOf(destination)
    if (!receiver) return { again: [], refused: [], fault: null }
    if (current) {
      message.notices = current()
      const { notices } = message
      return deliveryOf(await this.#attempt(receiver, destination, { id, notices }, signal), to)
    }
    return this.#shared(message, to, notices =>
      this.#attempt(receiver, destination, { id: message.id, notices }, signal),
    )
  }

  /** The time limit of the receiver is for the attempt, not for what Redis is asked before. */
  async #attempt(
    receiver: AlertReceiver,
    destination: string,
    batch: Batch,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { clock, attempt } = this.#parts
    const { timeout } = receiver
    const late = new AbortController()
    const end = clock.alarm(timeout, () => late.abort(new Error(`not done in ${timeout / 1000} s`)))
    return attempt(receiver, destination, batch, AbortSignal.any([signal, late.signal])).finally(end)
  }

  /** Sends what no other director of the site sends or has sent. The rest is asked for again, or counts as told. */
  async #shared(
    message: AlertMessage,
    to: readonly string[],
    send: (notices: readonly Notice[]) => Promise<Attempt>,
  ): Promise<Delivery> {
    const { settled } = this.#parts
    const { destination } = message
    const { mine, told, waiting, end } = await this.#share(message)
    if (told.length > 0) settled({ ...message, notices: told })
    // The others are another message for the receiver.
    const keep = (notices: readonly Notice[]) => {
      if (notices.length < message.notices.length) message.id = randomUUID()
      message.notices = notices
    }
    keep(message.notices.filter(notice => !told.includes(notice)))
    if (mine.length === 0) return waiting.length > 0 ? POSTPONED : { ...NOTHING, isTaken: true }
    const tried = await send(mine.map(notice => ({ ...notice, print: printsOf(notice)?.get(destination) })))
    const isSent = tried.fault === null
    end(isSent)
    if (!isSent || waiting.length === 0) return deliveryOf(tried, to)
    this.#sent({ ...message, notices: mine }, tried.output)
    keep(waiting)
    return POSTPONED
  }

  /** The end of an alert is asked for after its beginning, and waits with it. */
  async #share({ notices, destination }: AlertMessage) {
    const { claims = NO_CLAIMS } = this.#parts
    const share = (some: readonly Notice[]) =>
      claims.share(some, notice => tellingOf(notice, destination, claims.host))
    const begins = await share(notices.filter(({ status }) => status === 'firing'))
    for (const notice of [...begins.mine, ...begins.told]) {
      const print = begins.printOf(notice)
      if (print !== undefined) printsOf(notice)?.set(destination, print)
    }
    const late = new Set(begins.waiting.map(({ alert }) => alert))
    const ends = await share(notices.filter(({ status, alert }) => status === 'resolved' && !late.has(alert)))
    const told = new Set([...begins.told, ...ends.told])
    const waiting = new Set([...begins.waiting, ...ends.waiting])
    const isWaiting = (notice: Notice) => waiting.has(notice) || late.has(notice.alert)
    return {
      mine: notices.filter(notice => !told.has(notice) && !isWaiting(notice)),
      told: [...told],
      waiting: notices.filter(isWaiting),
      end(isSent: boolean) {
        void begins.end(isSent)
        void ends.end(isSent)
      },
    }
  }

  #sent(message: AlertMessage, output: string | undefined): void {
    const { destination, notices, current } = message
    const stats = this.#stat(destination)
    stats.sent++
    stats.lastSentAt = this.#parts.now()
    // An Alertmanager gets the same alerts every minute.
    if (!current)
      this.#parts.log.info(
        'alert.sent',
        { receiver: destination, alerts: notices.length, ...(output && { output }) },
        'a receiver has accepted alerts',
      )
    this.#parts.settled(message)
  }
}

const NOTHING: Delivery = { again: [], refused: [], fault: null }
const POSTPONED: Delivery = { ...NOTHING, isPostponed: true, wait: ASK_AGAIN }

function deliveryOf({ fault, isWorthRetrying, wait, output }: Attempt, to: readonly string[]): Delivery {
  return {
    again: fault !== null && isWorthRetrying ? to : [],
    refused: fault !== null && !isWorthRetrying ? to : [],
    fault,
    wait,
    ...(output !== undefined && { output }),
  }
}

function printsOf({ alert }: Notice): Map<string, string> | undefined {
  return 'prints' in alert ? (alert as TrackedAlert).prints : undefined
}

/**
 * Null: this director sends it in any case. The end of an alert whose beginning was not shared, as while Redis was away,
 * must come from who has told the beginning: receivers recognize it by its fingerprint.
 */
function tellingOf({ status, alert }: Notice, destination: string, host: string): Telling | null {
  const { name, service, real, begin, director, startsAt, endsAt } = alert
  const known = printsOf({ status, alert })?.get(destination)
  if (!ruleOf(name)?.isOfSite || (status === 'resolved' && known === undefined)) return null
  const other = typeof begin.configs === 'string' ? begin.configs : director
  const about = (what: Notice['status']) => ['alert', destination, what, name, service, real, other]
  const isEnd = status === 'resolved'
  return {
    about: about(status),
    ends: [about(isEnd ? 'firing' : 'resolved')],
    isEnd,
    at: status === 'resolved' && endsAt !== null ? endsAt : startsAt,
    print: known ?? fingerprintOf(alert, host),
  }
}
