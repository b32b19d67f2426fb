/**
 * The memory of events: the last 10,000 log lines that are events, each with an id, in memory and in the state folder.
 *
 * An event has the same id and name in the log line, in the answers of the control socket and wherever else it is
 * shown. Ids increase, also over restarts: after a run that was not closed they go on with a gap, because events of its
 * last moment may be missing on the disk although somebody has seen their ids.
 */
import { isEvent, type LogEvent } from '../core/log-events.js'
import { Segments, type SegmentsParts } from '../storage/segments.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { isoTime } from '../util/time-text.js'
import { waitAtMost } from '../util/with-timeout.js'
import { type EventFilter, matches } from './event-filter.js'
import { type EventRecord, LEVELS, type Level } from './event-record.js'

export interface EventQuery extends EventFilter {
  /** Only events with a greater id; the first of these, else the last ones. */
  readonly after?: number | undefined
  readonly limit: number
}

export interface EventAnswer {
  /** Ids of the oldest event in memory and of the newest; 0 without any. */
  readonly oldest: number
  readonly newest: number
  /** True if more events match than `limit`. */
  readonly hasMore: boolean
  /** From the oldest to the newest. */
  readonly events: readonly EventRecord[]
}

export interface EventMemoryParts {
  /** Null: the events end with the process. */
  readonly folder: string | null
  readonly log: Log
  readonly clock?: Pick<Clock, 'alarm'>
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
  readonly openFile?: SegmentsParts['openFile']
}

/** Maximum number of events in memory. */
export const MOST_EVENTS = 10_000
/** Between the last id on the disk and the first of the next run, after a run that was not closed. */
const GAP = 10_000
/** Milliseconds for the first write, because the disk may hang. */
const PATIENCE = 1000
/** Maximum number of clients that wait for events at the same time. */
const MOST_WAITERS = 32
/** Milliseconds for which events are collected before waiting clients get them. */
const WAKE = 50
/** Milliseconds in which a client that follows asks again; the wait of one request is shorter. */
const FOLLOWING = 40_000
/** Milliseconds at the end for clients that follow to fetch the last events. */
const LINGER = 200
/** Limits of the fields of an event: characters of a text, members of a list. */
const LONGEST_TEXT = 1000
const LONGEST_LIST = 20

const LIMITS = {
  segmentBytes: 2 << 20,
  segmentLines: 2500,
  bytes: 16 << 20,
  lines: MOST_EVENTS,
  age: Number.POSITIVE_INFINITY,
}

interface Waiter {
  after: number
  readonly query: EventQuery
  done(answer: EventAnswer): void
}

/** Too many clients wait for events. */
export class TooManyWaiters extends Error {
  override readonly name = 'TooManyWaiters'
}

export class EventMemory {
  /** Writes to the log that `open` was given, and remembers each line that is an event. */
  readonly log: Log
  readonly #now: () => number
  readonly #alarm: Clock['alarm']
  /** A ring: the event with the place `n` is at `n % MOST_EVENTS`. */
  readonly #events: EventRecord[] = []
  #count = 0
  #lastId = 0
  /** Lines that wait until the last id of earlier runs is known; else null. */
  #early: (() => void)[] | null = null
  #segments: Segments | null = null
  readonly #waiters = new Set<Waiter>()
  readonly #followers: ((event: EventRecord) => void)[] = []
  #cancelWake: (() => void) | null = null
  /** When a client last waited for events, milliseconds of the wall clock. */
  #followedAt = Number.NEGATIVE_INFINITY

  /** Reads the events of earlier runs. If the folder cannot be read, that is logged, and the events end with the process. */
  static async open(parts: EventMemoryParts): Promise<EventMemory> {
    const memory = new EventMemory(parts)
    if (parts.folder !== null) await memory.#read({ ...parts, folder: parts.folder })
    return memory
  }

  /** Returns a memory whose events end with the process. */
  static inMemory(log: Log): EventMemory {
    return new EventMemory({ folder: null, log })
  }

