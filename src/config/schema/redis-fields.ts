/** The keys of `cluster.redis`: where the Redis of the site is, and how lvsd logs in. */
import { marks, z } from '../../check/option-types.js'
import {
  parseRedisAddress,
  parseRedisUrl,
  REDIS_PORT,
  type RedisUrl,
  SENTINEL_PORT,
} from '../../core/redis-settings.js'
import { optionalPath } from './field-types.js'
import { later, mapping, orNull, shortOr } from './forms.js'

function redisUrl() {
  return z
    .string()
    .register(marks, { shown: 'URL' })
    .transform((text, context): RedisUrl => {
      const url = parseRedisUrl(text)
      if (typeof url !== 'string') return url
      context.addIssue({ code: 'custom', message: url })
      return z.NEVER
    })
}

function redisAddresses(defaultPort: number) {
  const one = z.string().transform((text, context) => {
    const address = parseRedisAddress(text, defaultPort)
    if (address) return address
    const message = `expected an address or a name, with or without a port: '[2001:db8::1]:${defaultPort}'`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  return z.array(one).min(1).register(marks, { shown: 'list of addresses' })
}

const text = () => z.string().min(1)
const secret = () => text().register(marks, { secret: 'text', shown: 'text, never shown' })

export const redisTlsFields = later(() => ({
  ca: optionalPath().describe('Certificates of the authorities to trust instead of the usual ones.'),
  cert: optionalPath().describe('Certificate of lvsd, where Redis wants one.'),
  key: optionalPath().describe('Its private key; only lvsd should be able to read it.'),
  servername: orNull(text().register(marks, { shown: 'name' })).describe(
    'Name in the certificate of Redis. Default: the host that lvsd connects to.',
  ),
}))

export const sentinelFields = later(() => ({
  name: text().register(marks, { shown: 'name' }).describe('Name of the primary at the sentinels: mymaster.'),
  addresses: redisAddresses(SENTINEL_PORT).describe(
    `The sentinels; the port is ${SENTINEL_PORT} unless another one is given. Any of them is enough.`,
  ),
  username: orNull(text()).describe('User at the sentinels. Default: none.'),
  password: orNull(secret()).describe('Password at the sentinels. Default: none.'),
}))

export const redisFields = later(() => ({
  url: orNull(redisUrl()).describe(
    'One server: redis://[2001:db8::1]:6379, with /1 for another database than 0; rediss:// for TLS; unix:///run/redis/redis.sock.',
  ),
  sentinels: orNull(mapping('sentinels', 'a mapping with name and addresses', sentinelFields))
    .register(marks, { shown: 'mapping' })
    .describe('In place of url: sentinels, which know the primary.'),
  cluster: orNull(redisAddresses(REDIS_PORT)).describe(
    'In place of url: nodes of a Redis Cluster, any of them. All keys of a site are in one slot.',
  ),
  tls: orNull(mapping('tls', 'a mapping', redisTlsFields))
    .register(marks, { shown: 'mapping' })
    .describe(
      'Files for TLS; {} is TLS with the usual authorities. Sentinels and nodes are asked over TLS, too.',
    ),
  username: orNull(text()).describe('User of Redis. Default: the user default.'),
  password: orNull(secret()).describe('Its password. Default: none.'),
  prefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, { error: 'expected letters, digits, ".", "-" and "_"' })
    .register(marks, { shown: 'text' })
    .default('lvsd')
    .describe('Begin of all keys and channels: {PREFIX:SITE}.'),
}))

export const redisNode = shortOr(
  z.string().describe('The URL alone.'),
  mapping('redis', 'a mapping with url, sentinels or cluster', redisFields),
  { keys: ['url'], expected: 'a URL, or a mapping with url, sentinels or cluster' },
).register(marks, { shown: 'URL or mapping' })
