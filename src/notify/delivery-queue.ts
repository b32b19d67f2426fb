/**
 * Queues of messages, one for each destination, such as a mail server or a receiver of alerts. Nothing waits for them.
 * Each is bounded and delivers one message at a time. The first attempt is for all recipients together. Recipients who
 * did not get the message are retried a few times at growing intervals, each separately, so that nobody waits because of
 * another. Each recipient gets messages in order.
 */

import type { Clock } from '../util/clock.js'

export interface Fault {
  /** `ECONNREFUSED`, `451`. */
  readonly code: string
  /** A sentence. */
  readonly message: string
}

/** Outcome of an attempt. */
export interface Delivery {
  /** Recipients for whom another attempt may succeed. */
  readonly again: readonly string[]
  /** Recipients that the destination has rejected permanently. */
  readonly refused: readonly string[]
  /** Null on success. */
  readonly fault: Fault | null
  /** Milliseconds for which the destination asks lvsd to wait before the next attempt. */
  readonly wait?: number
  /** What a command printed. */
  readonly output?: string
  /** True: it was not attempted, and is asked for again after `wait`: another director may be delivering it. */
  readonly isPostponed?: boolean
  /** True: it was not attempted, because another director has delivered it. */
  readonly isTaken?: boolean
}

/** What becomes of messages. Each method is called after the fact and must not throw. */
export interface DeliveryReports<M> {
  /** These recipients have the message. */
  sent(message: M, to: readonly string[], delivery: Delivery): void
  /** An attempt failed. `isFirst`: the first with this code since a delivery succeeded; only this one is worth a line. */
  failed(message: M, to: readonly string[], attempt: FailedAttempt): void
  /** Deliveries to this destination succeed again after failures; `lost` messages were dropped meanwhile. */
  works(destination: string, lost: number): void
  /** Nothing more will be tried for this message and these recipients: rejected, given up, or too many wait. */
  dropped?(message: M, to: readonly string[]): void
  /** lvsd stops, and so many messages are left. */
  left(messages: number): void
}

export interface FailedAttempt {
  readonly destination: string
  readonly fault: Fault
  readonly isTriedAgain: boolean
  readonly isFirst: boolean
  readonly output?: string | undefined
}

export interface DeliveryQueueParts<M> {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  /** Name of the destination; each has its own queue. */
  destinationOf(message: M): string
  recipientsOf(message: M): readonly string[]
  /** Attempts to deliver to these recipients until aborted. Must not reject. */
  deliver(message: M, to: readonly string[], signal: AbortSignal): Promise<Delivery>
  /** Milliseconds before the next attempt after so many; undefined: the message is dropped. */
  retryAfter(tries: number): number | undefined
  /** Time limit of an attempt in milliseconds. */
  patienceOf(message: M): number
  readonly reports: DeliveryReports<M>
}

/** Maximum messages per recipient and destination. Beyond it, the oldest one that is not in progress is dropped. */
const MOST_WAITING = 100

/** A message, and the recipients who have not got it yet. */
interface Waiting<M> {
  readonly message: M
  readonly parts: Map<string, Part>
  isLost: boolean
}

interface Part {
  tries: number
  notBefore: number
  /** Retried separately, because the error may concern only this recipient. */
  isApart: boolean
  isUnderWay: boolean
}

/** The next attempt: a message for some of its recipients. */
interface Turn<M> {
  readonly one: Waiting<M>
  readonly to: readonly string[]
}

/** Errors of the destination as a whole, which do not concern a recipient. */
const OF_DESTINATION = /^(421|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOENT|ENOTFOUND)$/

/** A destination with its queue and its recent errors. */
interface Destination<M> {
  readonly name: string
  /** In the order in which they were queued. */
  readonly waiting: Set<Waiting<M>>
  current: AbortController | null
  wake: (() => void) | null
  /** Error codes reported since the last successful delivery. */
  readonly told: Set<string>
  /** Number of messages dropped since then. */
  lost: number
}

export class DeliveryQueue<M> {
  readonly #parts: DeliveryQueueParts<M>
  readonly #destinations = new Map<string, Destination<M>>()
  #isClosing = false
  /** True when remaining messages have been reported and no further attempts are made. */
  #isOver = false
  /** Messages whose last attempt failed while lvsd stops. */
  #cutOff = 0
  #onIdle: (() => void) | null = null

  constructor(parts: DeliveryQueueParts<M>) {
    this.#parts = parts
  }

