/**
 * Verdicts through Redis: a message on one channel for each change and as a sign of life, and all verdicts of a director
 * under one key that expires. The key is written before the message is sent, in one step, so that who misses a message
 * reads there what it said.
 *
 * A message has the time at which it was sent, by the clock of Redis, which each director learns with its own messages: what
 * was held up on its way is not taken for new, and no clock of a director counts.
 */
import { RedisError } from '../../core/redis-fault.js'
import type { Log } from '../../system/log.js'
import { type Clock, systemClock } from '../../util/clock.js'
import { Poller } from '../../util/poller.js'
import type { SiteRedis } from '../redis/site-redis.js'
import { MOST_DIRECTORS } from './heard-directors.js'
import type { SharedVerdicts } from './shared-verdicts.js'
import { LONGEST_MESSAGE, saidOf, textOf } from './verdict-text.js'

export interface VerdictLinkParts {
  readonly redis: SiteRedis
  readonly verdicts: SharedVerdicts
  readonly log: Pick<Log, 'error'>
  readonly clock?: Pick<Clock, 'alarm'>
  /** Returns milliseconds of the steady clock. */
  now(): number
}

/** Messages in a heartbeat: two may be late before a director counts as gone. */
const IN_HEARTBEAT = 4
/** All verdicts expire after this many heartbeats. */
const LASTS = 3
/** Characters of messages in a quarter of a heartbeat. What is more is dropped, and all is read again later. */
const MOST_HEARD = 1 << 20
/**
 * Characters of whole readings in a quarter of a heartbeat; the reading that passes it is the last one. A Redis that
 * speaks for ever new directors has nothing more read. What was not read is read after a later message.
 */
const MOST_READ = 2 << 20
/** Milliseconds for which changes are collected. */
const COLLECT = 50
/** Milliseconds by which the clock of the site may be off before questions are placed anew. */
const TOLERANCE = 50

/** KEYS: all verdicts. ARGV: expiry; channel; all verdicts, or '' if they are as before; the message. */
const SAY = `
local time = redis.call('TIME')
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[1])
elseif redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then
  return {time[1], time[2], 0}
end
redis.call('PUBLISH', ARGV[2], ARGV[4])
return {time[1], time[2], 1}`

export class VerdictLink {
  readonly #parts: VerdictLinkParts
  #says: Poller | null = null
  /** Apart from the messages, which wait for Redis. */
  #looks: Poller | null = null
  #heartbeat = 0
  #channel = ''
  #endHearing = () => {}
  #cancelSoon: (() => void) | null = null
  /** Milliseconds of the clock of Redis at 0 of the steady clock; null: not known yet. */
  #offset: number | null = null
  /** The version that the key has. */
  #stored = -1
  /** One read at a time, and each director once in half a heartbeat: a Redis that says much keeps nobody busy. */
  #isReading = false
  readonly #readAt = new Map<string, number>()
  /** Characters of messages that are still read in this quarter of a heartbeat. */
  #budget = MOST_HEARD
  /** The same of whole readings. */
  #readBudget = MOST_READ

  constructor(parts: VerdictLinkParts) {
    this.#parts = parts
  }

  /** Milliseconds between the clock of the site and the steady clock of this director; 0 until it is known. */
  get offset(): number {
    return this.#offset ?? 0
  }

  /** Begins; null: ends. */
  follow(heartbeat: number | null): void {
    const { redis, verdicts } = this.#parts
    const channel = redis.key('verdicts')
    if (heartbeat === null || channel !== this.#channel) void this.#end()
    if (heartbeat === null || (this.#says && heartbeat === this.#heartbeat)) return
    this.#heartbeat = heartbeat
    if (!this.#says) {
      this.#channel = channel
      this.#offset = null
      this.#says = new Poller('verdicts', () => this.#say(), this.#parts)
      this.#looks = new Poller('verdicts', () => this.#look(), this.#parts)
      this.#endHearing = redis.subscribe(
        channel,
        text => this.#hear(text),
        () => verdicts.mayHaveMissed(),
      )
    }
    this.#says.every(heartbeat / IN_HEARTBEAT)
    this.#looks?.every(heartbeat / IN_HEARTBEAT)
    void this.#says.now()
  }

  /** Something has changed: the others hear of it soon. */
  saySoon(): void {
    const { clock = systemClock } = this.#parts
    if (!this.#says) return
    this.#cancelSoon ??= clock.alarm(COLLECT, () => {
      this.#cancelSoon = null
      void this.#says?.now().then(() => {
        // What has changed during a message has not been sent with it.
        if (this.#parts.verdicts.hasNews && this.#parts.redis.status.state === 'connected') this.saySoon()
      })
    })
  }

  sayNow(): void {
    void this.#says?.now()
  }

