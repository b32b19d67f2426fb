/**
 * Every command that lvsd sends to Redis, with the version of Redis that has it. The ACL line of the documents is made
 * of this table, and a test compares it with a real server.
 */

interface CommandKind {
  /** What lvsd does with it. */
  readonly about: string
  /** The version of Redis that introduced it, as COMMAND DOCS has it. */
  readonly since: string
  /** Name in an ACL line if it is a part of a command; null: no ACL restricts it. */
  readonly acl?: string | null
}

export const REDIS_COMMANDS = {
  AUTH: { about: 'logs in', since: '1.0.0', acl: null },
  // Later versions permit it to everyone.
  HELLO: { about: 'reads the version of Redis', since: '6.0.0' },
  SELECT: { about: 'selects the database of the URL, unless that is 0', since: '1.0.0' },
  'CLIENT SETNAME': { about: 'names the connection `lvsd`', since: '2.6.9', acl: 'client|setname' },
  SET: { about: 'proves that Redis accepts writes; heartbeats', since: '1.0.0' },
  GET: { about: 'reads keys', since: '1.0.0' },
  MGET: { about: 'reads the heartbeats of all directors', since: '1.0.0' },
  DEL: { about: 'removes the own heartbeat at an orderly stop', since: '1.0.0' },
  SADD: { about: 'enters this director into the list of directors', since: '1.0.0' },
  SREM: { about: 'removes a director from the list', since: '1.0.0' },
  SMEMBERS: { about: 'reads the list of directors', since: '1.0.0' },
  PEXPIRE: { about: 'gives every key its expiry', since: '2.6.0' },
  PTTL: { about: 'reads how long a lease lasts', since: '2.6.0' },
  INCR: { about: 'counts the fencing token', since: '1.0.0' },
  HGET: { about: 'reads whether overrides have changed', since: '2.0.0' },
  HLEN: { about: 'counts the overrides of the site', since: '2.0.0' },
  HSCAN: { about: 'reads the overrides of the site in pages', since: '2.8.0' },
  HSET: { about: 'writes an override, within a script', since: '2.0.0' },
  HDEL: { about: 'forgets an override that has long ended, within a script', since: '2.0.0' },
  XADD: { about: 'appends an event, within a script', since: '5.0.0' },
  XREVRANGE: { about: 'reads the events of the site', since: '5.0.0' },
  TIME: {
    about: 'learns the clock that all directors share; compares times by it, within a script',
    since: '2.6.0',
  },
  EVAL: { about: 'compares and sets in one step', since: '2.6.0' },
  PUBLISH: { about: 'tells the other directors', since: '2.0.0' },
  SUBSCRIBE: { about: 'hears the other directors', since: '2.0.0' },
  UNSUBSCRIBE: { about: 'hears a channel no longer', since: '2.0.0' },
} as const satisfies Readonly<Record<string, CommandKind>>

/** A command that lvsd may send. */
export type RedisCommand = keyof typeof REDIS_COMMANDS

/** In addition, with Redis Cluster. */
export const CLUSTER_COMMANDS = {
  'CLUSTER SLOTS': { about: 'asks which node has the keys', since: '3.0.0', acl: 'cluster|slots' },
  READONLY: { about: 'opens connections to replicas, which may take over', since: '3.0.0' },
  ASKING: { about: 'follows a key that moves to another node', since: '3.0.0' },
} as const satisfies Readonly<Record<string, CommandKind>>

/** At a sentinel: `SENTINEL GET-MASTER-ADDR-BY-NAME`. */
export const SENTINEL_COMMANDS = {
  'SENTINEL GET-MASTER-ADDR-BY-NAME': {
    about: 'asks which server is the primary',
    since: '2.8.4',
    acl: 'sentinel|get-master-addr-by-name',
  },
} as const satisfies Readonly<Record<string, CommandKind>>

/** The line for `ACL SETUSER` or the ACL file: the least that lvsd needs. */
export function aclLine(user: string, prefix: string, isCluster = false): string {
  const commands: Readonly<Record<string, CommandKind>> = {
    ...REDIS_COMMANDS,
    ...(isCluster && CLUSTER_COMMANDS),
  }
  const allowed = permissions(commands)
  return `user ${user} on >PASSWORD resetkeys ~{${prefix}:* resetchannels &{${prefix}:* -@all ${allowed.join(' ')}`
}

/** What an ACL must have for these commands: `+eval`. */
export function permissionsFor(names: readonly string[]): readonly string[] {
  const all = Object.entries({ ...REDIS_COMMANDS, ...CLUSTER_COMMANDS })
  return permissions(Object.fromEntries(all.filter(([name]) => names.includes(name))))
}

function permissions(commands: Readonly<Record<string, CommandKind>>): readonly string[] {
  return Object.entries(commands).flatMap(([name, { acl = name.toLowerCase() }]) =>
    acl === null ? [] : [`+${acl}`],
  )
}
