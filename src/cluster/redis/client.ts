/**
 * One connection to Redis, Sentinel or Redis Cluster. The only file that imports ioredis. The library does not connect
 * again, keeps no queue of commands without a connection, and sends nothing a second time: `Link` opens a new connection
 * instead, which asks names, sentinels and nodes afresh.
 */
import type { Cluster, ClusterOptions, Redis, RedisOptions } from 'ioredis'
import type { RedisCommand } from '../../core/redis-commands.js'
import { faultOf, TLS_FILE_UNREADABLE } from '../../core/redis-fault.js'
import type { RedisAddress, RedisSettings, RedisTls } from '../../core/redis-settings.js'
import { readText } from '../../system/read-file.js'

export interface Connection {
  /** Sends a command. Rejects with the error of Redis or of the connection. */
  send(command: RedisCommand, args: readonly (string | number)[]): Promise<unknown>
  /** Closes it at once. What waits for an answer is rejected. */
  close(): void
}

export interface ConnectionParts {
  readonly settings: RedisSettings
  /** Number of this attempt: it begins with another one of several addresses each time. */
  readonly attempt: number
  /** Called once, when the connection has ended by itself. */
  onEnd(error: unknown): void
  onMessage(channel: string, text: string): void
  /** Messages of this channel got lost, because they came faster than they are heard. */
  onLost?(channel: string): void
}

export type OpenConnection = (parts: ConnectionParts) => Promise<Connection>

/** Milliseconds for one address, so that one of several that is silent does not use up the patience of the attempt. */
const ONE_ADDRESS = 800
/** Bytes of a certificate file. */
const MOST_TLS = 1 << 20

type Library = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>

/** Loads the library, which takes some time, so that the first connection does not wait for it. */
export function loadLibrary(): Promise<Library> {
  return import('ioredis')
}

/** Resolves when the connection is open. It has not proved anything yet. */
export const openConnection: OpenConnection = async parts => {
  const library = await loadLibrary()
  const client = clientOf(library, parts)
  /** Hears the messages of a cluster, from the first SUBSCRIBE on. */
  let hearing: Promise<Redis> | null = null
  const opened: (Redis | Cluster)[] = [client]
  let isClosed = false
  let last: unknown = null
  const note = (error: unknown) => {
    last = error
  }
  const close = () => {
    isClosed = true
    for (const each of opened) if (each.status !== 'end') each.disconnect()
  }
  const onEnd = () => {
    if (isClosed) return
    close()
    parts.onEnd(last ?? new Error('Connection is closed'))
  }
  const hear = (one: Redis | Cluster) => one.on('message', parts.onMessage)
  const open = async (one: Redis) => {
    opened.push(one)
    one.on('error', note)
    await one.connect()
    hear(one)
    one.on('end', onEnd)
    return one
  }
  client.on('error', note)
  client.on('node error', note)
  try {
    await client.connect()
  } catch (error) {
    close()
    throw last ?? error
  }
  client.on('end', onEnd)
  if (!isCluster(client)) hear(client)
  const send: Connection['send'] = async (command, args) => {
    if (command !== 'SUBSCRIBE' && command !== 'UNSUBSCRIBE') return call(client, command, args)
    if (isCluster(client)) hearing ??= open(hearerOf(client, parts.attempt))
    const one = hearing ? await hearing : client
    const channels = args.map(String)
    return command === 'SUBSCRIBE' ? one.subscribe(...channels) : one.unsubscribe(...channels)
  }
  return {
    close,
    // An error of the login is told by an event; the command only finds the connection closed.
    send: (command, args) =>
      send(command, args).catch(error => {
        throw last !== null && faultOf(error).reason === 'closed' ? last : error
      }),
  }
}

function call(
  client: Redis | Cluster,
  command: RedisCommand,
  args: readonly (string | number)[],
): Promise<unknown> {
  const [name = '', ...words] = command.split(' ')
  return client.call(name, ...words, ...args)
}

