/** Overrides of a site with a real Redis: two operators at once, partitions, and two daemons with the commands. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchStatus } from '../../../src/api/client.js'
import { RedisOverrideStore } from '../../../src/cluster/overrides/override-store.js'
import { type SiteOutcome, SiteOverrides } from '../../../src/cluster/overrides/site-overrides.js'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import { CommandOverrides, type Target, targetOf } from '../../../src/overrides/command-overrides.js'
import { WindowOverrides } from '../../../src/overrides/window-overrides.js'
import { systemClock } from '../../../src/util/clock.js'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import {
  aclServer,
  LOGIN,
  type RedisServer,
  redisProgram,
  redisSettings,
} from '../../support/redis-server.js'
import { type Relay, relayTo } from '../../support/relay.js'
import { config, real, service } from '../../support/tables.js'
import { until } from '../../support/until.js'

const MAIN = installed('main')
const REALS = [1, 2, 3, 4].map(n => real(`fd00:1::${n}`))
const WEB = service('web', { reals: REALS })
/** Overrides that two operators give and end. SITE_OPERATIONS=1000 for the long form. */
const OPERATIONS = Number(process.env.SITE_OPERATIONS ?? 200)

class Director {
  readonly client: RedisClient
  readonly commands: CommandOverrides
  readonly site: SiteOverrides
  readonly relay: Relay
  readonly #recorded = recordingLog()

  constructor(name: string, relay: Relay) {
    const { log } = this.#recorded
    const clock = { now: Date.now, alarm: systemClock.alarm }
    this.relay = relay
    this.client = new RedisClient({ log, open: openApart })
    this.commands = new CommandOverrides({ path: null, log, onChange: () => {}, ...clock })
    this.site = new SiteOverrides({
      store: new RedisOverrideStore(this.client),
      commands: this.commands,
      windows: new WindowOverrides({ log, onChange: () => {} }),
      log,
      isOn: () => true,
      director: name,
      path: null,
      clock,
    })
    this.commands.follow(config([WEB]))
    this.client.follow('berlin', redisSettings(relay.port, LOGIN))
    this.site.start()
    onCleanup(async () => {
      await this.site.close(1000)
      this.client.close()
    })
  }

  get inForce(): Record<string, string> {
    return Object.fromEntries(
      this.commands.orders.map(({ id, override: { who } }) => [id, who] as const).sort(),
    )
  }

  get lost(): string[] {
    const { lines } = this.#recorded
    return lines.flatMap(({ event, lost }) => (event === 'override.conflict' ? [String(lost)] : []))
  }
}

