/** Tries what lvsd needs of the Redis of the site: whether it can be reached, and which commands are permitted. */
import { randomBytes } from 'node:crypto'
import { CLUSTER_COMMANDS, REDIS_COMMANDS, type RedisCommand } from '../../core/redis-commands.js'
import { fault, faultOf, isOfOneCommand, RedisError, type RedisFault } from '../../core/redis-fault.js'
import { type RedisSettings, redisPlace } from '../../core/redis-settings.js'
import type { Connection, OpenConnection } from './client.js'
import { ConnectionsApart } from './connections-apart.js'
import { versionIn } from './version-in.js'

export interface RedisExamination {
  readonly place: string
  /** Null if it can be used. */
  readonly fault: RedisFault | null
  readonly version: string | null
  /** Commands that the user may not run. */
  readonly refused: readonly string[]
}

type Try = readonly [command: RedisCommand, args: readonly (string | number)[]]

const LASTS = 10_000
/** Milliseconds for the connection and for each command. */
const PATIENCE = 3000

/** Never rejects. Writes keys that expire after ten seconds. */
export async function examineRedis(
  site: string,
  settings: RedisSettings,
  open?: OpenConnection,
): Promise<RedisExamination> {
  const apart = new ConnectionsApart()
  const found = { place: redisPlace(settings), fault: null, version: null, refused: [] }
  let connection: Connection | null = null
  try {
    if (!open) await apart.ready()
    const opening = (open ?? apart.open)({ settings, attempt: 0, onEnd: () => {}, onMessage: () => {} })
    connection = await limited(opening).catch(error => {
      // One that comes late is closed, too.
      opening.then(late => late.close()).catch(() => {})
      throw error
    })
    const hello = await limited(connection.send('HELLO', [2])).catch(error => {
      if (!isOfOneCommand(faultOf(error).reason)) throw error
      return null
    })
    return { ...found, version: versionIn(hello), refused: await refusedOf(connection, site, settings) }
  } catch (error) {
    return { ...found, fault: faultOf(error) }
  } finally {
    connection?.close()
    apart.close()
  }
}

async function refusedOf(
  connection: Connection,
  site: string,
  { prefix }: RedisSettings,
): Promise<readonly string[]> {
  const key = `{${prefix}:${site}}:proof:${randomBytes(6).toString('hex')}`
  const refused: string[] = []
  for (const [command, args] of triesOf(key)) {
    try {
      await limited(connection.send(command, args))
    } catch (error) {
      const { reason } = faultOf(error)
      if (reason === 'NOPERM' && !refused.includes(command)) refused.push(command)
      if (!isOfOneCommand(reason)) throw error
    }
  }
  return refused
}

type Tried = Exclude<RedisCommand, 'AUTH' | 'HELLO' | 'SELECT'>
type Arguments = readonly (string | number)[]

/** The keys of these get an expiry at once. */
const CREATING: readonly string[] = ['SADD', 'INCR', 'HSET', 'XADD']

/** Every command, in a harmless form. SUBSCRIBE is the last: afterwards a connection has no other commands. */
function triesOf(key: string): readonly Try[] {
  const [set, number, hash, stream] = [`${key}:s`, `${key}:n`, `${key}:h`, `${key}:x`]
  const tries: Readonly<Record<Tried, Arguments>> = {
    'CLIENT SETNAME': ['lvsd'],
    SET: [key, '1', 'PX', LASTS],
    GET: [key],
    MGET: [key],
    PTTL: [key],
    PEXPIRE: [key, LASTS],
    SADD: [set, 'x'],
    SMEMBERS: [set],
    SREM: [set, 'x'],
    HSET: [hash, 'x', '1'],
    HGET: [hash, 'x'],
    HLEN: [hash],
    HSCAN: [hash, 0],
    HDEL: [hash, 'x'],
    XADD: [stream, 'MAXLEN', 1, '*', 'x', '1'],
    XREVRANGE: [stream, '+', '-', 'COUNT', 1],
    TIME: [],
    INCR: [number],
    EVAL: ['return redis.call("GET", KEYS[1])', 1, key],
    DEL: [number],
    PUBLISH: [key, 'x'],
    SUBSCRIBE: [key],
    UNSUBSCRIBE: [key],
  }
  return (Object.entries(tries) as readonly (readonly [Tried, Arguments])[]).flatMap(
    ([command, args]): Try[] =>
      CREATING.includes(command)
        ? [
            [command, args],
            ['PEXPIRE', [String(args[0]), LASTS]],
          ]
        : [[command, args]],
  )
}

/** Commands that are not tried: without them there is no connection, or only some sites need them. */
export const UNTRIED: readonly string[] = ['AUTH', 'HELLO', 'SELECT', ...Object.keys(CLUSTER_COMMANDS)]

/** The commands that are tried. */
export const TRIED: readonly string[] = [...new Set(triesOf('').map(([command]) => command))]

/** All commands of lvsd. */
export const ALL: readonly string[] = Object.keys(REDIS_COMMANDS)

async function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RedisError(fault('silent', `no answer within ${PATIENCE} ms`))),
      PATIENCE,
    )
  })
  try {
    return await Promise.race([work, tooLate])
  } finally {
    clearTimeout(timer)
  }
}
