/**
 * The stream of events: server-sent events (WHATWG HTML, section 9.2) for any number of listeners. A listener that does
 * not read fast enough is disconnected, and never waited for; it may resume after the last id that it has read.
 *
 * Checks run in the same thread, so no turn of the event loop is long: the events of one moment are one text, formatted
 * once for all with the same filter, and it is written to a few listeners in each turn. The past is sent in parts, the
 * next one when the listener has read the last.
 */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { matches } from '../history/event-filter.js'
import { TooManyWaiters } from '../history/event-memory.js'
import type { EventRecord } from '../history/event-record.js'
import { systemClock } from '../util/clock.js'
import type { Control } from './control.js'
import type { EventsRequest } from './event-types.js'

/** Bytes that a listener may have unread. */
export const MOST_UNREAD = 256 * 1024
/** Maximum number of listeners. Each uses a descriptor, and a write for each moment with events. */
const MOST_LISTENERS = 1000
/** Listeners that are written to in one turn of the event loop: about a millisecond. */
const A_TURN = 25
/** Milliseconds between two comments that keep the connection alive. */
const HEARTBEAT = 5000
/** Milliseconds of one wait for events. */
const WAIT = 30_000
/** Events of one answer. */
const MOST = 10_000
/** Events of one part of the past. */
const PART = 100
/** Bytes that a listener may have unread before the next part waits. */
const PART_UNREAD = 64 * 1024
/** The pause after the events of a moment lasts this many times as long as it took to send them. */
const PAUSE_SHARE = 3
/** Milliseconds. A shorter pause is skipped; a longer one would be noticed. */
const PAUSE_FROM = 10
const PAUSE_UP_TO = 200
/** Milliseconds that a client waits before it connects again. */
const RETRY = 1000

const BEAT = Buffer.from(':\n\n')

type EventSource = Control['events']

interface Member {
  readonly query: EventsRequest
  /** What is equal for members with the same filter. */
  readonly filter: string
  readonly out: PassThrough
  /** Aborts when the listener has left. */
  readonly left: AbortController
  /** Id of the last event that was sent, or that did not match. */
  after: number
}

export interface EventFeedOptions {
  readonly clock?: typeof systemClock
  /** Maximum number of listeners. */
  readonly most?: number
}

export class EventFeed {
  readonly #source: EventSource
  readonly #clock: typeof systemClock
  readonly #most: number
  readonly #all = new Set<Member>()
  /** Those that have the past, and get each new event. */
  readonly #members = new Set<Member>()
  #following: AbortController | null = null
  /** Id of the last event that all members have, or are being sent. */
  #sent = 0
  #disconnected = 0

  constructor(source: EventSource, { clock = systemClock, most = MOST_LISTENERS }: EventFeedOptions = {}) {
    this.#source = source
    this.#clock = clock
    this.#most = most
  }

  get listeners(): number {
    return this.#all.size
  }

  /** Number of listeners that were disconnected because they did not read. */
  get disconnected(): number {
    return this.#disconnected
  }