describe('overrides of a site', function () {
  this.timeout(120_000)
  let file = ''
  let server: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
  })
  beforeEach(async () => {
    server = await aclServer(file)
  })

  it('lose none and overwrite none unseen: two operators at once, with partitions', async () => {
    const directors = await Promise.all(
      ['a', 'b'].map(async name => new Director(name, await relayTo(server.port))),
    )
    for (const { client } of directors) await until(() => client.status.state === 'connected')
    interface Asked {
      readonly who: string
      readonly id: string
      readonly knew: string | null
      readonly kind: 'given' | 'ended' | 'not done'
    }
    const asked: Asked[] = []
    const outcomes = { done: 0, changed: 0, away: 0 }
    const operate = async (director: Director, n: number) => {
      const who = `#${n}`
      const target = targetOf(WEB, REALS[(n >> 1) % REALS.length] ?? null)
      const effect = { kind: 'weight', weight: 1 + (n % 50) } as const
      const now = Date.now()
      const isEnd = n % 7 === 4
      const orders = isEnd
        ? director.commands.having([target], ['weight'])
        : director.commands.prepared([target], {
            effect,
            source: 'command',
            who,
            reason: '',
            since: now,
            until: null,
          })
      const [first] = orders
      if (!first) return
      const knew = director.inForce[first.id] ?? null
      const { kind } = await director.site.change(orders, {
        isLocal: n % 3 === 0,
        endedBy: isEnd ? who : null,
      })
      outcomes[kind]++
      asked.push({
        who,
        id: first.id,
        knew,
        kind: kind === 'done' ? (isEnd ? 'ended' : 'given') : 'not done',
      })
    }
    for (let n = 0; n < OPERATIONS; n += 2) {
      for (const [i, { relay, client }] of directors.entries()) {
        const isCut = Math.floor(n / 20) % 4 === 1 + i
        if (isCut) relay.cut()
        else relay.join()
        const wanted = isCut ? 'away' : 'connected'
        await until(() => client.status.state === wanted, { what: wanted })
      }
      if (n === OPERATIONS / 2) await server.tell(['FLUSHALL'])
      await Promise.all(directors.map((director, i) => operate(director, n + i)))
    }
    for (const { relay } of directors) relay.join()
    const [a, b] = directors
    assert.ok(a && b)
    const isSettled = () =>
      a.site.pending + b.site.pending === 0 && JSON.stringify(a.inForce) === JSON.stringify(b.inForce)
    await until(
      () => isSettled() && a.client.status.state === 'connected' && b.client.status.state === 'connected',
      {
        what: () => JSON.stringify([a.inForce, b.inForce, a.site.pending, b.site.pending]),
      },
    )
    const told = [...a.lost, ...b.lost]
    for (const { who, id, kind } of asked) {
      if (kind !== 'given') continue
      const isKnown = asked.some(later => later.id === id && later.knew === who)
      assert.ok(
        a.inForce[id] === who || isKnown || told.some(lost => lost.startsWith(`given by ${who} on `)),
        `${who} is lost without a word`,
      )
    }
    assert.ok(
      Math.min(outcomes.done, outcomes.changed, outcomes.away, told.length) > 0,
      JSON.stringify(outcomes),
    )
    console.log(`      ${JSON.stringify(outcomes)}, ${told.length} conflicts told`)
  })

  it('change for all addresses of a server or for none, where another operator changes one of them', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async name => new Director(name, await relayTo(server.port))),
    )
    assert.ok(a && b)
    for (const { client } of [a, b]) await until(() => client.status.state === 'connected')
    const [six, four] = [targetOf(WEB, REALS[0] ?? null), targetOf(WEB, REALS[1] ?? null)]
    const kinds = { a: 0, b: 0 }
    for (let round = 0; round < 20; round++) {
      const give = (director: Director, who: string, targets: readonly Target[]) => {
        const effect = { kind: 'weight', weight: 1 + round } as const
        const more = { source: 'command', reason: '', since: Date.now(), until: null } as const
        const orders = director.commands.prepared(targets, { effect, who, ...more })
        return director.site.change(orders, { isLocal: false, endedBy: null })
      }
      const both = (): Promise<SiteOutcome> => give(a, `a${round}`, [six, four])
      const one = (): Promise<SiteOutcome> => give(b, `b${round}`, [four])
      const outcomes: SiteOutcome[] = await Promise.all(round % 2 === 0 ? [both(), one()] : [one(), both()])
      assert.deepEqual(outcomes.map(({ kind }) => kind).sort(), ['changed', 'done'])
      await until(() => JSON.stringify(a.inForce) === JSON.stringify(b.inForce))
      const heldBy = ({ key, real }: Target): string => a.inForce[`${key} ${real} weight`] ?? ''
      const [ofSix, ofFour]: readonly [string, string] = [heldBy(six), heldBy(four)]
      if (ofFour === `a${round}`) assert.equal(ofSix, ofFour)
      else assert.deepEqual([ofFour, ofSix === `a${round}`], [`b${round}`, false])
      kinds[ofFour.startsWith('a') ? 'a' : 'b']++
    }
    assert.ok(kinds.a > 0 && kinds.b > 0, JSON.stringify(kinds))
  })

  it('are heard by a director that moves to another site', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map(async name => new Director(name, await relayTo(server.port))),
    )
    assert.ok(a && b)
    for (const { client, relay } of [a, b]) client.follow('hamburg', redisSettings(relay.port, LOGIN))
    for (const { client } of [a, b]) await until(() => client.status.state === 'connected')
    await b.site.close(1000)
    let news = 0
    onCleanup(new RedisOverrideStore(b.client).onNews(() => news++))
    b.client.follow('berlin', redisSettings(b.relay.port, LOGIN))
    a.client.follow('berlin', redisSettings(a.relay.port, LOGIN))
    for (const { client } of [a, b]) await until(() => client.status.state === 'connected')
    await until(() => news > 0, { what: 'the channel is heard' })
    const before = news
    const drain = {
      effect: { kind: 'drain' },
      source: 'command',
      who: 'anna',
      reason: '',
      since: 0,
      until: null,
    } as const
    const orders = a.commands.prepared([targetOf(WEB, null)], drain)
    assert.equal((await a.site.change(orders, { isLocal: false, endedBy: null })).kind, 'done')
    await until(() => news > before, { what: 'news' })
  })

  function director(name: string): { readonly socket: string; readonly child: ChildProcess } {
    const folder = temporaryFolder()
    const site = join(folder, 'site.yaml')
    const begun = new Date(Date.now() - 600_000)
    writeFileSync(
      site,
      `cluster: { site: berlin, redis: { url: 'redis://[::1]:${server.port}', username: lvsd, password: geheim } }
services:
  web: { virtual: '[2001:db8::80]:80', check: 'on', reals: ['[fd00:1::1]:80', '[fd00:1::2]:80'] }
  mail:
    virtual: '[2001:db8::25]:25'
    check: 'on'
    windows: [{ at: '${begun.getUTCMinutes()} ${begun.getUTCHours()} * * *', zone: UTC, for: 6h }]
    reals: ['[fd00:1::3]:25']
`,
    )
    const socket = join(folder, `${name}.sock`)
    const words = ['run', site, '--kernel', 'memory', '--socket', socket, '--state', folder]
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: 'ignore' })
    onCleanup(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    })
    return { socket, child }
  }

  const weightOf = async (socket: string, name = 'web') => {
    const { services } = await fetchStatus(socket)
    return services.find(one => one.name === name)?.reals[0]?.weight.kernel
  }

  const command = (socket: string, ...words: readonly string[]) =>
    new Promise<{ readonly code: unknown; readonly output: string }>(resolve => {
      execFile(process.execPath, [MAIN, ...words, '--socket', socket], (error, stdout, stderr) =>
        resolve({ code: error?.code ?? 0, output: stdout + stderr }),
      )
    })

  it('by commands: a drain is in force on the other director, and one is refused while Redis is silent', async () => {
    const [a, b] = [director('a'), director('b')]
    for (const { socket } of [a, b]) {
      const isConnected = async () => (await fetchStatus(socket)).cluster?.redis?.state === 'connected'
      await until(() => isConnected().catch(() => false), { what: 'a director with Redis' })
      await until(async () => (await weightOf(socket)) === 1, { what: 'a table' })
    }
    const drained = await command(a.socket, 'drain', 'web/::1', '--reason', 'disk swap')
    assert.equal(drained.code, 0, drained.output)
    await until(async () => (await weightOf(b.socket)) === 0, { what: 'the drain on the other director' })
    const shown = await fetchStatus(b.socket)
    assert.equal(shown.services.find(({ name }) => name === 'web')?.reals[0]?.override?.reason, 'disk swap')
    const ended = await command(a.socket, 'windows', 'end', 'mail/::3')
    assert.equal(ended.code, 0, ended.output)
    await until(async () => (await weightOf(b.socket, 'mail')) === 1, {
      what: 'the end of the window on the other director',
    })
    const events = async () => {
      const { code, output } = await command(a.socket, 'events', '--site', '--event', 'override.*')
      return { code, output: output.replace(/^.* mail\/.*\n/gm, '') }
    }
    await until(async () => (await events()).output.split('\n').length > 2, {
      what: 'the events of both directors',
    })
    const { output, code } = await events()
    assert.equal(code, 0, output)
    assert.equal(output.trimEnd().split('\n').length, 2, output)
    assert.match(output, /: web\/\[fd00:1::1\]:80 {2}override: drain by .*disk swap/)
    server.signal('SIGSTOP')
    const refused = await command(b.socket, 'undrain', 'web/::1')
    assert.equal(refused.code, 1, refused.output)
    assert.match(refused.output, /the Redis of the site cannot be used.*nothing has changed\. With --local/s)
    const local = await command(b.socket, 'undrain', 'web/::1', '--local')
    assert.equal(local.code, 0, local.output)
    assert.match(local.output, /On this director alone/)
    assert.deepEqual([await weightOf(b.socket), await weightOf(a.socket)], [1, 0])
    server.signal('SIGCONT')
    await until(async () => (await weightOf(a.socket)) === 1, { what: 'the end of the drain everywhere' })
  })
})
