/**
 * Two directors with all that they share, one with a clock an hour off, and each fault of a real Redis in turn: told once,
 * survived, and everything works afterwards without a restart.
 */
import assert from 'node:assert/strict'
import { AlertClaims } from '../../../src/cluster/alert-claims.js'
import { Identity } from '../../../src/cluster/identity.js'
import { Members } from '../../../src/cluster/members.js'
import { RedisOverrideStore } from '../../../src/cluster/overrides/override-store.js'
import { SiteOverrides } from '../../../src/cluster/overrides/site-overrides.js'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import { RoleLease } from '../../../src/cluster/role/role-lease.js'
import { SiteEvents } from '../../../src/cluster/site-events.js'
import type { SharedVerdicts } from '../../../src/cluster/verdicts/shared-verdicts.js'
import { VerdictLink } from '../../../src/cluster/verdicts/verdict-link.js'
import type { Said } from '../../../src/cluster/verdicts/verdict-types.js'
import { claimName } from '../../../src/core/alert-claim.js'
import type { RedisReason } from '../../../src/core/redis-fault.js'
import { EventMemory } from '../../../src/history/event-memory.js'
import { CommandOverrides, targetOf } from '../../../src/overrides/command-overrides.js'
import { WindowOverrides } from '../../../src/overrides/window-overrides.js'
import { steadyNow, systemClock } from '../../../src/util/clock.js'
import { onCleanup } from '../../support/after-each.js'
import { freePort } from '../../support/checks/programs.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import { type RedisServer, redisProgram, redisServer, redisSettings } from '../../support/redis-server.js'
import { config, service } from '../../support/tables.js'
import { until } from '../../support/until.js'

const WEB = service('web', {})
const HEARTBEAT = 400
const OPERATOR = { username: 'admin', password: 'x' }
const ABOUT = ['mail', 'web']

class Director {
  readonly redis: RedisClient
  readonly identity: Identity
  readonly commands: CommandOverrides
  readonly overrides: SiteOverrides
  readonly lease: RoleLease
  readonly members: Members
  readonly memory: EventMemory
  readonly events: SiteEvents
  readonly claims: AlertClaims
  role = 'unknown'
  /** Signs of life of the other director. */
  heard = 0
  /** Milliseconds of its wall clock. */
  readonly now: () => number
  readonly #recorded = recordingLog()

  constructor(name: string, port: number, skew: number) {
    const { log } = this.#recorded
    this.now = () => Date.now() + skew
    const clock = { now: this.now, alarm: systemClock.alarm }
    this.redis = new RedisClient({ log, open: openApart })
    this.identity = new Identity(null, log, name)
    const { redis, identity } = this
    this.commands = new CommandOverrides({ path: null, log, onChange: () => {}, ...clock })
    this.commands.follow(config([WEB]))
    this.overrides = new SiteOverrides({
      store: new RedisOverrideStore(redis),
      commands: this.commands,
      windows: new WindowOverrides({ log, onChange: () => {}, ...clock }),
      log,
      isOn: () => true,
      director: name,
      path: null,
      clock,
    })
    this.members = new Members({
      redis,
      identity,
      log,
      self: () => ({ role: 'standby', config: { hash: 'c0ffee', services: {} } }),
    })
    this.memory = EventMemory.inMemory(log)
    this.events = new SiteEvents({ redis, self: identity, memory: this.memory, log })
    this.claims = new AlertClaims({ clock: systemClock, now: this.now })
    this.claims.attach({ redis, self: identity })
    const said: Said = {
      ...{
        id: identity.id,
        host: name,
        instance: identity.instance,
        version: 0,
        base: 0,
        heartbeat: HEARTBEAT,
        oldest: null,
      },
      ...{ isAble: true, config: 'c0ffee', votes: [], gone: [] },
    }
    const verdicts = {
      ...{ look: () => {}, told: () => {}, replace: () => {}, loaded: () => {}, mayHaveMissed: () => {} },
      ...{ hasNews: false, toSay: () => said, allToSay: () => said },
      heard: ({ id }: Said) => {
        if (id !== identity.id) this.heard++
        return true
      },
    }
    const link = new VerdictLink({
      redis,
      verdicts: verdicts as unknown as SharedVerdicts,
      log,
      now: () => steadyNow() + skew,
    })
    redis.follow('berlin', redisSettings(port))
    const onReport = ({ role }: { role: string }) => {
      this.role = role
    }
    this.lease = new RoleLease({ redis, identity, length: 1000, log, onReport })
    this.members.follow(HEARTBEAT)
    this.overrides.start()
    this.events.start()
    link.follow(HEARTBEAT)
    onCleanup(async () => {
      this.lease.close()
      link.follow(null)
      await Promise.all([this.overrides.close(1000), this.events.close(), this.members.close()])
      redis.close()
    })
  }

  get told(): readonly string[] {
    return this.#recorded.lines.map(({ event, reason }) => [event, reason].filter(Boolean).join(' '))
  }

  /** Gives the weight to the service. */
  async give(weight: number): Promise<string> {
    const now = this.now()
    const what = { effect: { kind: 'weight', weight }, source: 'command', who: 'anna' } as const
    const override = { ...what, reason: '', since: now, until: null }
    const orders = this.commands.prepared([targetOf(WEB, null)], override)
    return (await this.overrides.change(orders, { isLocal: false, endedBy: null })).kind
  }

  get weight(): number | null {
    const [order] = this.commands.orders
    return order?.override.effect.kind === 'weight' ? order.override.effect.weight : null
  }

  /** Claims a message about an event of this moment. */
  share(n: number) {
    const telling = { about: [...ABOUT, String(n)], at: this.now(), print: `${n}` }
    return this.claims.share([n], () => telling)
  }
}

