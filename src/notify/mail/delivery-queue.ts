/**
 * Queues of mails, one for each mail server and for the local sendmail. Nothing waits for them. Each is bounded and
 * delivers one mail at a time. The first attempt is for all recipients together. Recipients who did not get the mail
 * are retried a few times at growing intervals, each separately, so that nobody waits because of another mailbox. Each
 * recipient gets mails in order.
 */

import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import type { MailMessage } from './message.js'

/** Outcome of an attempt. */
export interface Delivery {
  /** Recipients for whom another attempt may succeed. */
  readonly again: readonly string[]
  /** Recipients that the server has rejected permanently. */
  readonly refused: readonly string[]
  /** The error as a code (`ECONNREFUSED`, `451`) and a sentence; null on success. */
  readonly fault: { readonly code: string; readonly message: string } | null
}

export interface DeliveryQueueParts {
  readonly clock: Clock
  readonly log: Log
  /** Attempts to deliver to these recipients until aborted. Must not reject. */
  readonly deliver: (message: MailMessage, to: readonly string[], signal: AbortSignal) => Promise<Delivery>
}

/** Milliseconds before each further attempt. After the last one the mail is dropped. */
const RETRY_AFTER = [5000, 30_000, 120_000, 300_000]
/** Maximum mails per recipient and server. Beyond it, the oldest one that is not in progress is dropped. */
const MOST_WAITING = 100
/** Time limit of an attempt in milliseconds: connect, greeting, TLS and all replies. */
const PATIENCE = 30_000

/** A mail, and the recipients who have not got it yet. */
interface Waiting {
  readonly message: MailMessage
  readonly parts: Map<string, Part>
  isLost: boolean
}

interface Part {
  tries: number
  notBefore: number
  /** Retried separately, because the error may concern only this mailbox. */
  isApart: boolean
  isUnderWay: boolean
}

/** The next attempt: a mail for some of its recipients. */
interface Turn {
  readonly one: Waiting
  readonly to: readonly string[]
}

/** Errors of the server as a whole, which do not concern a mailbox. */
const OF_SERVER = /^(421|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOENT|ENOTFOUND)$/

/** A server with its queue and its recent errors. */
interface ServerQueue {
  readonly name: string
  /** In the order in which they were queued. */
  readonly waiting: Set<Waiting>
  current: AbortController | null
  wake: (() => void) | null
  /** Error codes reported since the last successful delivery. */
  readonly told: Set<string>
  /** Number of mails dropped since then. */
  lost: number
}

export class DeliveryQueue {
  readonly #parts: DeliveryQueueParts
  readonly #counters = new Map<string, ServerQueue>()
  #isClosing = false
  /** True when remaining mails have been reported as lost and no further attempts are made. */
  #isOver = false
  #onIdle: (() => void) | null = null

  constructor(parts: DeliveryQueueParts) {
    this.#parts = parts
  }

  enqueue(message: MailMessage): void {
    const counter = this.#counterOf(message)
    const parts = message.route.to.map((to): [string, Part] => [
      to,
      { tries: 0, notBefore: 0, isApart: false, isUnderWay: false },
    ])
    counter.waiting.add({ message, parts: new Map(parts), isLost: false })
    for (const to of message.route.to) makeRoom(counter, to)
    this.#next(counter)
  }

