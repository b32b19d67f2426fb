/**
 * Every key and channel of lvsd in Redis: its type, expiry and writers, for config/reference.md and for the code that
 * uses it. A name stands behind `{PREFIX:SITE}:`, so that all are in one slot of Redis Cluster.
 */

/**
 * Version of what the values mean, in the field `schema` of each JSON value (of an override: where it is not 1). What a
 * newer lvsd has written, an older one leaves as it is; the reference says what each kind of value then means to it.
 */
export const REDIS_SCHEMA = 1

interface RedisKey {
  readonly type: 'text' | 'set' | 'hash' | 'stream' | 'number' | 'channel'
  /** Milliseconds; null: as `about` says. */
  readonly expiry: number | null
  readonly writer: string
  readonly about: string
}

const SECOND = 1000
const HOUR = 3600 * SECOND
const DAY = 24 * HOUR

export const REDIS_KEYS = {
  'proof:ID': {
    type: 'text',
    expiry: 10 * SECOND,
    writer: 'each director, every second',
    about: 'Proves that Redis accepts writes. As a channel: proves that messages arrive.',
  },
  members: {
    type: 'set',
    expiry: 24 * HOUR,
    writer: 'each director, at each heartbeat',
    about: 'The ids of the directors.',
  },
  'member:ID': {
    type: 'text',
    expiry: null,
    writer: 'its director, at each heartbeat',
    about:
      'JSON: host, version, hash of the services, role. It expires after three heartbeats (3s), and the director then counts as gone.',
  },
  'config:HASH': {
    type: 'text',
    expiry: 24 * HOUR,
    writer: 'each director with these services, every 10 minutes',
    about:
      "JSON: hashes of the services and of the users' check files by their names, without secrets; shows what differs.",
  },
  lease: {
    type: 'text',
    expiry: null,
    writer: 'the active director, with role: { from: redis }',
    about:
      'ID TOKEN HOST of the active director. It expires after the setting lease. As a channel: the lease is free.',
  },
  'lease-token': {
    type: 'number',
    expiry: 30 * DAY,
    writer: 'a director that takes the lease',
    about: 'The fencing token: grows with each new holder of the lease.',
  },
  'alert:HASH': {
    type: 'text',
    expiry: HOUR,
    writer: 'each director with an alert or a mail about something of the site',
    about:
      'JSON: which director sends the message about an event to a receiver, whether it has been sent, and which directors have met the event.',
  },
  events: {
    type: 'stream',
    expiry: 30 * DAY,
    writer: 'each director, for each of its events',
    about:
      'The last 10,000 events of all directors: the field `event` has the fields of the log line and `host`.',
  },
  'events-of:ID': {
    type: 'text',
    expiry: 30 * DAY,
    writer: 'its director, with each event',
    about:
      'The process of this director, and the id of its last event in the stream, so that none is there twice.',
  },
  'verdicts:ID': {
    type: 'text',
    expiry: null,
    writer: 'its director, with observers: after each change, and expiry at each quarter of a heartbeat',
    about:
      'JSON: what this director says of the questions that it asks, by hashes without secrets. It expires after three heartbeats (3s).',
  },
  verdicts: {
    type: 'channel',
    expiry: null,
    writer: 'each director, with observers: after each change and at each quarter of a heartbeat',
    about: 'JSON: signs of life and changed verdicts, with the time of Redis at which they were sent.',
  },
  overrides: {
    type: 'hash',
    expiry: 90 * DAY,
    writer:
      'the director whose operator gives or ends an override, or ends a window; who finds that Redis has lost one',
    about:
      'Overrides of operators by their names: change, past changes, by, at, value; an ended one is kept for 30 days. Openings of maintenance windows that operators have ended too, until a day after them. The field `#` is another text after each write. As a channel: tells of writes.',
  },
} as const satisfies Readonly<Record<string, RedisKey>>
