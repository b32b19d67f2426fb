/**
 * Agrees with the other directors of the site who sends a message about an event. Nothing waits for Redis but the message
 * itself, and that for a second at most: without an answer every director sends, because a message that comes twice is
 * better than none.
 */
import {
  CLAIM_LASTS,
  type ClaimRecord,
  claim,
  claimName,
  claimOf,
  claimWindow,
  ended,
  settled,
} from '../core/alert-claim.js'
import type { ResolvedConfig } from '../core/model.js'
import { REDIS_KEYS } from '../core/redis-keys.js'
import type { Clock } from '../util/clock.js'
import type { SiteRedis } from './redis/site-redis.js'

/** What is to be told. */
export interface Telling {
  /** The receiver, and what it is told: the same on all directors. */
  readonly about: readonly (string | null)[]
  /** Milliseconds of the wall clock of this director: when it was; another one for each event. */
  readonly at: number
  /** What identifies it for receivers, if this director is the first. */
  readonly print: string
  /** It ends something, whose print it has. */
  readonly isEnd?: boolean
  /** What is over when this has been told, in the words of `about`. */
  readonly ends?: readonly Telling['about'][]
}

/** The items of a message, by what this director has to do. */
export interface Shares<Item> {
  /** It sends these, and calls `end` afterwards. */
  readonly mine: readonly Item[]
  /** Another director has sent these. */
  readonly told: readonly Item[]
  /** Another director is sending these: ask again in a second. */
  readonly waiting: readonly Item[]
  /** What identifies an item for receivers; undefined: it is not shared. */
  printOf(item: Item): string | undefined
  /** Ends the claims. `isSent`: false: the attempt failed, so that another director may try. Never rejects. */
  end(isSent: boolean): Promise<void>
}

export interface SiteOfAlerts {
  readonly redis: Pick<SiteRedis, 'status' | 'key' | 'script'>
  readonly self: { readonly id: string; readonly host: string }
}

export interface AlertClaimsParts {
  readonly clock: Pick<Clock, 'alarm'>
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

/** Milliseconds for all that one message asks of Redis. */
const PATIENCE = 1000
/** Milliseconds for all that is asked before an attempt: about beginnings, and about ends. */
export const MOST_ASKING = 2 * PATIENCE
/** Milliseconds after which a director asks again whether another one has sent. */
export const ASK_AGAIN = 1000
/** Records that are read at once. */
const AT_ONCE = 50
/** Attempts to write while other directors write the same. */
const MOST_ROUNDS = 10

const READ = `
local time = redis.call('TIME')
return { time[1], time[2], redis.call('MGET', unpack(KEYS)) }`

/** ARGV: the expiry, and for each key what it must have ('': nothing) and gets. Returns those that have changed. */
const WRITE = `
local changed = {}
for i, key in ipairs(KEYS) do
  if (redis.call('GET', key) or '') == ARGV[2 * i] then redis.call('SET', key, ARGV[2 * i + 1], 'PX', ARGV[1])
  else changed[#changed + 1] = key end
end
return changed`

interface Asked<Item> {
  /** Those of one message about the same; the last one counts for all. */
  readonly items: readonly Item[]
  readonly key: string
  readonly telling: Telling
}

export class AlertClaims {
  readonly #clock: Pick<Clock, 'alarm'>
  readonly #now: () => number
  #site: SiteOfAlerts | null = null
  #window = claimWindow({ services: [] })
  #name: string | null = null

  constructor({ clock, now = Date.now }: AlertClaimsParts) {
    this.#clock = clock
    this.#now = now
  }

  /** Name of this host, as other directors see it. */
  get host(): string {
    return this.#site?.self.host ?? ''
  }

  /** Name of the site whose directors share what they tell; null: there is none. */
  get site(): string | null {
    return this.#name
  }

  /** True if there is a site whose directors share what they tell. */
  get isShared(): boolean {
    return this.#site !== null && this.#site.redis.status.state !== 'off'
  }

  /** The cluster of this director. Until then every message is its own. */
  attach(site: SiteOfAlerts): void {
    this.#site = site
  }

  config(config: Pick<ResolvedConfig, 'services' | 'cluster'>): void {
    this.#window = claimWindow(config)
    this.#name = config.cluster?.redis ? config.cluster.site : null
  }

  /** `tellingOf`: null: the item is this director's own. Never rejects. */
  async share<Item>(
    items: readonly Item[],
    tellingOf: (item: Item) => Telling | null,
  ): Promise<Shares<Item>> {
    const asked = this.isShared ? this.#asked(items, tellingOf) : []
    const answers = asked.length > 0 ? await this.#limited(this.#ask(asked)) : null
    if (!answers) return { ...ALONE, mine: items }
    const by = (verdict: string) => items.filter(item => answers.get(item)?.verdict === verdict)
    const own = asked.filter(({ items: [item] }) => item && answers.get(item)?.verdict === 'send')
    const prolonging = own.length > 0 ? this.#prolong(own) : () => {}
    return {
      mine: items.filter(item => (answers.get(item)?.verdict ?? 'send') === 'send'),
      told: by('told'),
      waiting: by('wait'),
      printOf: item => answers.get(item)?.print,
      end: async isSent => {
        prolonging()
        if (own.length > 0) await this.#limited(this.#settle(own, isSent))
      },
    }
  }