  /** Makes one more attempt for each mail, for at most `patience` milliseconds. Remaining mails are lost and reported. */
  async close(patience: number): Promise<void> {
    this.#isClosing = true
    const counters = [...this.#counters.values()]
    for (const counter of counters) {
      for (const { parts } of counter.waiting) for (const part of parts.values()) part.notBefore = 0
      this.#next(counter)
    }
    await this.#idle(patience)
    this.#isOver = true
    const left = counters.reduce((sum, { waiting }) => sum + waiting.size, 0)
    for (const { current, wake } of counters) {
      wake?.()
      current?.abort(new Error('lvsd stops'))
    }
    if (left > 0)
      this.#parts.log.error('mail.lost', { mails: left }, 'lvsd stops; mails were not delivered and are lost')
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
    return [...this.#counters.values()].every(({ waiting }) => waiting.size === 0)
  }

  #counterOf({ route: { server } }: MailMessage): ServerQueue {
    const name = server ? `${server.host} port ${server.port}` : 'sendmail'
    const known = this.#counters.get(name)
    if (known) return known
    const counter: ServerQueue = {
      name,
      waiting: new Set(),
      current: null,
      wake: null,
      told: new Set(),
      lost: 0,
    }
    this.#counters.set(name, counter)
    return counter
  }

  /** Starts the first due mail, or sets a timer for it. */
  #next(counter: ServerQueue): void {
    if (counter.current || this.#isOver) return
    counter.wake?.()
    counter.wake = null
    const now = this.#parts.clock.now()
    const { turn, soonest } = nextTurn(counter.waiting, now)
    if (turn) return void this.#try(counter, turn)
    if (soonest !== null) counter.wake = this.#parts.clock.alarm(soonest - now, () => this.#next(counter))
    else if (this.#isIdle()) this.#onIdle?.()
  }

  async #try(counter: ServerQueue, turn: Turn): Promise<void> {
    const { clock, deliver } = this.#parts
    const { one, to } = turn
    const current = new AbortController()
    counter.current = current
    for (const each of to) (one.parts.get(each) as Part).isUnderWay = true
    const end = clock.alarm(PATIENCE, () => current.abort(new Error(`not done in ${PATIENCE / 1000} s`)))
    const delivery = await deliver(one.message, to, current.signal).catch(faulty(to))
    end()
    counter.current = null
    this.#settle(counter, turn, delivery)
    this.#next(counter)
  }

  #settle(counter: ServerQueue, { one, to }: Turn, { again, refused, fault }: Delivery): void {
    const { log } = this.#parts
    const { subject } = one.message
    const later = again.filter(each => this.#postpone(one.parts.get(each), fault))
    if (fault) this.#report(counter, one.message, to, { fault, isTriedAgain: later.length > 0 })
    else this.#reportWell(counter)
    const got = to.filter(each => !again.includes(each) && !refused.includes(each))
    if (got.length > 0) log.info('mail.sent', { to: got }, `emailalert: ${subject}`)
    for (const each of to) if (!later.includes(each)) one.parts.delete(each)
    if (got.length + later.length < to.length) lose(counter, one)
    if (one.parts.size === 0) counter.waiting.delete(one)
  }

  /** Schedules another attempt. Returns false if there is none. */
  #postpone(part: Part | undefined, fault: Delivery['fault']): boolean {
    const wait = part && !this.#isClosing ? RETRY_AFTER[part.tries] : undefined
    if (!part || wait === undefined) return false
    part.isUnderWay = false
    part.isApart ||= fault === null || !OF_SERVER.test(fault.code)
    part.tries++
    part.notBefore = this.#parts.clock.now() + wait
    return true
  }

  /** Reports each error code once, until a mail is delivered again. */
  #report(
    { told, name }: ServerQueue,
    { subject }: MailMessage,
    to: readonly string[],
    {
      fault,
      isTriedAgain,
    }: { readonly fault: NonNullable<Delivery['fault']>; readonly isTriedAgain: boolean },
  ) {
    if (told.has(fault.code)) return
    told.add(fault.code)
    this.#parts.log.error(
      'mail.failed',
      { server: name, to, error: fault.message, subject },
      isTriedAgain ? 'a mail cannot be delivered; lvsd tries again' : 'a mail cannot be delivered',
    )
  }

  #reportWell(counter: ServerQueue): void {
    if (counter.told.size > 0)
      this.#parts.log.info(
        'mail.works',
        { server: counter.name, lost: counter.lost },
        'mails are delivered again',
      )
    counter.told.clear()
    counter.lost = 0
  }
}

/** Returns the first mail that is due for some of its recipients; otherwise the time when one is due, or null. */
function nextTurn(
  waiting: Iterable<Waiting>,
  now: number,
): { readonly turn: Turn | null; readonly soonest: number | null } {
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
function together({ parts }: Waiting, due: readonly string[]): readonly string[] {
  const joined = due.filter(to => !parts.get(to)?.isApart)
  return joined.length > 0 ? joined : due.slice(0, 1)
}

function makeRoom(counter: ServerQueue, to: string): void {
  const his = [...counter.waiting].filter(({ parts }) => parts.has(to))
  const oldest = his.length > MOST_WAITING ? his.find(({ parts }) => !parts.get(to)?.isUnderWay) : undefined
  if (!oldest) return
  oldest.parts.delete(to)
  lose(counter, oldest)
  if (oldest.parts.size === 0) counter.waiting.delete(oldest)
}

/** Counts a mail as lost, once even if several recipients do not get it. */
function lose(counter: ServerQueue, one: Waiting): void {
  if (!one.isLost) counter.lost++
  one.isLost = true
}

/** Handles an exception in `deliver`: the mail is dropped, and lvsd continues. */
function faulty(to: readonly string[]): (error: unknown) => Delivery {
  return error => ({ again: [], refused: to, fault: { code: 'fault', message: String(error) } })
}
