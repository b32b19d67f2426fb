/** Slows down those who guess tokens, and limits the requests of one client. Pure but for the clock that it is given. */

/**
 * Failures within `WINDOW` milliseconds after which wrong tokens of a client are refused at once. A right token is
 * accepted even then, and ends nothing of this: many users share a /64, or a proxy.
 */
const MOST_FAILURES = 10
const WINDOW = 60_000
/** Milliseconds that the answer to a failure waits: doubled at each failure. */
const DELAY = { first: 100, most: 3000 } as const
/** Requests per second, and at once: of one token, or of one client without a token. */
const RATE = { perSecond: 100, atOnce: 200 } as const
/** Number of clients that are remembered; the oldest is forgotten. */
const MOST_CLIENTS = 4096

/** IPv6: a client has a whole /64. */
export function clientOf(address: string): string {
  const text = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (!text.includes(':')) return text
  const [head = '', tail = ''] = (text.split('%')[0] ?? '').split('::', 2)
  const first = head.split(':').filter(Boolean)
  const last = tail.split(':').filter(Boolean)
  const zeros = text.includes('::') ? Math.max(0, 8 - first.length - last.length) : 0
  const groups = [...first, ...Array<string>(zeros).fill('0'), ...last]
  return groups
    .slice(0, 4)
    .map(group => group.padStart(4, '0'))
    .join(':')
}

export class FailedAttempts {
  readonly #now: () => number
  readonly #failures = new Map<string, { count: number; since: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds until this client may try again; 0: now. */
  waitOf(client: string): number {
    const failures = this.#current(client)
    if (!failures || failures.count < MOST_FAILURES) return 0
    return Math.max(0, failures.since + WINDOW - this.#now())
  }

  /** Records a failure. Returns the milliseconds for which its answer waits. */
  failed(client: string): number {
    const { count, since } = this.#current(client) ?? { count: 0, since: this.#now() }
    this.#failures.delete(client)
    this.#failures.set(client, { count: count + 1, since })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MOST_CLIENTS && oldest !== undefined) this.#failures.delete(oldest)
    return Math.min(DELAY.first * 2 ** Math.min(count, 30), DELAY.most)
  }

  #current(client: string) {
    const failures = this.#failures.get(client)
    return failures && this.#now() - failures.since < WINDOW ? failures : undefined
  }
}

/** A token bucket for each name: of an API token, or of a client. */
export class RateLimit {
  readonly #now: () => number
  readonly #buckets = new Map<string, { left: number; at: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Milliseconds until the next request of this name is allowed; 0: this one is, and counts. */
  take(name: string): number {
    const now = this.#now()
    const before = this.#buckets.get(name) ?? { left: RATE.atOnce, at: now }
    const left = Math.min(RATE.atOnce, before.left + ((now - before.at) / 1000) * RATE.perSecond)
    const isAllowed = left >= 1
    this.#buckets.delete(name)
    this.#buckets.set(name, { left: isAllowed ? left - 1 : left, at: now })
    const [oldest] = this.#buckets.keys()
    if (this.#buckets.size > MOST_CLIENTS && oldest !== undefined) this.#buckets.delete(oldest)
    return isAllowed ? 0 : Math.ceil(((1 - left) * 1000) / RATE.perSecond)
  }
}