  enqueue(message: M): void {
    const destination = this.#destination(this.#parts.destinationOf(message))
    const recipients = this.#parts.recipientsOf(message)
    const parts = recipients.map((to): [string, Part] => [
      to,
      { tries: 0, notBefore: 0, isApart: false, isUnderWay: false },
    ])
    destination.waiting.add({ message, parts: new Map(parts), isLost: false })
    for (const to of recipients) this.#makeRoom(destination, to)
    this.#next(destination)
  }

  /** Number of messages for this destination that are not delivered yet. */
  waiting(name: string): number {
    return this.#destinations.get(name)?.waiting.size ?? 0
  }

  /** True if a message for this destination waits whose attempt has not begun. */
  hasUntried(name: string): boolean {
    const destination = this.#destinations.get(name)
    return [...(destination?.waiting ?? [])].some(({ parts }) => ![...parts.values()][0]?.isUnderWay)
  }

  /** True while deliveries to this destination fail. */
  isFailing(name: string): boolean {
    return (this.#destinations.get(name)?.told.size ?? 0) > 0
  }

  /** Drops a destination with its messages: it no longer exists. */
  forget(name: string): void {
    const destination = this.#destinations.get(name)
    if (!destination) return
    this.#destinations.delete(name)
    destination.waiting.clear()
    destination.wake?.()
    destination.current?.abort(new Error('no longer configured'))
    if (this.#isIdle()) this.#onIdle?.()
  }

  /** Makes one more attempt for each message, for at most `patience` milliseconds. Remaining messages are reported. */
  async close(patience: number): Promise<void> {
    this.#isClosing = true
    const destinations = [...this.#destinations.values()]
    for (const destination of destinations) {
      for (const { parts } of destination.waiting) for (const part of parts.values()) part.notBefore = 0
      this.#next(destination)
    }
    await this.#idle(patience)
    this.#isOver = true
    const left = destinations.reduce((sum, { waiting }) => sum + waiting.size, this.#cutOff)
    for (const { current, wake } of destinations) {
      wake?.()
      current?.abort(new Error('lvsd stops'))
    }
    if (left > 0) this.#parts.reports.left(left)
  }

  #idle(patience: number): Promise<void> {
    if (this.#isIdle()) return Promise.resolve()
    return new Promise(resolve => {
      const cancel = this.#parts.clock.alarm(patience, resolve)
      this.#onIdle = () => {
        cancel()
        resolve()
      }
    })
  }

  #isIdle(): boolean {
    return [...this.#destinations.values()].every(({ waiting }) => waiting.size === 0)
  }

  #destination(name: string): Destination<M> {
    const known = this.#destinations.get(name)
    if (known) return known
    const destination: Destination<M> = {
      name,
      waiting: new Set(),
      current: null,
      wake: null,
      told: new Set(),
      lost: 0,
    }
    this.#destinations.set(name, destination)
    return destination
  }

  /** Starts the first due message, or sets a timer for it. */
  #next(destination: Destination<M>): void {
    if (destination.current || this.#isOver) return
    destination.wake?.()
    destination.wake = null
    const now = this.#parts.clock.now()
    const { turn, soonest } = nextTurn(destination.waiting, now)
    if (turn) return void this.#try(destination, turn)
    if (soonest !== null)
      destination.wake = this.#parts.clock.alarm(soonest - now, () => this.#next(destination))
    else if (this.#isIdle()) this.#onIdle?.()
  }

  async #try(destination: Destination<M>, turn: Turn<M>): Promise<void> {
    const { clock } = this.#parts
    const { one, to } = turn
    const patience = this.#parts.patienceOf(one.message)
    const current = new AbortController()
    destination.current = current
    for (const each of to) (one.parts.get(each) as Part).isUnderWay = true
    const end = clock.alarm(patience, () => current.abort(new Error(`not done in ${patience / 1000} s`)))
    const delivery = await this.#parts.deliver(one.message, to, current.signal).catch(faulty(to))
    end()
    destination.current = null
    if (this.#destinations.get(destination.name) !== destination) return
    if (delivery.isPostponed) this.#putOff(turn, delivery)
    else if (delivery.isTaken) this.#take(destination, turn)
    else this.#settle(destination, turn, delivery)
    this.#next(destination)
  }

  #settle(destination: Destination<M>, { one, to }: Turn<M>, delivery: Delivery): void {
    const { reports } = this.#parts
    const { again, refused, fault, output } = delivery
    const later = again.filter(each => this.#postpone(one.parts.get(each), delivery))
    if (fault) {
      const isFirst = !destination.told.has(fault.code)
      destination.told.add(fault.code)
      const isTriedAgain = later.length > 0
      reports.failed(one.message, to, { destination: destination.name, fault, isFirst, isTriedAgain, output })
    } else this.#reportWell(destination)
    const got = to.filter(each => !again.includes(each) && !refused.includes(each))
    if (got.length > 0) reports.sent(one.message, got, delivery)
    for (const each of to) if (!later.includes(each)) one.parts.delete(each)
    if (got.length + later.length < to.length) {
      lose(destination, one)
      // What is left when lvsd stops is not given up: the next process may deliver it.
      const isCutOff = this.#isClosing && refused.length === 0
      if (isCutOff) this.#cutOff++
      else
        reports.dropped?.(
          one.message,
          to.filter(each => !got.includes(each) && !later.includes(each)),
        )
    }
    if (one.parts.size === 0) destination.waiting.delete(one)
  }

  /** The attempt does not count. */
  #putOff({ one, to }: Turn<M>, { wait = 0 }: Delivery): void {
    for (const each of to) {
      const part = one.parts.get(each)
      if (!part) continue
      part.isUnderWay = false
      part.notBefore = this.#parts.clock.now() + wait
    }
  }

  /** Another director has delivered it. */
  #take({ waiting }: Destination<M>, { one, to }: Turn<M>): void {
    for (const each of to) one.parts.delete(each)
    if (one.parts.size === 0) waiting.delete(one)
  }

  /** Schedules another attempt. Returns false if there is none. */
  #postpone(part: Part | undefined, { fault, wait = 0 }: Delivery): boolean {
    const pause = part && !this.#isClosing ? this.#parts.retryAfter(part.tries) : undefined
    if (!part || pause === undefined) return false
    part.isUnderWay = false
    part.isApart ||= fault === null || !OF_DESTINATION.test(fault.code)
    part.tries++
    part.notBefore = this.#parts.clock.now() + Math.max(pause, wait)
    return true
  }