describe('everything that directors share, with each fault of Redis', function () {
  this.timeout(120_000)
  let file = ''
  let server: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
  })

  async function tell(...commands: readonly (readonly string[])[]): Promise<void> {
    const { connection, close } = await server.operator(OPERATOR)
    try {
      for (const [name = '', ...args] of commands) await connection.send(name as never, args)
    } finally {
      close()
    }
  }

  it('is told once, survived, and works again, also with a clock an hour off', async () => {
    const users = `user default on nopass ~* &* +@all\nuser admin on >${OPERATOR.password} ~* &* +@all\n`
    server = await redisServer({
      file,
      port: await freePort(),
      options: ['--aclfile', '{FOLDER}/users.acl'],
      files: { 'users.acl': users },
    })
    const a = new Director('a', server.port, 0)
    const b = new Director('b', server.port, 3_600_000)
    const both = [a, b]
    let round = 0

    const works = async (what: string) => {
      const n = ++round
      const state = () =>
        `${what}: ${JSON.stringify(both.map(each => [each.role, each.heard, each.weight, each.redis.status.state, ...each.told.slice(-3)]))}`
      const waitFor = (part: string, holds: () => boolean | Promise<boolean>) =>
        until(holds, { what: () => `${part} after ${state()}` })
      await waitFor('Redis', () => both.every(({ redis }) => redis.status.state === 'connected'))
      await waitFor('an override', async () => (await a.give(n)) === 'done')
      await waitFor('the override there', () => b.weight === n)
      a.memory.log.warn('real.down', { service: 'web', real: `${n}` }, `down ${n}`)
      await waitFor('the event there', async () => {
        const found = await b.events.read({ limit: 1 }).catch(() => [])
        return found[0]?.real === `${n}`
      })
      await waitFor('one active director', () => {
        const roles = both.map(({ role }) => role).sort()
        return roles.join() === 'active,standby' && a.lease.holder?.id === b.lease.holder?.id
      })
      await waitFor('both members', () => both.every(({ members }) => members.living.length === 2))
      const before = both.map(({ heard }) => heard)
      await waitFor('verdicts', () => both.every(({ heard }, i) => heard > (before[i] ?? 0)))
      const mine = await a.share(n)
      await mine.end(true)
      const [first, second] = [mine.mine, (await b.share(n)).told]
      assert.deepEqual([first, second], [[n], [n]], `a claim after ${state()}`)
    }

    const ids = () => both.map(({ identity }) => identity.id)
    const keys = () => [
      ...['overrides', 'lease', 'lease-token', 'events', 'members', 'config:c0ffee'],
      ...ids().flatMap(id => [`events-of:${id}`, `member:${id}`, `verdicts:${id}`]),
      `alert:${claimName([...ABOUT, String(round + 1)])}`,
    ]
    const full = (name: string) => `{lvsd:berlin}:${name}`
    const spoil = `for _, key in ipairs(KEYS) do
      local isList = redis.call('TYPE', key).ok == 'hash'
      redis.call('DEL', key)
      if isList then redis.call('SADD', key, 'x') else redis.call('HSET', key, 'x', 'y') end
    end`
    const many = `for i = 1, 3000 do redis.call('SET', 'many' .. i, string.rep('x', 2000), 'PX', 600000) end`
    const restart = ['--key-load-delay', '2000', '--loading-process-events-interval-bytes', '1024']
    const cases: readonly {
      readonly reason: RedisReason | null
      wrong(): Promise<unknown>
      right(): Promise<unknown>
    }[] = [
      {
        reason: 'OOM',
        wrong: () => tell(['CONFIG', 'SET', 'maxmemory', '1']),
        right: () => tell(['CONFIG', 'SET', 'maxmemory', '0']),
      },
      {
        reason: 'READONLY',
        wrong: () => tell(['REPLICAOF', '::1', '9']),
        right: () => tell(['REPLICAOF', 'NO', 'ONE']),
      },
      {
        reason: 'NOAUTH',
        wrong: () => tell(['ACL', 'SETUSER', 'default', '>secret'], ['CLIENT', 'KILL', 'USER', 'default']),
        right: () => tell(['ACL', 'SETUSER', 'default', 'nopass']),
      },
      {
        reason: 'WRONGTYPE',
        wrong: () => tell(['EVAL', spoil, `${keys().length}`, ...keys().map(full)]),
        right: () => tell(['DEL', ...keys().map(full)]),
      },
      {
        reason: 'LOADING',
        wrong: async () => {
          await tell(['EVAL', many, '0'], ['SAVE'])
          await server.kill()
          await server.start(...restart)
        },
        right: () => tell(['CONFIG', 'SET', 'key-load-delay', '0']),
      },
      { reason: null, wrong: () => tell(['FLUSHALL']), right: async () => {} },
    ]

    await works('the start')
    for (const { reason, wrong, right } of cases) {
      const [had, weight] = [both.map(({ told }) => told.length), b.weight]
      await wrong()
      if (reason !== null) {
        for (const { redis, told } of both)
          await until(() => redis.status.state === 'away' && redis.status.fault?.reason === reason, {
            what: () => `${reason}: ${told.join()} ${JSON.stringify(redis.status)}`,
          })
        assert.deepEqual([a.weight, b.weight], [weight, weight], `what is in force stays: ${reason}`)
      }
      await right()
      await works(reason ?? 'FLUSHALL')
      for (const [i, { told }] of both.entries()) {
        const lines = told.slice(had[i]).filter(line => /^redis|conflict|left|error/.test(line))
        const words = lines.map(line => line.split(' ')[0])
        assert.deepEqual(words, reason === null ? [] : ['redis.away', 'redis.back'], `${reason}: ${lines}`)
      }
    }
  })
})
