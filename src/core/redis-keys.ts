/**
 * Every key and channel of lvsd in Redis: its type, expiry and writers, for config/reference.md and for the code that
 * uses it. A name stands behind `{PREFIX:SITE}:`, so that all are in one slot of Redis Cluster.
 */

/** Version of what the values mean. Directors of another version leave each other's values alone. */
export const REDIS_SCHEMA = 1

interface RedisKey {
  readonly type: 'text' | 'set' | 'number' | 'channel'
  /** Milliseconds; null: a channel, which stores nothing. */
  readonly expiry: number | null
  readonly writer: string
  readonly about: string
}

const SECOND = 1000

export const REDIS_KEYS = {
  'proof:ID': {
    type: 'text',
    expiry: 10 * SECOND,
    writer: 'each director, every second',
    about: 'Proves that Redis accepts writes. As a channel: proves that messages arrive.',
  },
} as const satisfies Readonly<Record<string, RedisKey>>
