/**
 * The stream of events: server-sent events (WHATWG HTML, section 9.2) for any number of listeners. Each event is read
 * and formatted once. A listener that does not read fast enough is disconnected, and never waited for; it may resume
 * after the last id that it has read.
 */
import { PassThrough } from 'node:stream'
import { matches } from '../history/event-filter.js'
import type { EventRecord } from '../history/event-record.js'
import { systemClock } from '../util/clock.js'
import type { Control } from './control.js'
import type { EventsRequest } from './event-types.js'

/** Bytes that a listener may have unread. */
export const MOST_UNREAD = 256 * 1024
/** Milliseconds between two comments that keep the connection alive. */
const HEARTBEAT = 5000
/** Milliseconds of one wait for events. */
const WAIT = 30_000
/** Events of one answer. A listener that resumes gets at most as many of the past. */
const MOST = 10_000
/** Milliseconds that a client waits before it connects again. */
const RETRY = 1000

type EventSource = Control['events']

interface Member {
  readonly query: EventsRequest
  readonly out: PassThrough
  /** Id of the last event that was sent, or that did not match. */
  after: number
}

export class EventFeed {
  readonly #source: EventSource
  readonly #members = new Set<Member>()
  readonly #clock: typeof systemClock
  #following: AbortController | null = null
  /** Id of the last event that all members have. */
  #sent = 0
  #disconnected = 0

  constructor(source: EventSource, clock: typeof systemClock = systemClock) {
    this.#source = source
    this.#clock = clock
  }

  get listeners(): number {
    return this.#members.size
  }

  /** Number of listeners that were disconnected because they did not read. */
  get disconnected(): number {
    return this.#disconnected
  }

  /**
   * Returns the stream of the events that match, after the event with the id `query.after`, or else from now on. If the
   * events after that id are no longer known, the stream begins with an event `gap`. `gone` ends it.
   */
  async open(query: EventsRequest, gone: AbortSignal): Promise<PassThrough> {
    const out = new PassThrough({ highWaterMark: MOST_UNREAD })
    const { after } = query
    const newest = (await this.#past({ ...query, after: 0, limit: 1 }, gone)).newest
    const member = { query, out, after: after ?? newest }
    out.write(`retry: ${RETRY}\n\n`)
    // What is recorded while the past is read comes with the next answer.
    do await this.#catchUp(member, gone)
    while (member.after < this.#sent && !gone.aborted)
    this.#add(member, gone)
    return out
  }

  close(): void {
    this.#following?.abort()
    for (const member of [...this.#members]) this.#remove(member)
  }

  #add(member: Member, gone: AbortSignal): void {
    const leave = () => this.#remove(member)
    if (gone.aborted) return void member.out.end()
    gone.addEventListener('abort', leave, { once: true })
    member.out.once('close', leave)
    this.#members.add(member)
    if (!this.#following) void this.#follow(member.after)
  }

  #remove(member: Member): void {
    member.out.end()
    if (this.#members.delete(member) && this.#members.size === 0) this.#following?.abort()
  }

  async #catchUp(member: Member, gone: AbortSignal): Promise<void> {
    const { query, after } = member
    const { events, oldest, newest } = await this.#past({ ...query, after, limit: MOST }, gone)
    if (after > newest || (oldest > 0 && after < oldest - 1 && after > 0))
      member.out.write(`event: gap\ndata: ${JSON.stringify({ oldest, newest })}\n\n`)
    for (const event of events) member.out.write(blockOf(event))
    member.after = newest
  }

  #past({ wait: _, ...query }: EventsRequest, gone: AbortSignal) {
    return this.#source.wait(query, 0, gone)
  }

  /** Waits for events while there are members, and hands each on to those whose filter it matches. */
  async #follow(after: number): Promise<void> {
    const following = new AbortController()
    this.#following = following
    this.#sent = after
    const stopBeats = this.#beat()
    while (!following.signal.aborted) {
      const query = { after: this.#sent, limit: MOST }
      const answer = await this.#source.wait(query, WAIT, following.signal).catch(() => null)
      // Too many clients wait: the next heartbeat tries again.
      if (answer === null) await this.#pause(HEARTBEAT, following.signal)
      else {
        this.#send(answer.events)
        this.#sent = answer.events.at(-1)?.id ?? this.#sent
        // The daemon stops, and answers at once.
        if (answer.events.length === 0) await this.#pause(0, following.signal)
      }
    }
    stopBeats()
    if (this.#following === following) this.#following = null
    // A member has come while this one ended.
    if (this.#following === null && this.#members.size > 0) void this.#follow(this.#sent)
  }

  #send(events: readonly EventRecord[]): void {
    for (const event of events) {
      const block = blockOf(event)
      for (const member of this.#members) {
        if (event.id <= member.after) continue
        member.after = event.id
        if (matches(member.query, event)) this.#write(member, block)
      }
    }
  }

  #write(member: Member, text: string): void {
    if (member.out.writableLength + member.out.readableLength > MOST_UNREAD) {
      this.#disconnected++
      this.#members.delete(member)
      member.out.destroy()
    } else member.out.write(text)
  }

  #beat(): () => void {
    let cancel = () => {}
    const next = () => {
      cancel = this.#clock.alarm(HEARTBEAT, () => {
        for (const member of [...this.#members]) this.#write(member, ':\n\n')
        next()
      })
    }
    next()
    return () => cancel()
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#clock.alarm(ms, resolve)
      signal.addEventListener(
        'abort',
        () => {
          cancel()
          resolve()
        },
        { once: true },
      )
    })
  }
}

function blockOf(event: EventRecord): string {
  return `id: ${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`
}
