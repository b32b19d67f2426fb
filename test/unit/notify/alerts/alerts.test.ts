/** From events to receivers, on a fake clock; what a receiver answers is scripted. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { endpoint } from '../../../../src/core/address.js'
import type { AlertReceiver } from '../../../../src/core/alert-receiver.js'
import type { ResolvedConfig } from '../../../../src/core/model.js'
import { EventMemory } from '../../../../src/history/event-memory.js'
import { type AmAlert, amAlertOf } from '../../../../src/notify/alerts/alertmanager.js'
import { Alerts } from '../../../../src/notify/alerts/alerts.js'
import { type Attempt, documentOf } from '../../../../src/notify/alerts/transport.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { temporaryFolder } from '../../../support/folder.js'
import { recordingLog } from '../../../support/logs.js'
import { config, failed, real, service } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

const WELL: Attempt = { answer: '200 OK', fault: null, isWorthRetrying: false, wait: 0 }
const refusing = (isWorthRetrying: boolean): Attempt => ({
  answer: 'refused',
  fault: { code: 'ECONNREFUSED', message: 'refused' },
  isWorthRetrying,
  wait: 0,
})

const common = {
  timeout: 10_000,
  secret: null,
  headers: {},
  ca: null,
  events: ['*'],
  services: ['*'],
  severity: 'warning',
} as const
const hook = (name = 'hook', more: Partial<AlertReceiver> = {}): AlertReceiver =>
  ({ ...common, kind: 'webhook', name, url: 'https://x.example/', ...more }) as AlertReceiver
const manager = (...urls: string[]): AlertReceiver => ({ ...common, kind: 'alertmanager', name: 'am', urls })
const command = (): AlertReceiver => ({ ...common, kind: 'command', name: 'page', argv: ['/bin/true'] })

const REALS = Array.from({ length: 8 }, (_, i) => real(`2001:db8::${i + 1}`))
const WEB = service('web', { reals: REALS })
const SHOP = service('shop', { reals: REALS.slice(0, 2) })
const nameOf = (i: number) => endpoint(REALS[i]?.host ?? '', 80)
const SENDER = { host: 'director1', version: '1.0.0' }

/** What a destination got: `down web [2001:db8::1]:80`. */
interface Got {
  readonly destination: string
  readonly at: number
  readonly words: readonly string[]
  readonly document: ReturnType<typeof documentOf>
  readonly am: readonly AmAlert[]
}

interface Site {
  readonly receivers?: readonly AlertReceiver[]
  readonly folder?: string | null
  readonly clock?: FakeClock
  readonly services?: readonly (typeof WEB)[]
  answer?(destination: string): Attempt | Promise<Attempt>
}

async function start({ receivers = [hook()], folder = null, clock = new FakeClock(), ...site }: Site = {}) {
  const { log, lines } = recordingLog('info')
  const now = () => Date.UTC(2026, 10, 28) + clock.now()
  const memory = await EventMemory.open({ folder: null, log, clock, now })
  const got: Got[] = []
  const alerts = await Alerts.open({
    clock,
    now,
    log: memory.log,
    path: folder && join(folder, 'alerts.json'),
    async attempt(receiver, destination, batch) {
      const answer = (await site.answer?.(destination)) ?? WELL
      if (answer.fault) return answer
      const document = documentOf(receiver.name, batch, SENDER)
      const words = document.alerts.map(({ status, alert, service, real }) =>
        [status, alert, service, real].filter(word => word !== null).join(' '),
      )
      got.push({
        destination,
        at: now(),
        words,
        document,
        am: batch.notices.map(notice => amAlertOf(notice, now(), SENDER)),
      })
      return answer
    },
  })
  memory.follow(event => alerts.hear(event))
  const resolved = (alertReceivers: readonly AlertReceiver[], services = site.services ?? [WEB, SHOP]) =>
    ({ ...config(services), alerts: alertReceivers }) as ResolvedConfig
  const follow = (...given: Parameters<typeof resolved>) => alerts.config(resolved(...given))
  follow(receivers)
  const say = {
    down: (i = 0, name = 'web') =>
      memory.log.warn(
        'real.down',
        { service: name, real: nameOf(i), from: 'up', to: 'down', reason: 'refused', detail: 'no' },
        'real server down',
      ),
    up: (i = 0, name = 'web') =>
      memory.log.info(
        'real.up',
        { service: name, real: nameOf(i), from: 'down', to: 'up' },
        'real server up',
      ),
  }
  const wind = async (ms: number) => {
    await settled()
    for (let left = ms; left > 0; left -= 500) {
      clock.wind(Math.min(left, 500))
      await settled()
    }
  }
  return {
    alerts,
    memory,
    say,
    got,
    words: () => got.flatMap(({ words }) => words),
    lines,
    wind,
    follow,
    clock,
  }
}