  #reportWell(destination: Destination<M>): void {
    const { told, name, lost } = destination
    const wasFailing = told.size > 0
    told.clear()
    destination.lost = 0
    if (wasFailing) this.#parts.reports.works(name, lost)
  }

  #makeRoom(destination: Destination<M>, to: string): void {
    const his = [...destination.waiting].filter(({ parts }) => parts.has(to))
    const oldest = his.length > MOST_WAITING ? his.find(({ parts }) => !parts.get(to)?.isUnderWay) : undefined
    if (!oldest) return
    oldest.parts.delete(to)
    lose(destination, oldest)
    if (oldest.parts.size === 0) destination.waiting.delete(oldest)
    this.#parts.reports.dropped?.(oldest.message, [to])
  }
}

/** Returns the first message that is due for some of its recipients; otherwise the time when one is due, or null. */
function nextTurn<M>(
  waiting: Iterable<Waiting<M>>,
  now: number,
): { readonly turn: Turn<M> | null; readonly soonest: number | null } {
  const behind = new Set<string>()
  let soonest: number | null = null
  for (const one of waiting) {
    const due: string[] = []
    for (const [to, { notBefore }] of one.parts) {
      if (behind.has(to)) continue
      behind.add(to)
      if (notBefore <= now) due.push(to)
      else soonest = Math.min(soonest ?? notBefore, notBefore)
    }
    if (due.length > 0) return { turn: { one, to: together(one, due) }, soonest: null }
  }
  return { turn: null, soonest }
}

/** Returns the recipients of a common attempt, or else the first of those who are tried separately. */
function together<M>({ parts }: Waiting<M>, due: readonly string[]): readonly string[] {
  const joined = due.filter(to => !parts.get(to)?.isApart)
  return joined.length > 0 ? joined : due.slice(0, 1)
}

/** Counts a message as lost, once even if several recipients do not get it. */
function lose<M>(destination: Destination<M>, one: Waiting<M>): void {
  if (!one.isLost) destination.lost++
  one.isLost = true
}

/** Handles an exception in `deliver`: the message is dropped, and lvsd continues. */
function faulty(to: readonly string[]): (error: unknown) => Delivery {
  return error => ({ again: [], refused: to, fault: { code: 'fault', message: String(error) } })
}
