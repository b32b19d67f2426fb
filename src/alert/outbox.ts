/**
 * The queue before the mail servers. Nothing waits for it: each server (and the local sendmail) has a queue of its own,
 * bounded, with one mail under way; a mail that does not get through is tried again a few times, later each time.
 */
import type { Clock } from '../clock.js'
import type { Log } from '../log.js'
import type { Letter } from './letter.js'

/** What became of one try. */
export interface Delivery {
  /** Recipients for whom another try may help. */
  readonly again: readonly string[]
  /** Recipients whom the server will not have. */
  readonly refused: readonly string[]
  /** What went wrong in one word (`ECONNREFUSED`, `451`), and in a sentence; null when all went well. */
  readonly fault: { readonly code: string; readonly message: string } | null
}

export interface OutboxParts {
  readonly clock: Clock
  readonly log: Log
  /** Tries to deliver to these recipients until aborted. Never rejects. */
  readonly deliver: (letter: Letter, to: readonly string[], signal: AbortSignal) => Promise<Delivery>
}

/** Milliseconds before the second try and those after it; then the mail is given up. */
const RETRY_AFTER = [5000, 30_000, 120_000, 300_000]
/** Mails that wait for one server; for a further one the oldest is given up. */
const MOST_WAITING = 100
/** Milliseconds for one try: connect, greeting, TLS and all answers. */
const PATIENCE = 30_000

interface Waiting {
  readonly letter: Letter
  to: readonly string[]
  tries: number
  notBefore: number
}

/** One server, its queue and how it has been doing. */
interface Counter {
  readonly name: string
  readonly waiting: Waiting[]
  current: AbortController | null
  wake: (() => void) | null
  /** Codes told since the last mail that went through. */
  readonly told: Set<string>
  /** Mails given up since then. */
  lost: number
}

export class Outbox {
  readonly #parts: OutboxParts
  readonly #counters = new Map<string, Counter>()
  #isClosing = false
  #onIdle: (() => void) | null = null

  constructor(parts: OutboxParts) {
    this.#parts = parts
  }

  post(letter: Letter): void {
    const counter = this.#counterOf(letter)
    counter.waiting.push({ letter, to: letter.route.to, tries: 0, notBefore: 0 })
    // The first may be under way.
    if (counter.waiting.length > MOST_WAITING) {
      counter.waiting.splice(counter.current ? 1 : 0, 1)
      counter.lost++
    }
    this.#next(counter)
  }

  /** Tries everything once more, for as long as `patience`; what is left then is lost, and that is told. */
  async close(patience: number): Promise<void> {
    this.#isClosing = true
    const counters = [...this.#counters.values()]
    for (const counter of counters) {
      for (const one of counter.waiting) one.notBefore = 0
      this.#next(counter)
    }
    await this.#idle(patience)
    const left = counters.reduce((sum, { waiting }) => sum + waiting.length, 0)
    for (const { current, wake } of counters) {
      wake?.()
      current?.abort(new Error('lvsd stops'))
    }
    if (left > 0)
      this.#parts.log.error({ mails: left }, 'mails are lost: lvsd stops, and they did not get through')
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
    return [...this.#counters.values()].every(({ waiting }) => waiting.length === 0)
  }

  #counterOf({ route: { server } }: Letter): Counter {
    const name = server ? `${server.host} port ${server.port}` : 'sendmail'
    const known = this.#counters.get(name)
    if (known) return known
    const counter: Counter = { name, waiting: [], current: null, wake: null, told: new Set(), lost: 0 }
    this.#counters.set(name, counter)
    return counter
  }

  /** Starts the first mail whose time has come, or sets the alarm for it. */
  #next(counter: Counter): void {
    if (counter.current) return
    counter.wake?.()
    counter.wake = null
    const now = this.#parts.clock.now()
    const first = firstOfEach(counter.waiting)
    const due = first.find(({ notBefore }) => notBefore <= now)
    if (due) return void this.#try(counter, due)
    const soonest = Math.min(...first.map(({ notBefore }) => notBefore))
    if (first.length > 0) counter.wake = this.#parts.clock.alarm(soonest - now, () => this.#next(counter))
    else if (this.#isIdle()) this.#onIdle?.()
  }

  async #try(counter: Counter, one: Waiting): Promise<void> {
    const { clock, deliver } = this.#parts
    const current = new AbortController()
    counter.current = current
    const end = clock.alarm(PATIENCE, () => current.abort(new Error(`not done in ${PATIENCE / 1000} s`)))
    const delivery = await deliver(one.letter, one.to, current.signal).catch(faulty(one.to))
    end()
    counter.current = null
    this.#settle(counter, one, delivery)
    this.#next(counter)
  }

  #settle(counter: Counter, one: Waiting, { again, refused, fault }: Delivery): void {
    const { log, clock } = this.#parts
    const { subject } = one.letter
    const wait = this.#isClosing ? undefined : RETRY_AFTER[one.tries]
    if (fault) this.#tell(counter, one, fault, again.length > 0 && wait !== undefined)
    else this.#tellWell(counter)
    if (again.length + refused.length < one.to.length)
      log.info(
        { to: one.to.filter(to => !again.includes(to) && !refused.includes(to)) },
        `emailalert: ${subject}`,
      )
    if (again.length > 0 && wait !== undefined) {
      one.to = again
      one.tries++
      one.notBefore = clock.now() + wait
      return
    }
    counter.waiting.splice(counter.waiting.indexOf(one), 1)
    if (again.length + refused.length > 0) counter.lost++
  }

  /** Once for each sort of fault until a mail goes through again. */
  #tell(
    { told, name }: Counter,
    { letter, to }: Waiting,
    fault: NonNullable<Delivery['fault']>,
    isTriedAgain: boolean,
  ) {
    if (told.has(fault.code)) return
    told.add(fault.code)
    this.#parts.log.error(
      { server: name, to, error: fault.message, subject: letter.subject },
      isTriedAgain ? 'a mail does not get through; it is tried again' : 'a mail does not get through',
    )
  }

  #tellWell(counter: Counter): void {
    if (counter.told.size > 0)
      this.#parts.log.info({ server: counter.name, lost: counter.lost }, 'mails get through again')
    counter.told.clear()
    counter.lost = 0
  }
}

/** The mails to one list of recipients stay in their order: of each list the first. */
function firstOfEach(waiting: readonly Waiting[]): readonly Waiting[] {
  const first = new Map<string, Waiting>()
  for (const one of waiting) {
    const { to, from } = one.letter.route
    const key = JSON.stringify([to, from])
    if (!first.has(key)) first.set(key, one)
  }
  return [...first.values()]
}

/** A mail that cannot even be tried is given up; it must never take lvsd with it. */
function faulty(to: readonly string[]): (error: unknown) => Delivery {
  return error => ({ again: [], refused: to, fault: { code: 'fault', message: String(error) } })
}