async function settled() {
  for (let i = 0; i < 4; i++) await new Promise(setImmediate)
}

describe('alerts: a webhook', () => {
  it('is told of each virtual address that another machine answers for, and of the end', async () => {
    const { memory, wind, got } = await start({ receivers: [hook(), manager('http://am1')] })
    const say = (address: string, isOver = false) =>
      memory.log.warn(`address.conflict${isOver ? '-over' : ''}`, { address, services: ['web'] }, address)
    for (const text of ['192.0.2.80', '192.0.2.81', '192.0.2.80']) say(text)
    await wind(3000)
    say('192.0.2.80', true)
    await wind(3000)
    const all = got.filter(({ destination }) => destination === 'hook').flatMap(one => one.document.alerts)
    assert.deepEqual(
      all.map(({ status, event }) => `${status} ${event.address}`),
      ['firing 192.0.2.80', 'firing 192.0.2.81', 'resolved 192.0.2.80'],
    )
    assert.equal(new Set(all.map(({ fingerprint }) => fingerprint)).size, 2)
    const labels = got.flatMap(({ am }) => am.map(one => one.labels.address))
    assert.deepEqual(new Set(labels.filter(Boolean)), new Set(['192.0.2.80', '192.0.2.81']))
  })

  it('is told of each director that is gone or has another configuration, and of its return', async () => {
    const { memory, wind, got } = await start({ receivers: [hook(), manager('http://am1')] })
    const say = (event: 'left' | 'joined' | 'differs' | 'agrees', director: string) =>
      memory.log.warn(`cluster.member-${event}`, { director }, `the director ${director}: ${event}`)
    say('differs', 'a')
    say('left', 'b')
    await wind(3000)
    say('left', 'a')
    say('joined', 'b')
    await wind(3000)
    const ofHook = got.filter(({ destination }) => destination === 'hook')
    assert.deepEqual(
      ofHook.flatMap(({ document: { alerts } }) =>
        alerts.map(({ status, alert, event: { director } }) => [status, alert, director].join(' ')),
      ),
      [
        'firing cluster.member-differs a',
        'firing cluster.member-left b',
        'resolved cluster.member-differs a',
        'firing cluster.member-left a',
        'resolved cluster.member-left b',
      ],
    )
    const prints = ofHook.flatMap(({ document: { alerts } }) => alerts.map(({ fingerprint }) => fingerprint))
    assert.equal(new Set(prints).size, 3)
    const labels = got.flatMap(({ am }) => am.map(({ labels: { member } }) => member))
    assert.deepEqual([...new Set(labels)], ['a', 'b'])
  })

  it('is told that a server is down and that it is up, with the ids of the log', async () => {
    const { say, wind, got, words, lines } = await start()
    say.down()
    await wind(3000)
    say.up()
    await wind(3000)
    assert.deepEqual(words(), [`firing real.down web ${nameOf(0)}`, `resolved real.down web ${nameOf(0)}`])
    const [down, up] = got.flatMap(({ document }) => document.alerts)
    const idOf = (event: string) => lines.find(line => line.event === event)?.id
    assert.deepEqual([down?.event.id, up?.event.id], [idOf('real.down'), idOf('real.up')])
    assert.deepEqual([down?.event.event, up?.event.event], ['real.down', 'real.up'])
    assert.equal(down?.fingerprint, up?.fingerprint)
    assert.equal(down?.startsAt, up?.startsAt)
    assert.equal(down?.summary, `web ${nameOf(0)}: real server down: refused: no`)
    assert.notEqual(up?.endsAt, null)
  })

  it('is told each alert once, whatever begins it again', async () => {
    const { say, wind, words } = await start()
    say.down()
    say.down()
    await wind(3000)
    say.down()
    await wind(60_000)
    assert.deepEqual(words(), [`firing real.down web ${nameOf(0)}`])
  })

  it('gets many alerts in one message', async () => {
    const { say, wind, got } = await start()
    for (let i = 0; i < 8; i++) say.down(i)
    await wind(3000)
    assert.equal(got.length, 1)
    assert.equal(got[0]?.words.length, 8)
  })

  it('gets the alerts of its services, events and severity', async () => {
    const { say, memory, wind, got } = await start({
      receivers: [
        hook('shop', { services: ['sh*'] }),
        hook('critical', { severity: 'critical' }),
        hook('panic', { events: ['service.*'] }),
      ],
    })
    say.down(0, 'web')
    say.down(0, 'shop')
    memory.log.error('service.refused', { service: 'web' }, 'refused')
    memory.log.error('director.isolated', { detail: 'no route' }, 'isolated')
    await wind(3000)
    const told = Object.fromEntries(got.map(({ destination, words }) => [destination, words]))
    assert.deepEqual(told, {
      shop: [`firing real.down shop ${nameOf(0)}`, 'firing director.isolated'],
      critical: ['firing service.refused web', 'firing director.isolated'],
      panic: ['firing service.refused web'],
    })
  })

  it('is not told of a server that is out by an override, but of one that is released while its checks fail', async () => {
    const { alerts, memory, say, wind, words, got } = await start()
    const override = { effect: { kind: 'disable' }, source: 'command', who: 'root' } as never
    const change = { service: WEB, real: REALS[0] as never }
    alerts.override({ ...change, before: null, after: override, failure: null } as never)
    say.down()
    await wind(5000)
    assert.deepEqual(words(), [])
    memory.log.info('override.over', { service: 'web', real: nameOf(0) }, 'no override is left')
    alerts.override({ ...change, before: override, after: null, failure: failed() } as never)
    await wind(5000)
    assert.deepEqual(words(), [`firing real.down web ${nameOf(0)}`])
    assert.equal(got[0]?.document.alerts[0]?.event.event, 'override.over')
  })

  it('is told the end of an alert whose server or service is no longer configured', async () => {
    const { say, wind, words, follow, lines } = await start()
    say.down(0, 'shop')
    say.down(3, 'web')
    await wind(3000)
    follow([hook()], [service('web', { reals: REALS.slice(0, 2) })])
    await wind(3000)
    assert.deepEqual(words().slice(2).sort(), [
      `resolved real.down shop ${nameOf(0)}`,
      `resolved real.down web ${nameOf(3)}`,
    ])
    assert.equal(lines.filter(({ event }) => event === 'alert.ended').length, 2)
  })

  it('gets an alert about a service that the kernel names by its address', async () => {
    const { memory, wind, words } = await start()
    memory.log.error('table.dispute', { service: 'tcp [2001:db8::80]:80', changes: 9, seconds: 1 }, 'dispute')
    await wind(3000)
    memory.log.info('table.dispute-over', { service: 'tcp [2001:db8::80]:80', changes: 9 }, 'over')
    await wind(3000)
    const named = words().map(word => word.replace(/ (?:web|shop)$/, ' NAME'))
    assert.deepEqual(named, ['firing table.dispute NAME', 'resolved table.dispute NAME'])
  })

  it('keeps its queue when it is changed by a reload; a removed one is told nothing more', async () => {
    let isDown = true
    const { say, wind, got, follow } = await start({
      receivers: [hook('a'), hook('b')],
      answer: () => (isDown ? refusing(true) : WELL),
    })
    say.down()
    await wind(5000)
    follow([hook('a', { timeout: 5000 })])
    isDown = false
    await wind(120_000)
    assert.deepEqual(
      got.map(({ destination, words }) => [destination, ...words]),
      [['a', `firing real.down web ${nameOf(0)}`]],
    )
  })

  it('is told what already fires when it is new', async () => {
    const { say, wind, follow, got } = await start({ receivers: [hook('a')] })
    say.down()
    await wind(5000)
    follow([hook('a'), hook('b')])
    await wind(5000)
    assert.deepEqual(got.map(({ destination }) => destination).sort(), ['a', 'b'])
  })

  it('has its failures reported once, and their end', async () => {
    let isDown = true
    const { say, wind, lines, alerts } = await start({ answer: () => (isDown ? refusing(true) : WELL) })
    say.down()
    await wind(10_000)
    say.down(1)
    await wind(30_000)
    isDown = false
    await wind(120_000)
    const told = lines.flatMap(({ event }) => (event.startsWith('alert.') ? [event] : []))
    assert.deepEqual(told, ['alert.failed', 'alert.delivered-again', 'alert.sent', 'alert.sent'])
    const [state] = alerts.status()?.destinations ?? []
    assert.ok((state?.failures ?? 0) > 3)
    assert.deepEqual([state?.sent, state?.lost, state?.waiting, state?.isFailing], [2, 0, 0, false])
  })

  it('is given up after some attempts with growing pauses, within 15 minutes', async () => {
    const times: number[] = []
    const clock = new FakeClock()
    const { say, wind, alerts } = await start({
      clock,
      answer() {
        times.push(clock.now())
        return refusing(true)
      },
    })
    say.down()
    await wind(20 * 60_000)
    assert.equal(times.length, 15)
    const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0))
    for (const [i, pause] of pauses.entries()) {
      const whole = Math.min(1000 * 2 ** i, 60_000)
      assert.ok(pause >= whole / 2 && pause <= whole + 1000, `${pause} after ${i}`)
    }
    assert.ok((times.at(-1) ?? 0) - (times[0] ?? 0) < 15 * 60_000)
    assert.equal(alerts.status()?.destinations[0]?.lost, 1)
  })

  it('that hangs delays nobody else', async () => {
    const { say, wind, got } = await start({
      receivers: [hook('hangs'), hook('b')],
      answer: destination => (destination === 'hangs' ? new Promise(() => {}) : WELL),
    })
    for (let i = 0; i < 5; i++) {
      say.down(i)
      await wind(3000)
    }
    assert.equal(got.filter(({ destination }) => destination === 'b').length, 5)
  })
})