function isCluster(client: Redis | Cluster): client is Cluster {
  return client.isCluster
}

/**
 * A connection to one node of a cluster for its messages, which every node passes on. The library's own one goes from node
 * to node at once and untold when it is lost: messages get lost meanwhile, and a node that refuses it is asked again
 * without a pause.
 */
function hearerOf(cluster: Cluster, attempt: number): Redis {
  const nodes = cluster.nodes()
  const node = nodes[attempt % nodes.length]
  if (!node) throw new Error('Connection is closed')
  return node.duplicate({ ...COMMON, readOnly: false })
}

function clientOf(library: Library, { settings, attempt }: ConnectionParts): Redis | Cluster {
  const { url, sentinels, cluster, username, password } = settings
  const login = { ...(username !== null && { username }), ...(password !== null && { password }) }
  if (cluster) {
    const nodes = turned(cluster, attempt)
    return new library.Cluster([...nodes], clusterOptions({ ...login, ...tlsOf(settings.tls) }))
  }
  if (sentinels) {
    const { username: sentinelUsername, password: sentinelPassword } = sentinels
    const tls = tlsOf(settings.tls)
    return new library.Redis({
      ...COMMON,
      ...login,
      ...tls,
      name: sentinels.name,
      sentinels: [...turned(sentinels.addresses, attempt)],
      ...(sentinelUsername !== null && { sentinelUsername }),
      ...(sentinelPassword !== null && { sentinelPassword }),
      ...(tls.tls && { sentinelTLS: tls.tls, enableTLSForSentinelMode: true }),
      sentinelRetryStrategy: () => null,
      sentinelCommandTimeout: ONE_ADDRESS,
      updateSentinels: false,
    })
  }
  if (!url) throw new Error('no address')
  const tls = tlsOf(settings.tls ?? (url.tls ? PLAIN_TLS : null))
  const where = 'path' in url ? { path: url.path } : { host: url.host, port: url.port, ...tls }
  return new library.Redis({ ...COMMON, ...login, ...where, db: url.database })
}

/** The addresses, beginning with another one at each attempt. */
function turned(addresses: readonly RedisAddress[], attempt: number): readonly RedisAddress[] {
  const first = attempt % addresses.length
  return [...addresses.slice(first), ...addresses.slice(0, first)]
}

/** INFO at the start and CLIENT SETINFO, which is younger than Redis 6, are left out. */
const COMMON: RedisOptions = {
  lazyConnect: true,
  family: 0,
  retryStrategy: () => null,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: ONE_ADDRESS,
  connectionName: 'lvsd',
}

function clusterOptions(redisOptions: RedisOptions): ClusterOptions {
  return {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    slotsRefreshTimeout: ONE_ADDRESS,
    maxRedirections: 4,
    // A name in the answer of CLUSTER SLOTS is looked up by the connection; so is that of a certificate.
    dnsLookup: (address, done) => done(null, address),
    redisOptions: {
      ...redisOptions,
      enableReadyCheck: false,
      disableClientInfo: true,
      connectTimeout: ONE_ADDRESS,
      connectionName: 'lvsd',
    },
  }
}

const PLAIN_TLS: RedisTls = { ca: null, cert: null, key: null, servername: null }

/** The files are read at each attempt: a certificate that is renewed counts from the next one on. */
function tlsOf(settings: RedisTls | null): Pick<RedisOptions, 'tls'> {
  if (!settings) return {}
  const { ca, cert, key, servername } = settings
  return {
    tls: {
      ...(ca !== null && { ca: fileOf('ca', ca) }),
      ...(cert !== null && { cert: fileOf('cert', cert) }),
      ...(key !== null && { key: fileOf('key', key) }),
      ...(servername !== null && { servername }),
    },
  }
}

function fileOf(what: string, path: string): string {
  try {
    return readText(path, MOST_TLS)
  } catch (error) {
    throw Object.assign(new Error(`${what} ${path}: ${(error as Error).message}`), {
      code: TLS_FILE_UNREADABLE,
    })
  }
}