  /**
   * Returns the stream of the events that match, after the event with the id `query.after`, or else from now on. If the
   * events after that id are no longer known, the stream begins with an event `gap`. `gone` ends it. Throws
   * TooManyWaiters if there are too many listeners.
   */
  async open(query: EventsRequest, gone: AbortSignal): Promise<PassThrough> {
    if (this.#all.size >= this.#most)
      throw new TooManyWaiters(`${this.#most} clients read the stream of events; more are refused`)
    const member = memberOf(query)
    this.#all.add(member)
    const { out } = member
    const leave = () => this.#remove(member)
    gone.addEventListener('abort', leave, { once: true })
    out.once('close', () => {
      gone.removeEventListener('abort', leave)
      leave()
    })
    if (gone.aborted) leave()
    else await this.#begin(member)
    return out
  }

  close(): void {
    this.#following?.abort()
    for (const { out } of this.#all) out.end()
    this.#members.clear()
  }

  #remove(member: Member): void {
    member.left.abort()
    member.out.destroy()
    this.#all.delete(member)
    if (this.#members.delete(member) && this.#members.size === 0) this.#following?.abort()
  }

  async #begin(member: Member): Promise<void> {
    const { out, query, left } = member
    const { oldest, newest } = await this.#source.wait({ after: 0, limit: 1 }, 0, left.signal)
    const after = query.after ?? newest
    out.write(`retry: ${RETRY}\n\n`)
    if (after > newest || (after > 0 && after < oldest - 1))
      out.write(`event: gap\ndata: ${JSON.stringify({ oldest, newest })}\n\n`)
    member.after = Math.min(after, newest)
    void this.#catchUp(member)
  }

  /** Sends the past in parts, and then makes the listener a member. */
  async #catchUp(member: Member): Promise<void> {
    const { out, left, query } = member
    let isAll = false
    // What is recorded while a part is sent comes with the next one.
    while (!isAll || member.after < this.#sent) {
      const asked = { ...query, after: member.after, limit: PART }
      const { events, hasMore, newest } = await this.#source.wait(asked, 0, left.signal)
      if (left.signal.aborted || out.writableEnded) return
      member.after = (hasMore ? events.at(-1)?.id : undefined) ?? newest
      if (events.length > 0) out.write(events.map(blockOf).join(''))
      isAll = !hasMore && !out.writableNeedDrain
      if (out.writableNeedDrain) await once(out, 'drain', { signal: left.signal }).catch(() => {})
      else if (!isAll) await setImmediate()
    }
    this.#members.add(member)
    if (!this.#following) void this.#follow(member.after)
  }

  /** Waits for events while there are members, and sends each on to those whose filter it matches. */
  async #follow(after: number): Promise<void> {
    const following = new AbortController()
    this.#following = following
    this.#sent = after
    const stopBeats = this.#beat()
    while (!following.signal.aborted) {
      const query = { after: this.#sent, limit: MOST }
      const answer = await this.#wait(query, following.signal)
      // Too many clients wait: the next heartbeat tries again.
      if (answer === null) await this.#pause(HEARTBEAT, following.signal)
      else {
        const began = this.#clock.now()
        await this.#send(answer.events)
        const pause = Math.min((this.#clock.now() - began) * PAUSE_SHARE, PAUSE_UP_TO)
        if (pause >= PAUSE_FROM) await this.#pause(pause, following.signal)
        // The daemon stops, and answers at once.
        if (answer.events.length === 0) await this.#pause(0, following.signal)
      }
    }
    stopBeats()
    if (this.#following === following) this.#following = null
    // A member has come while this one ended.
    if (this.#following === null && this.#members.size > 0) void this.#follow(this.#sent)
  }

  async #wait(query: Parameters<EventSource['wait']>[0], signal: AbortSignal) {
    try {
      return await this.#source.wait(query, WAIT, signal)
    } catch {
      return null
    }
  }

  async #send(events: readonly EventRecord[]): Promise<void> {
    const last = events.at(-1)
    if (!last) return
    // Who comes during the turns below reads at least up to here.
    this.#sent = last.id
    const texts = new Map<string, Buffer>()
    await this.#toEach(member => {
      const after = Math.max(member.after, (events[0]?.id ?? 0) - 1)
      member.after = Math.max(member.after, last.id)
      const key = `${after} ${member.filter}`
      const known = texts.get(key)
      if (known) return known
      const own = events.filter(event => event.id > after && matches(member.query, event))
      const text = Buffer.from(own.map(blockOf).join(''))
      texts.set(key, text)
      return text
    })
  }

  /** Writes to each member what `textOf` returns, to a few in each turn of the event loop. */
  async #toEach(textOf: (member: Member) => Buffer): Promise<void> {
    let written = 0
    for (const member of this.#members) {
      const text = textOf(member)
      if (text.length === 0) continue
      this.#write(member, text)
      if (++written % A_TURN === 0) await setImmediate()
    }
  }

  #write(member: Member, text: Buffer): void {
    if (member.out.writableLength + member.out.readableLength > MOST_UNREAD) {
      this.#disconnected++
      this.#remove(member)
    } else member.out.write(text)
  }

  #beat(): () => void {
    let cancel = () => {}
    const next = () => {
      cancel = this.#clock.alarm(HEARTBEAT, () => {
        void this.#toEach(() => BEAT)
        next()
      })
    }
    next()
    return () => cancel()
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const end = () => {
        cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#clock.alarm(ms, end)
      signal.addEventListener('abort', end)
    })
  }
}

function memberOf(query: EventsRequest): Member {
  const { after: _, limit: __, wait: ___, ...filter } = query
  const out = new PassThrough({ highWaterMark: PART_UNREAD })
  return { query, filter: JSON.stringify(filter), out, left: new AbortController(), after: 0 }
}

function blockOf(event: EventRecord): string {
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`
}
