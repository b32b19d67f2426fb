/**
 * The events of all directors of a site, in one stream of Redis. Each director appends its own, and notes in the same step
 * how far it is, so that none is missing and none is there twice, also after an answer that was lost. What happened while
 * Redis was away follows afterwards, as far as the memory of events reaches, but not over a restart of this director.
 */
import { REDIS_KEYS } from '../core/redis-keys.js'
import { type EventFilter, matches } from '../history/event-filter.js'
import type { EventMemory } from '../history/event-memory.js'
import { type EventRecord, LEVELS } from '../history/event-record.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller, type PollerParts } from '../util/poller.js'
import type { SiteRedis } from './redis/site-redis.js'

export interface SiteEventsParts {
  readonly redis: SiteRedis
  readonly self: { readonly id: string; readonly instance: string; readonly host: string }
  readonly memory: Pick<EventMemory, 'query' | 'newest' | 'follow'>
  readonly log: PollerParts['log']
  readonly clock?: Pick<Clock, 'alarm'>
}

/** An event, and the director that it happened on. */
export interface SiteEvent extends EventRecord {
  readonly host: string
}

/** Events in the stream, at least; Redis removes older ones in blocks. */
export const MOST_SITE_EVENTS = 10_000
/** Events that are sent or read at once, so that neither this process nor Redis is busy for long. */
const AT_ONCE = 200
/** Milliseconds for which events are collected before they are sent. */
const COLLECT = 100
/** Milliseconds after which a failed attempt is repeated. */
const AGAIN = 2000

/**
 * KEYS: the stream; how far this director is. ARGV: the length of the stream, the expiry, this process, and pairs of ids
 * and events. What is not above the noted id has been appended before.
 */
const APPEND = `
local process, done = string.match(redis.call('GET', KEYS[2]) or '', '^(%x+) (%d+)$')
if process ~= ARGV[3] then done = -1 end
for i = 4, #ARGV, 2 do
  if tonumber(ARGV[i]) > tonumber(done) then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'event', ARGV[i + 1])
  end
end
redis.call('SET', KEYS[2], ARGV[3] .. ' ' .. ARGV[#ARGV - 1], 'PX', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #ARGV`

export class SiteEvents {
  readonly #parts: SiteEventsParts
  readonly #rounds: Poller
  /** Id of the last own event that the stream has; those before the start of this process are not appended. */
  #sent: number
  #isOn = false
  #isWaiting = false
  #cancelWait = () => {}
  #endListening = () => {}

  constructor(parts: SiteEventsParts) {
    this.#parts = parts
    this.#sent = parts.memory.newest
    this.#rounds = new Poller('events of the site', () => this.#send().catch(() => {}), parts)
    parts.memory.follow(() => this.#soon())
  }

  /** Begins. Until then nothing is sent. */
  start(): void {
    this.#isOn = true
    this.#endListening = this.#parts.redis.onChange(() => this.#soon())
    this.#rounds.every(AGAIN)
  }

  /** Resolves when what is being sent has ended. The last events of this process may be missing. */
  async close(): Promise<void> {
    this.#isOn = false
    this.#cancelWait()
    this.#endListening()
    await this.#rounds.stop()
  }

  /** Returns the last events of all directors that match, from the oldest. Rejects while Redis is away. */
  async read({ limit, ...filter }: EventFilter & { readonly limit: number }): Promise<readonly SiteEvent[]> {
    const { redis } = this.#parts
    const found: SiteEvent[] = []
    let before = '+'
    while (found.length < limit) {
      const answer = await redis.run('XREVRANGE', [redis.key('events'), before, '-', 'COUNT', AT_ONCE])
      const entries = Array.isArray(answer) ? answer : []
      for (const entry of entries) {
        const event = eventOf(entry)
        if (event && matches(filter, event) && found.length < limit) found.push(event)
      }
      const last = entries.at(-1)
      if (entries.length < AT_ONCE || !Array.isArray(last)) break
      before = beforeOf(String(last[0]))
    }
    return found.reverse()
  }

  #soon(): void {
    if (!this.#isOn || this.#isWaiting || this.#parts.redis.status.state !== 'connected') return
    this.#isWaiting = true
    const { clock = systemClock } = this.#parts
    this.#cancelWait = clock.alarm(COLLECT, () => {
      this.#isWaiting = false
      if (this.#isOn) void this.#rounds.now()
    })
  }

  async #send(): Promise<void> {
    const { redis, memory, self } = this.#parts
    if (redis.status.state !== 'connected') return
    for (;;) {
      const { events, hasMore } = memory.query({ after: this.#sent, limit: AT_ONCE })
      const last = events.at(-1)
      if (!last) return
      const pairs = events.flatMap(event => [event.id, JSON.stringify({ ...event, host: self.host })])
      const { expiry } = REDIS_KEYS.events
      const keys = [redis.key('events'), redis.key('events-of', self.id)]
      await redis.script(APPEND, keys, [MOST_SITE_EVENTS, expiry, self.instance, ...pairs])
      this.#sent = last.id
      if (!hasMore) return
    }
  }
}

/** Returns the largest id below this one. `(ID` for the same is younger than Redis 6. */
function beforeOf(id: string): string {
  const [ms = '0', sequence = '0'] = id.split('-')
  return BigInt(sequence) > 0n ? `${ms}-${BigInt(sequence) - 1n}` : `${BigInt(ms) - 1n}-${2n ** 64n - 1n}`
}

/**
 * An entry of a stream: its id, and its fields with their values in turn. Returns null if it is no event. A newer lvsd may
 * write further fields, and levels that this one does not know: they count as info.
 */
export function eventOf(entry: unknown): SiteEvent | null {
  try {
    const [, words] = entry as [string, readonly string[]]
    const text = words[words.findIndex((word, i) => i % 2 === 0 && word === 'event') + 1] ?? ''
    const event = JSON.parse(text) as SiteEvent
    const { time, event: name, msg, host, level } = event
    if (![time, name, msg, host, level].every(each => typeof each === 'string')) return null
    return Object.hasOwn(LEVELS, level) ? event : { ...event, level: 'info' }
  } catch {
    return null
  }
}