  private constructor({ log, clock, now }: EventMemoryParts) {
    this.#now = now ?? Date.now
    this.#alarm = clock?.alarm ?? systemClock.alarm
    this.log = logWithIds(log, {
      record: (...line) => this.#record(...line),
      isWaiting: tell => this.#early !== null && this.#early.push(tell) > 0,
    })
  }

  /** Calls `listen` with each further event, before its log line is written. It must not throw. */
  follow(listen: (event: EventRecord) => void): void {
    this.#followers.push(listen)
  }

  /** Id of the newest event; 0 without any. */
  get newest(): number {
    return this.#lastId
  }

  /** Number of clients that wait for events. */
  get waiting(): number {
    return this.#waiters.size
  }

  /** Returns the events that match: the first after `after`, or else the last ones. */
  query({ after, limit, ...filter }: EventQuery): EventAnswer {
    const found: EventRecord[] = []
    const first = Math.max(0, this.#count - MOST_EVENTS)
    let hasMore = false
    const look = (place: number): boolean => {
      const event = this.#events[place % MOST_EVENTS]
      if (!event || !matches(filter, event)) return true
      hasMore = found.length >= limit
      if (!hasMore) found.push(event)
      return !hasMore
    }
    if (after === undefined) {
      for (let place = this.#count - 1; place >= first && look(place); place--);
      found.reverse()
    } else {
      for (let place = this.#placeAfter(after, first); place < this.#count && look(place); place++);
    }
    return {
      oldest: this.#events[first % MOST_EVENTS]?.id ?? 0,
      newest: this.#lastId,
      hasMore,
      events: found,
    }
  }

  /**
   * Like `query`, but waits up to `ms` milliseconds for an event that matches. `signal` ends the wait: the client is gone.
   * Throws TooManyWaiters at once if too many clients wait.
   */
  wait(query: EventQuery, ms: number, signal?: AbortSignal): Promise<EventAnswer> {
    const answer = this.query(query)
    if (ms > 0) this.#followedAt = this.#now()
    // After the end there is no other event. The client waits until its connection is closed: it would ask in a loop.
    if (answer.events.length > 0 || ms <= 0) return Promise.resolve(answer)
    if (this.#waiters.size >= MOST_WAITERS)
      throw new TooManyWaiters(`${MOST_WAITERS} clients wait for events; more are refused`)
    return new Promise(resolve => {
      const after = Math.max(query.after ?? 0, this.#lastId)
      const cancel = this.#alarm(ms, () => waiter.done(this.query({ ...query, after: waiter.after })))
      const end = () => waiter.done(this.query({ ...query, after: waiter.after }))
      const waiter: Waiter = {
        after,
        query,
        done: found => {
          cancel()
          signal?.removeEventListener('abort', end)
          this.#waiters.delete(waiter)
          resolve(found)
        },
      }
      this.#waiters.add(waiter)
      if (signal?.aborted) end()
      else signal?.addEventListener('abort', end)
    })
  }

  /** Writes what is queued now, for tests. */
  async flush(): Promise<boolean> {
    return (await this.#segments?.flush()) ?? true
  }

  /**
   * Answers those who wait, and writes the last events. Resolves after `patience` milliseconds at the latest, but when
   * clients that follow had time to ask for the last events. Their connections are closed after that.
   */
  async close(patience: number): Promise<void> {
    this.#cancelWake?.()
    this.#wake(true)
    const isFollowed = Math.abs(this.#now() - this.#followedAt) < FOLLOWING
    this.#segments?.append({ lastId: this.#lastId })
    await Promise.all([
      this.#segments?.close(patience),
      isFollowed && waitAtMost(LINGER, new Promise(() => {})),
    ])
  }

  async #read({
    folder,
    clock,
    now,
    openFile,
  }: EventMemoryParts & { readonly folder: string }): Promise<void> {
    this.#early = []
    const parts = { folder, name: 'events', version: 1, limits: LIMITS, log: this.log, clock, now, openFile }
    const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined))
    try {
      const { segments, wasClosed } = await Segments.open(given as unknown as SegmentsParts, value =>
        this.#recall(value),
      )
      this.#segments = segments
      if (!wasClosed) this.#lastId += GAP
      // Written before an id is used, so that a run that is killed at once leaves a gap, too.
      segments.append({ lastId: this.#lastId })
      await waitAtMost(PATIENCE, segments.flush())
    } catch (error) {
      this.log.error(
        'state.failed',
        { file: folder, error: (error as Error).message },
        'the events of earlier runs cannot be read; the events of this run end with it',
      )
    }
    const early = this.#early ?? []
    this.#early = null
    for (const tell of early) tell()
  }

  /** Takes an event of an earlier run. Throws if it is none. */
  #recall(value: unknown): void {
    const { lastId } = value as { readonly lastId?: unknown }
    if (typeof lastId === 'number') {
      this.#lastId = Math.max(this.#lastId, lastId)
      return
    }
    const event = value as EventRecord
    const isEventRecord =
      Number.isSafeInteger(event.id) &&
      typeof event.time === 'string' &&
      typeof event.event === 'string' &&
      typeof event.msg === 'string' &&
      event.level in LEVELS
    if (!isEventRecord) throw new Error('no event')
    this.#lastId = Math.max(this.#lastId, event.id)
    this.#put(event)
  }

  #record(level: Level, event: LogEvent, fields: object, msg: string): number {
    const id = ++this.#lastId
    const time = isoTime(this.#now())
    // In place of a spread, which V8 makes five times as slow: a start has an event for each server.
    this.#keep(Object.assign({ id, time, level, event, msg }, shortened(fields)))
    return id
  }

  #keep(event: EventRecord): void {
    this.#put(event)
    this.#segments?.append(event)
    for (const listen of this.#followers) listen(event)
    if (this.#waiters.size > 0)
      this.#cancelWake ??= this.#alarm(WAKE, () => {
        this.#cancelWake = null
        this.#wake(false)
      })
  }

  #put(event: EventRecord): void {
    this.#events[this.#count++ % MOST_EVENTS] = event
  }

  #wake(isEnd: boolean): void {
    for (const waiter of [...this.#waiters]) {
      const answer = this.query({ ...waiter.query, after: waiter.after })
      if (answer.events.length > 0 || isEnd) waiter.done(answer)
      else waiter.after = this.#lastId
    }
  }

  /** Returns the place of the first event with a greater id. Ids increase. */
  #placeAfter(id: number, first: number): number {
    let [low, high] = [first, this.#count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#events[middle % MOST_EVENTS]?.id ?? 0) > id) high = middle
      else low = middle + 1
    }
    return low
  }
}

interface Recorder {
  /** Returns the id of the event. */
  record(level: Level, event: LogEvent, fields: object, msg: string): number
  /** True if there are no ids yet. `tell` is then called as soon as there are. */
  isWaiting(tell: () => void): boolean
}

/** Returns a log that has each event recorded, and adds its id to the line. */
function logWithIds(log: Log, { record, isWaiting }: Recorder): Log {
  const say =
    (level: Level): Log['info'] =>
    (event, fields, msg) => {
      if (isWaiting(() => say(level)(event, fields, msg))) return
      const id = isEvent(event) ? record(level, event, fields, msg) : undefined
      // A field that all lines may have.
      const line = id === undefined ? fields : Object.assign({ id }, fields)
      log[level](event, line, msg)
    }
  return {
    debug: (event, fields, msg) => log.debug(event, fields, msg),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    isLevelEnabled: level => log.isLevelEnabled(level),
    flush: () => log.flush(),
  }
}

/** Returns the fields as plain data of a bounded size. */
function shortened(fields: object): object {
  let short: { [field: string]: unknown } | null = null
  for (const name of Object.keys(fields)) {
    const value = (fields as Readonly<Record<string, unknown>>)[name]
    const shorter = shorterValue(value)
    if (shorter === value) continue
    short ??= { ...fields }
    short[name] = shorter
  }
  return short ?? fields
}

function shorterValue(value: unknown): unknown {
  if (typeof value === 'string')
    return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value
  if (Array.isArray(value))
    return value.length > LONGEST_LIST ? [...value.slice(0, LONGEST_LIST), '…'] : value
  if (value instanceof Error) return shorterValue(value.message)
  if (typeof value === 'object' && value !== null) return shorterValue(JSON.stringify(value))
  return value
}