describe('alerts: a command', () => {
  it('is run for each of up to three alerts, and once for more of them', async () => {
    const { say, wind, got } = await start({ receivers: [command()] })
    for (let i = 0; i < 3; i++) say.down(i)
    await wind(3000)
    assert.deepEqual(
      got.map(({ words }) => words.length),
      [1, 1, 1],
    )
    for (let i = 0; i < 4; i++) say.down(i, 'shop')
    await wind(3000)
    assert.equal(got[3]?.words.length, 4)
  })
})

describe('alerts: Alertmanagers', () => {
  const URLS = ['http://one.example:9093', 'http://two.example:9093']

  it('get each alert, again before it expires there, and its end', async () => {
    const { say, wind, got } = await start({ receivers: [manager(...URLS)] })
    say.down()
    await wind(200_000)
    say.up()
    await wind(3000)
    for (const url of URLS) {
      const mine = got.filter(({ destination }) => destination === `am ${url}`)
      const firing = mine.filter(({ words }) => words[0]?.startsWith('firing'))
      assert.ok(firing.length >= 4)
      for (const [i, one] of firing.entries()) {
        const next = firing[i + 1]
        if (next) assert.ok(Date.parse(one.am[0]?.endsAt ?? '') - next.at > 60_000)
      }
      const last = mine.at(-1)
      assert.deepEqual(last?.words, [`resolved real.down web ${nameOf(0)}`])
      assert.ok(Date.parse(last?.am[0]?.endsAt ?? '') <= last.at)
      assert.equal(new Set(mine.map(({ am }) => am[0]?.startsAt)).size, 1)
      assert.equal(new Set(mine.map(({ am }) => JSON.stringify(am[0]?.labels))).size, 1)
    }
  })

  it('get nothing any more some minutes after all is over', async () => {
    const { say, wind, got } = await start({ receivers: [manager(...URLS)] })
    say.down()
    await wind(5000)
    say.up()
    await wind(10 * 60_000)
    const count = got.length
    await wind(10 * 60_000)
    assert.equal(got.length, count)
  })

  it('are told the state of the moment when they are reachable again', async () => {
    let isDown = true
    const { say, wind, words } = await start({
      receivers: [manager('http://one.example:9093')],
      answer: () => (isDown ? refusing(true) : WELL),
    })
    say.down(0)
    await wind(5000)
    say.down(1)
    say.up(0)
    await wind(300_000)
    isDown = false
    await wind(60_000)
    assert.deepEqual([...new Set(words())], [`firing real.down web ${nameOf(1)}`])
  })
})