  #asked<Item>(items: readonly Item[], tellingOf: (item: Item) => Telling | null): readonly Asked<Item>[] {
    const { redis } = this.#site as SiteOfAlerts
    const byKey = new Map<string, Asked<Item>>()
    for (const item of items) {
      const telling = tellingOf(item)
      if (!telling) continue
      const key = redis.key('alert', claimName(telling.about))
      byKey.set(key, { key, telling, items: [...(byKey.get(key)?.items ?? []), item] })
    }
    return [...byKey.values()]
  }

  async #ask<Item>(asked: readonly Asked<Item>[]): Promise<Map<Item, { verdict: string; print: string }>> {
    const { self } = this.#site as SiteOfAlerts
    const answers = new Map<Item, { verdict: string; print: string }>()
    await this.#change(asked, (record, { items, telling: { at, print, isEnd } }, now) => {
      const { id, host } = self
      const event = { mark: String(at), age: this.#now() - at, window: this.#window }
      const answer = claim(record, { id, host, print, now, ...event, ...(isEnd && { isEnd }) })
      for (const item of items) answers.set(item, answer)
      return answer.record
    })
    return answers
  }

  async #settle<Item>(asked: readonly Asked<Item>[], isSent: boolean): Promise<true> {
    const { id } = (this.#site as SiteOfAlerts).self
    await this.#change(asked, (record, { telling }) =>
      settled(record, { id, isSent, mark: String(telling.at) }),
    )
    if (isSent)
      await this.#change(this.#endedBy(asked), (record, { telling }, now) =>
        ended(record, this.#now() - telling.at, now),
      )
    return true
  }

  #endedBy<Item>(asked: readonly Asked<Item>[]): readonly Asked<Item>[] {
    const { redis } = this.#site as SiteOfAlerts
    return asked.flatMap(one =>
      (one.telling.ends ?? []).map(words => ({ ...one, key: redis.key('alert', claimName(words)) })),
    )
  }

  /** Keeps the claims while this director is sending. Returns a function that ends it. */
  #prolong<Item>(asked: readonly Asked<Item>[]): () => void {
    let cancel = () => {}
    const again = () => {
      cancel = this.#clock.alarm(CLAIM_LASTS / 3, () => {
        again()
        void this.#limited(this.#ask(asked))
      })
    }
    again()
    return () => cancel()
  }

  /** Reads, and writes what has not been changed meanwhile, until that is all. */
  async #change<Item>(
    asked: readonly Asked<Item>[],
    next: (record: ClaimRecord | null, one: Asked<Item>, now: number) => ClaimRecord | null,
  ): Promise<void> {
    const { redis } = this.#site as SiteOfAlerts
    for (let at = 0; at < asked.length; at += AT_ONCE) {
      let left = asked.slice(at, at + AT_ONCE)
      for (let round = 0; left.length > 0; round++) {
        if (round === MOST_ROUNDS) throw new Error('other directors change the same all the time')
        const [seconds, micros, texts] = (await redis.script(
          READ,
          left.map(({ key }) => key),
          [],
        )) as readonly [string, string, readonly (string | null)[]]
        const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
        const writes = left.flatMap((one, i) => {
          const record = next(claimOf(texts[i] ?? ''), one, now)
          return record ? [{ key: one.key, was: texts[i] ?? '', text: JSON.stringify(record) }] : []
        })
        const changed = writes.length > 0 ? await this.#write(writes) : []
        left = left.filter(({ key }) => changed.includes(key))
      }
    }
  }

  async #write(
    writes: readonly { readonly key: string; readonly was: string; readonly text: string }[],
  ): Promise<readonly string[]> {
    const { redis } = this.#site as SiteOfAlerts
    const args = writes.flatMap(({ was, text }) => [was, text])
    const keys = writes.map(({ key }) => key)
    return (await redis.script(WRITE, keys, [REDIS_KEYS['alert:HASH'].expiry, ...args])) as readonly string[]
  }

  /** Returns null if it fails or takes too long. What is wrong with Redis is told by the connection. */
  #limited<T>(work: Promise<T>): Promise<T | null> {
    return new Promise(resolve => {
      const cancel = this.#clock.alarm(PATIENCE, () => resolve(null))
      work.then(resolve, () => resolve(null)).finally(cancel)
    })
  }
}

/** Where there is no site: every director sends everything. */
export const NO_CLAIMS: Pick<AlertClaims, 'share' | 'host'> = {
  host: '',
  share: async items => ({ ...ALONE, mine: items }),
}

const ALONE = { told: [], waiting: [], printOf: () => undefined, end: async () => {} } as const
