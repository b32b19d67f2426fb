/**
 * An event loop on epoll: sockets, timers, and calls after reading. It is the clock of a scheduler too, so that one wait
 * serves both. Per turn: wait, read what has arrived, then the timers: an answer that has arrived counts before a
 * deadline that has passed.
 *
 * While something may answer, two waits begin at least 1 ms apart, so that one wake-up serves the events of many sockets.
 * It adds at most 1 ms to a measured time. What timers have started is looked at once without a wait: servers on this
 * machine answer before `connect` returns.
 *
 * Most servers answer within a millisecond. So who has just sent something may be called after the next wait, to see whether
 * the answer is there, before it watches its descriptor: to add a descriptor to epoll and to be told costs more than to look.
 */
// The global `performance` is a getter, which costs more than the call.
import { performance } from 'node:perf_hooks'
import { Epoll, pauseThread } from '../../system/epoll.js'
import { callError, EINTR } from '../../system/numeric-calls.js'
import type { Clock } from '../../util/clock.js'
import { DueHeap, type HeapItem } from '../../util/due-heap.js'
import { type Watcher, Watchers } from './watchers.js'

/** What a run needs of an event loop. */
export type ProbeLoop = Pick<Reactor, 'watch' | 'unwatch' | 'alarm' | 'afterReading' | 'lookSoon'>

/** Looks whether something has come that it does not watch. */
export interface Looker {
  look(): void
}

interface Alarm extends HeapItem {
  readonly call: () => void
}

/** Milliseconds between two waits. */
const APART = 1
/** Events of one wait, and waits in a row before timers and calls have their turn. */
const MOST_EVENTS = 256
const MOST_WAITS = 64

export class Reactor implements Clock {
  readonly #epoll = new Epoll(MOST_EVENTS)
  readonly #watchers = new Watchers()
  readonly #alarms = new DueHeap<Alarm>()
  #calls: (() => void)[] = []
  #lookers: Looker[] = []
  #lastWait = 0
  /** Number of watched descriptors that are no reason to let events gather. */
  #lasting = 0

  // -------------------------------------------------------------- the clock

  now(): number {
    return performance.now()
  }

  alarm(ms: number, call: () => void): () => void {
    const alarm: Alarm = { due: 0, heapIndex: -1, call }
    this.#alarms.put(alarm, this.now() + ms)
    return () => this.#alarms.remove(alarm)
  }

  afterReading(call: () => void): void {
    this.#calls.push(call)
  }

  random(): number {
    return Math.random()
  }

  // -------------------------------------------------------------- descriptors

  /** Watches a descriptor until the reactor is closed. Throws a SystemError. */
  watchAlways(fd: number, flags: number, watcher: Watcher): void {
    const place = this.watch(fd, flags, watcher)
    if (place < 0) throw callError(place, 'epoll_ctl')
    this.#lasting++
  }

  /** Watches a descriptor. Returns its place, or a negative errno. */
  watch(fd: number, flags: number, watcher: Watcher): number {
    return this.#watchers.add(this.#epoll, fd, flags, watcher)
  }

  /** Ends a watch. The caller closes the descriptor. */
  unwatch(place: number): void {
    this.#watchers.remove(place)
  }

  /** Number of descriptors that are watched. */
  get watched(): number {
    return this.#watchers.size
  }

  /**
   * Lets `looker` look once: at the end of this turn if a timer or a call asks, else in the next one, about 1 ms later.
   * Returns false where it must watch.
   */
  lookSoon(looker: Looker): boolean {
    this.#lookers.push(looker)
    return true
  }

  // -------------------------------------------------------------- turns

  /** Waits for events, for at most `most` milliseconds, and handles what is due. */
  turn(most: number): void {
    this.#read(this.#patience(most))
    if (this.#calls.length === 0) this.#look(0)
    const hasRung = this.#ring()
    if (!hasRung && this.#calls.length === 0) return
    // What has arrived meanwhile is read before the calls.
    this.#read(0)
    if (hasRung) this.#look(0)
    const calls = this.#calls
    this.#calls = []
    const known = this.#lookers.length
    for (const call of calls) call()
    this.#look(known)
  }

  /** Returns how long to wait, in milliseconds, after a pause that lets events gather. */
  #patience(most: number): number {
    if (this.#calls.length > 0) return 0
    const now = this.now()
    const early = APART - (now - this.#lastWait)
    const left = this.#left(now, most)
    const isLooking = this.#lookers.length > 0
    const mayGather = early > 0 && left > 0 && (isLooking || this.watched > this.#lasting)
    if (mayGather) pauseThread(Math.ceil(1000 * Math.min(early, left)))
    if (isLooking) return 0
    return mayGather ? this.#left(this.now(), most) : left
  }

  #look(from: number): void {
    if (this.#lookers.length === from) return
    for (const looker of this.#lookers.splice(from)) looker.look()
  }

  #left(now: number, most: number): number {
    const due = this.#alarms.first?.due ?? Number.POSITIVE_INFINITY
    return Math.max(0, Math.ceil(Math.min(most, due - now)))
  }

  #read(patience: number): void {
    let wait = patience
    for (let i = 0; i < MOST_WAITS; i++) {
      const count = this.#epoll.wait(wait)
      if (count < 0 && count !== EINTR) throw new Error(`epoll_wait: errno ${-count}`)
      for (let event = 0; event < count; event++) this.#dispatch(event)
      if (count < MOST_EVENTS) break
      wait = 0
    }
    this.#lastWait = this.now()
  }

  #dispatch(event: number): void {
    const epoll = this.#epoll
    this.#watchers.tell(epoll.tag(event), epoll.generation(event), epoll.flags(event))
  }

  /** Returns true if an alarm was due. */
  #ring(): boolean {
    const now = this.now()
    let hasRung = false
    for (let alarm = this.#alarms.first; alarm && alarm.due <= now; alarm = this.#alarms.first) {
      this.#alarms.remove(alarm)
      alarm.call()
      hasRung = true
    }
    return hasRung
  }

  close(): void {
    this.#epoll.close()
  }
}
