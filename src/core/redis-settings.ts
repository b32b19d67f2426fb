/** Where the Redis of a site is, and how lvsd logs in. */
import { endpoint, type HostPort, parseHostPort } from './address.js'

/** One server of Redis: an address or a name with its port. */
export interface RedisAddress {
  /** An IPv6 address has no brackets. */
  readonly host: string
  readonly port: number
}

export type RedisUrl = { readonly database: number; readonly tls: boolean } & (
  | RedisAddress
  | { readonly path: string }
)

export interface RedisTls {
  /** PEM files; null: the usual authorities, no certificate of lvsd's own. */
  readonly ca: string | null
  readonly cert: string | null
  readonly key: string | null
  /** Name in the certificate of the server; null: its host. */
  readonly servername: string | null
}

export interface RedisSentinels {
  /** Name of the primary at the sentinels. */
  readonly name: string
  readonly addresses: readonly RedisAddress[]
  readonly username: string | null
  readonly password: string | null
}

/** One of `url`, `sentinels` and `cluster` is set. */
export interface RedisSettings {
  readonly url: RedisUrl | null
  readonly sentinels: RedisSentinels | null
  readonly cluster: readonly RedisAddress[] | null
  /** Null: TLS only if the URL says so. */
  readonly tls: RedisTls | null
  readonly username: string | null
  readonly password: string | null
  readonly prefix: string
}

/** The port of Redis, and that of Sentinel. */
export const REDIS_PORT = 6379
export const SENTINEL_PORT = 26_379

/** Parses `[2001:db8::1]:6379`, `[2001:db8::1]`, `redis.example` or an address without a port. Null if it is none. */
export function parseRedisAddress(text: string, defaultPort: number): RedisAddress | null {
  const parsed: HostPort | null = parseHostPort(text)
  if (!parsed) return null
  const port = parsed.port === null ? defaultPort : Number(parsed.port)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return null
  return { host: parsed.address?.text ?? parsed.host, port }
}

/** Parses a URL, or returns what is wrong with it. */
export function parseRedisUrl(text: string): RedisUrl | string {
  const socket = /^(?:unix|redis\+unix):\/\/(\/[^?#]*)$/.exec(text)?.[1]
  if (socket !== undefined) return { path: socket, database: 0, tls: false }
  const [, scheme, authority = '', path = ''] = /^(rediss?):\/\/([^/?#]*)(\/[^?#]*)?$/.exec(text) ?? []
  if (scheme === undefined)
    return "expected a URL such as 'redis://[2001:db8::1]:6379', 'rediss://redis.example' (TLS) or 'unix:///run/redis/redis.sock'"
  if (authority.includes('@'))
    return 'the URL has a user or a password in it: write them as the keys username and password'
  const address = parseRedisAddress(authority, REDIS_PORT)
  if (!address)
    return `"${authority}" is not an address or a name, with or without a port: an IPv6 address needs brackets, 'redis://[2001:db8::1]:6379'`
  const database = /^\/?$/.test(path) ? 0 : Number(/^\/(\d{1,5})$/.exec(path)?.[1] ?? Number.NaN)
  if (Number.isNaN(database))
    return `the path of the URL is the number of a database, such as /0, not "${path}"`
  return { ...address, database, tls: scheme === 'rediss' }
}

/** Where Redis is, for people; no secrets. */
export function redisPlace(settings: RedisSettings): string {
  const { url, sentinels, cluster } = settings
  const list = (addresses: readonly RedisAddress[]) =>
    addresses.map(({ host, port }) => endpoint(host, port)).join(', ')
  if (sentinels) return `${sentinels.name} of the sentinels ${list(sentinels.addresses)}`
  if (cluster) return `the cluster ${list(cluster)}`
  if (!url) return 'nowhere'
  return 'path' in url ? url.path : endpoint(url.host, url.port)
}