describe('alerts: a restart', () => {
  it('repeats no message, and tells the end of what is over', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    const first = await start({ folder, clock })
    first.say.down(0)
    first.say.down(1)
    await first.wind(5000)
    await first.alerts.close()
    const second = await start({ folder, clock })
    second.alerts.phase('running')
    second.say.down(0)
    await second.wind(5000)
    assert.deepEqual(second.words(), [])
    second.say.up(1)
    await second.wind(5000)
    assert.deepEqual(second.words(), [`resolved real.down web ${nameOf(1)}`])
    const begun = (run: typeof first) =>
      run.got.flatMap(({ document }) => document.alerts).find(({ real }) => real === nameOf(1))
    assert.equal(begun(second)?.fingerprint, begun(first)?.fingerprint)
    await second.alerts.close()
    const third = await start({ folder, clock })
    await third.wind(5000)
    assert.deepEqual(third.words(), [])
    await third.alerts.close()
  })

  it('repeats no message after kill -9, if a second has passed', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    const first = await start({ folder, clock })
    first.say.down(0)
    await first.wind(5000)
    const path = join(folder, 'alerts.json')
    await until(() => existsSync(path) && readFileSync(path, 'utf8').includes('"told":["hook"]'))
    const second = await start({ folder, clock })
    second.say.down(0)
    second.say.up(0)
    await second.wind(5000)
    assert.deepEqual(second.words(), [`resolved real.down web ${nameOf(0)}`])
    await second.alerts.close()
  })

  it('leaves no file where there was no alert', async () => {
    const folder = temporaryFolder()
    const { alerts } = await start({ folder })
    await alerts.close()
    assert.deepEqual(readdirSync(folder), [])
  })

  it('delivers what was not delivered before it', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    let isDown = false
    const first = await start({ folder, clock, answer: () => (isDown ? refusing(true) : WELL) })
    first.say.down(0)
    await first.wind(5000)
    isDown = true
    first.say.up(0)
    first.say.down(1)
    await first.wind(5000)
    const closing = first.alerts.close()
    await first.wind(10_000)
    await closing
    const second = await start({ folder, clock })
    await second.wind(5000)
    assert.deepEqual(second.words().sort(), [
      `firing real.down web ${nameOf(1)}`,
      `resolved real.down web ${nameOf(0)}`,
    ])
    await second.alerts.close()
  })

  it('ends alerts about lvsd itself that do not occur again, and keeps those that do', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    const first = await start({ folder, clock })
    first.memory.log.error('kernel.refused', { kernel: 'no' }, 'the kernel refused a change')
    first.memory.log.error('director.isolated', { detail: 'no route' }, 'isolated')
    await first.wind(5000)
    await first.alerts.close()
    const second = await start({ folder, clock })
    second.alerts.phase('running')
    await second.wind(30_000)
    second.memory.log.error('director.isolated', { detail: 'no route' }, 'isolated')
    await second.wind(60_000)
    assert.deepEqual(second.words(), ['resolved kernel.refused'])
    await second.alerts.close()
  })

  it('ends the alert of a service that is available at the start', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    const first = await start({ folder, clock })
    first.memory.log.error('service.fallback-in', { service: 'web', fallback: 'f' }, 'web: fallback')
    await first.wind(5000)
    await first.alerts.close()
    const second = await start({ folder, clock })
    second.alerts.traffic(WEB, true, null)
    await second.wind(5000)
    assert.deepEqual(second.words(), ['resolved service.fallback-in web'])
    await second.alerts.close()
  })

  it('keeps the startsAt of what fires in Alertmanagers', async () => {
    const folder = temporaryFolder()
    const clock = new FakeClock()
    const receivers = [manager('http://one.example:9093')]
    const first = await start({ folder, clock, receivers })
    first.say.down(0)
    await first.wind(5000)
    await first.alerts.close()
    const second = await start({ folder, clock, receivers })
    await second.wind(5000)
    assert.deepEqual(second.got[0]?.words, [`firing real.down web ${nameOf(0)}`])
    assert.equal(second.got[0]?.am[0]?.startsAt, first.got[0]?.am[0]?.startsAt)
    second.say.up(0)
    await second.wind(5000)
    assert.deepEqual(second.got.at(-1)?.words, [`resolved real.down web ${nameOf(0)}`])
    await second.alerts.close()
  })
})