  /** Withdraws all verdicts, so that the others take over at once. Never rejects. */
  async leave(): Promise<void> {
    const { redis, verdicts } = this.#parts
    const says = this.#says
    await this.#end()
    if (!says || this.#offset === null || redis.status.state !== 'connected') return
    const said = { ...verdicts.toSay(), isAble: false, votes: [], gone: [] }
    await redis
      .run('PUBLISH', [redis.key('verdicts'), textOf({ ...said, at: this.#siteNow })])
      .catch(whileAway)
    await redis.run('DEL', [redis.key('verdicts', said.id)]).catch(whileAway)
  }

  async #end(): Promise<void> {
    const says = this.#says
    this.#says = null
    void this.#looks?.stop()
    this.#looks = null
    this.#endHearing()
    this.#cancelSoon?.()
    this.#cancelSoon = null
    this.#stored = -1
    await says?.stop()
  }

  get #siteNow(): number {
    return Math.max(0, Math.round(this.#parts.now() + this.offset))
  }

  #look(): void {
    this.#budget = MOST_HEARD
    this.#readBudget = MOST_READ
    this.#parts.verdicts.look()
  }

  // ---------------------------------------------------------------- saying

  async #say(): Promise<void> {
    const { redis, verdicts } = this.#parts
    verdicts.look()
    if (redis.status.state === 'off' || redis.status.state === 'connecting') return
    try {
      if (this.#offset === null) await this.#askTime()
      if (!(await this.#send())) await this.#send()
    } catch (error) {
      this.#stored = -1
      whileAway(error)
    }
  }

  async #askTime(): Promise<void> {
    const { redis, now } = this.#parts
    const before = now()
    this.#learn(before, await redis.run('TIME', []))
  }

  /** Returns false if the key is gone. */
  async #send(): Promise<boolean> {
    const { redis, verdicts, now } = this.#parts
    const said = verdicts.toSay()
    const at = this.#siteNow
    const key = redis.key('verdicts', said.id)
    const all = said.version === this.#stored ? '' : textOf({ ...verdicts.allToSay(), at })
    const full = textOf({ ...said, at })
    // Too much for a message: who hears of another version reads all.
    const message =
      full.length < LONGEST_MESSAGE / 2 ? full : textOf({ ...said, at, base: null, votes: [], gone: [] })
    const before = now()
    const lasts = this.#heartbeat * LASTS
    const answer = await redis.script(SAY, [key], [lasts, redis.key('verdicts'), all, message])
    this.#learn(before, answer)
    const isSent = Array.isArray(answer) && Number(answer[2]) === 1
    this.#stored = isSent ? said.version : -1
    if (isSent) verdicts.told(said)
    return isSent
  }

  /** An answer that took long says little about the time. */
  #learn(before: number, answer: unknown): void {
    const after = this.#parts.now()
    const took = after - before
    if (!Array.isArray(answer) || (this.#offset !== null && took > this.#heartbeat / 2)) return
    const at = Number(answer[0]) * 1000 + Number(answer[1]) / 1000
    const offset = at - (before + after) / 2
    if (!Number.isFinite(offset)) return
    const isFar = this.#offset === null || Math.abs(offset - this.#offset) > TOLERANCE + took / 2
    if (!isFar) return
    this.#offset = offset
    this.#parts.verdicts.replace()
  }

  // ---------------------------------------------------------------- hearing

  #hear(text: string): void {
    const { verdicts } = this.#parts
    this.#budget -= text.length
    if (this.#budget < 0) verdicts.mayHaveMissed()
    const said = this.#budget < 0 ? null : saidOf(text, false)
    if (!said || this.#offset === null) return
    if (Math.abs(this.#siteNow - said.at) > (said.heartbeat ?? this.#heartbeat)) return
    if (!verdicts.heard(said)) void this.#read(said.id).catch(whileAway)
  }

  async #read(id: string): Promise<void> {
    const { redis, verdicts, now } = this.#parts
    const isRecent = now() - (this.#readAt.get(id) ?? Number.NEGATIVE_INFINITY) < this.#heartbeat / 2
    if (this.#isReading || isRecent || this.#readBudget <= 0) return
    this.#isReading = true
    // The ids are those of living directors, which are bounded.
    if (this.#readAt.size > MOST_DIRECTORS) this.#readAt.clear()
    this.#readAt.set(id, now())
    try {
      const text = await redis.run('GET', [redis.key('verdicts', id)])
      if (typeof text !== 'string') return
      this.#readBudget -= text.length
      const said = saidOf(text, true)
      if (said?.id === id) verdicts.loaded(said)
    } finally {
      this.#isReading = false
    }
  }
}

/** What is wrong with Redis is told by the connection. */
function whileAway(error: unknown): void {
  if (!(error instanceof RedisError)) throw error
}
