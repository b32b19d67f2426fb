import { type Answer, defineCheck, down, type RunContext, up } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { converse, type Dialogue } from './lib/dialogue.js'
import { optionalTls, optionalTlsProblem } from './lib/library.js'
import { command, ReplyError, type Value } from './lib/resp.js'

/** The names of the roles in the reply to ROLE. */
const ROLES = { primary: 'master', replica: 'slave', sentinel: 'sentinel' } as const

function redisOptions(kit: OptionKit) {
  return {
    role: kit.choice(['any', 'primary', 'replica', 'sentinel'], 'any', 'Required role of the server'),
    link: kit.choice(
      ['connected', 'any'],
      'connected',
      'State of the link of a replica to its primary, for role: replica; any: a replica that has lost its primary and serves its last data is up too',
    ),
    get: kit.maybeText('A key that must exist'),
    value: kit.maybeText('Required value of the key'),
    login: kit.maybeText('User name; without one the password is that of the default user'),
    passwd: kit.secret(null, 'Password'),
    database: kit.number(0, 'Number of the database in which the key is looked for'),
    ...optionalTls(kit),
  }
}

type Wanted = Parsed<ReturnType<typeof redisOptions>>

/** Sends PING to a Redis server or compatible server, and optionally checks its role and a key. */
export const check = defineCheck({
  name: 'redis',
  summary: 'sends PING to a Redis server; can also check its role or a key',
  defaultPort: 6379,

  options: redisOptions,

  validate(options) {
    if (options.value !== null && options.get === null)
      return problemOf('value', 'value needs get: the key that has it')
    if (options.login !== null && options.passwd === null) return problemOf('login', 'login needs passwd')
    if (options.link !== 'connected' && options.role !== 'replica')
      return problemOf('link', 'link needs role: replica')
    return optionalTlsProblem(options)
  },

  expects: ({ role, get, value }) => {
    const asked = role === 'any' ? [] : [`the role ${role}`]
    const key =
      get === null ? [] : [value === null ? `a key ${get}` : `the value "${value}" of the key ${get}`]
    return ['PONG', ...asked, ...key].join(', ')
  },

  takesPath: () => true,
  run: (target, options, context) =>
    converse(target, context, options.tls ? options : null, async dialogue => {
      try {
        return await ask(dialogue, options, context)
      } catch (error) {
        if (!(error instanceof ReplyError)) throw error
        return down('status', `the server answers: ${error.message.slice(0, 200)}`)
      }
    }),
})

async function ask(dialogue: Dialogue, options: Wanted, { phase }: RunContext): Promise<Answer> {
  const { role, get: key, login, passwd, database } = options
  if (passwd !== null) await command(dialogue, 'AUTH', ...(login === null ? [passwd] : [login, passwd]))
  const pong = await command(dialogue, 'PING')
  if (pong !== 'PONG') return down('unexpected', `${shown(pong)} to PING, expected PONG`)
  phase('body')
  if (role !== 'any') {
    const wrong = roleProblem(await command(dialogue, 'ROLE'), options)
    if (wrong !== null) return down('unexpected', wrong)
  }
  if (key !== null) {
    if (database !== 0) await command(dialogue, 'SELECT', String(database))
    const wrong = await lookUp(dialogue, key, options.value)
    if (wrong) return wrong
  }
  return up(['PONG', role === 'any' ? [] : role, key === null ? [] : `${key} is there`].flat().join(', '))
}

/** Returns the error in the reply to ROLE, or null. A replica replies with host, port and state of its primary. */
function roleProblem(answer: Value, { role, link }: Wanted): string | null {
  const [is, host, port, state] = Array.isArray(answer) ? (answer as readonly Value[]) : [answer]
  if (role !== 'any' && is !== ROLES[role]) return `the server is ${wordFor(is ?? null)}, expected ${role}`
  if (role !== 'replica' || link === 'any' || state === 'connected') return null
  return `the link of the replica to its primary, ${shown(host)} port ${shown(port)}, is ${shown(state)}, expected "connected"`
}

/** Returns null if the key has the expected value, or exists if none is expected. */
async function lookUp(dialogue: Dialogue, key: string, value: string | null): Promise<Answer | null> {
  if (value === null) {
    const count = await command(dialogue, 'EXISTS', key)
    return Number(count) > 0 ? null : down('unexpected', `there is no key ${shown(key)}`)
  }
  const found = await command(dialogue, 'GET', key)
  if (found === value) return null
  const instead = found === null ? 'nothing' : shown(found)
  return down('unexpected', `${instead} under ${shown(key)}, expected ${shown(value)}`)
}

function wordFor(role: Value): string {
  const [word] = Object.entries(ROLES).find(([, name]) => name === role) ?? []
  return word ?? shown(role)
}

function shown(value: Value | undefined): string {
  return JSON.stringify(String(value).slice(0, 100))
}
