import type { Socket } from 'node:net'
import type { Redis } from 'ioredis'
import { type Answer, defineCheck, down, type RunContext, up } from '../src/check.js'
import type { OptionKit, Parsed } from '../src/options.js'
import { open } from './_connect.js'
import { optionalTls, optionalTlsProblem, through } from './_library.js'

/** What ROLE calls them. */
const ROLES = { primary: 'master', replica: 'slave', sentinel: 'sentinel' } as const

function redisOptions(kit: OptionKit) {
  return {
    role: kit.choice(['any', 'primary', 'replica', 'sentinel'], 'any', 'What the server must be'),
    get: kit.maybeText('A key that must exist'),
    value: kit.maybeText('What must stand under the key'),
    login: kit.maybeText('User name; without one the password is that of the default user'),
    passwd: kit.secret(null, 'Password'),
    database: kit.number(0, 'Number of the database in which the key is looked for'),
    ...optionalTls(kit),
  }
}

type Wanted = Parsed<ReturnType<typeof redisOptions>>

/** Asks a Redis server, or another that speaks its protocol, for a PONG, and perhaps for its role and for a key. */
export const check = defineCheck({
  name: 'redis',
  summary: 'asks a Redis server for a PONG, and perhaps for its role or a key',
  defaultPort: 6379,

  options: redisOptions,

  validate(options) {
    if (options.value !== null && options.get === null) return 'value needs get: the key that has it'
    if (options.login !== null && options.passwd === null) return 'login needs passwd'
    return optionalTlsProblem(options)
  },

  run: (target, options, context) =>
    through(open(target, options.tls ? options : null, context), context, async socket => {
      const redis = await clientOn(socket)
      try {
        await redis.connect()
        return await ask(redis, options, context)
      } catch (error) {
        const { name, message } = error as Error
        if (name !== 'ReplyError') throw error
        return down('status', `the server answers: ${message.slice(0, 200)}`)
      } finally {
        redis.disconnect()
      }
    }),
})

/** A client that speaks on this connection, makes no other, and says nothing of its own accord. */
async function clientOn(socket: Socket): Promise<Redis> {
  const { AbstractConnector, Redis } = await import('ioredis')
  class Standing extends AbstractConnector {
    constructor() {
      super(0)
    }
    override connect() {
      this.stream = socket
      return Promise.resolve(socket)
    }
  }
  const redis = new Redis({
    Connector: Standing,
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
    disableClientInfo: true,
    // Servers older than 6, and many proxies, know no other.
    protocol: 2,
  })
  // Where one is of use it comes as the rejection of a command.
  redis.on('error', () => {})
  return redis
}

async function ask(redis: Redis, options: Wanted, { phase }: RunContext): Promise<Answer> {
  const { role, get: key, login, passwd, database } = options
  // Not left to the client, which prints a word of its own where the server wants no password.
  if (passwd !== null) await redis.call('AUTH', ...(login === null ? [passwd] : [login, passwd]))
  const pong = await redis.ping()
  if (pong !== 'PONG') return down('unexpected', `${shown(pong)} to PING, expected PONG`)
  phase('body')
  if (role !== 'any') {
    const [is] = [await redis.call('ROLE')].flat()
    if (is !== ROLES[role]) return down('unexpected', `the server is ${wordFor(is)}, expected ${role}`)
  }
  if (key !== null) {
    if (database !== 0) await redis.select(database)
    const wrong = await lookUp(redis, key, options.value)
    if (wrong) return wrong
  }
  return up(['PONG', role === 'any' ? [] : role, key === null ? [] : `${key} is there`].flat().join(', '))
}

/** Null where the key is as it should be. */
async function lookUp(redis: Redis, key: string, value: string | null): Promise<Answer | null> {
  if (value === null)
    return (await redis.exists(key)) > 0 ? null : down('unexpected', `there is no key ${shown(key)}`)
  const found = await redis.get(key)
  if (found === value) return null
  const instead = found === null ? 'nothing' : shown(found)
  return down('unexpected', `${instead} under ${shown(key)}, expected ${shown(value)}`)
}

function wordFor(role: unknown): string {
  const [word] = Object.entries(ROLES).find(([, name]) => name === role) ?? []
  return word ?? shown(role)
}

function shown(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 100))
}