describe('alerts: any course of events', () => {
  const step = fc.record({
    real: fc.nat(3),
    isDown: fc.boolean(),
    wait: fc.constantFrom(0, 0, 500, 2500, 7000, 61_000),
    fails: fc.constantFrom(false, false, false, true),
  })

  it('is told to a webhook as firing and resolved in turn, and at last as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        let fails = false
        const { say, wind, got, alerts } = await start({ answer: () => (fails ? refusing(true) : WELL) })
        const isDown = [false, false, false, false]
        for (const one of steps) {
          fails = one.fails
          if (one.isDown) say.down(one.real)
          else say.up(one.real)
          isDown[one.real] = one.isDown
          await wind(one.wait)
        }
        fails = false
        await wind(200_000)
        for (const [i, down] of isDown.entries()) {
          const mine = got.flatMap(({ document }) => document.alerts.filter(({ real }) => real === nameOf(i)))
          for (const [n, { status, fingerprint }] of mine.entries()) {
            assert.equal(status, n % 2 === 0 ? 'firing' : 'resolved')
            if (n % 2 === 1) assert.equal(fingerprint, mine[n - 1]?.fingerprint)
          }
          assert.equal(mine.length % 2 === 1, down)
        }
        assert.equal(alerts.status()?.destinations[0]?.waiting, 0)
      }),
      { numRuns: 30 },
    )
  })
})
