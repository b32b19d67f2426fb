import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../src/core/model.js'
import type { Effect, Override } from '../../../src/core/override.js'
import { CommandOverrides, targetOf } from '../../../src/overrides/command-overrides.js'
import { lineFor } from '../../../src/storage/checked-line.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service, serviceId } from '../../support/tables.js'

const DAY = 86_400_000
const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const WEB = service('web', { reals: [ONE, TWO] })
const MAIL = service('mail', { id: serviceId('2001:db8::25', 25), reals: [ONE] })
const SITE = config([WEB, MAIL])

function override(effect: Effect, change: Partial<Override> = {}): Override {
  return { effect, source: 'command', who: 'anna', reason: 'disk swap', since: 0, until: null, ...change }
}

const DRAIN = override({ kind: 'drain' })

async function stage(path = join(temporaryFolder(), 'overrides.json'), clock = new FakeClock()) {
  const { log, lines } = recordingLog()
  const state = { changes: 0 }
  const overrides = new CommandOverrides({
    path,
    log,
    onChange: () => state.changes++,
    now: clock.now,
    alarm: clock.alarm,
  })
  await overrides.load()
  return { overrides, clock, path, lines, state, again: () => stage(path, clock) }
}

describe('CommandOverrides', () => {
  it('apply to the given server, or to all of a service', async () => {
    const { overrides } = await stage()
    await overrides.give([targetOf(WEB, ONE)], DRAIN)
    const disable = override({ kind: 'disable' })
    await overrides.give([targetOf(MAIL, null)], disable)
    assert.deepEqual(overrides.of(WEB, ONE), [DRAIN])
    assert.deepEqual(overrides.of(WEB, TWO), [])
    assert.deepEqual(overrides.of(MAIL, ONE), [disable])
  })

  it('are restored after a restart', async () => {
    const { overrides, again } = await stage()
    assert.equal(await overrides.give([targetOf(WEB, ONE), targetOf(MAIL, null)], DRAIN), true)
    const { overrides: next } = await again()
    assert.deepEqual(next.orders, overrides.orders)
  })

  it('with values that no command gives are left out at a start', async () => {
    const target = targetOf(WEB, ONE)
    const good = { id: `${target.key} ${target.real} drain`, target, override: DRAIN, missingSince: null }
    const withEffect = (effect: unknown) => ({ ...good, override: { ...DRAIN, effect } })
    const values: unknown[] = [
      good,
      null,
      { ...good, override: { ...DRAIN, until: 1e300 } },
      { ...good, override: { ...DRAIN, since: -1e300 } },
      { ...good, missingSince: 9e15 },
      withEffect({ kind: 'weight', weight: -5 }),
      withEffect({ kind: 'weight', weight: 2 ** 31 }),
      withEffect({ kind: 'drain', ramp: { since: 1e300, ms: 1000 } }),
      withEffect({ kind: 'drain', ramp: { since: 0, ms: 1e300 } }),
      withEffect({ kind: '__proto__' }),
    ]
    const path = join(temporaryFolder(), 'overrides.json')
    const head = { lvsd: 'overrides', version: 1, entries: values.length }
    writeFileSync(path, [head, ...values].map(lineFor).join(''))
    const { overrides, lines } = await stage(path)
    assert.deepEqual(overrides.orders, [good])
    assert.match(String(lines[0]?.msg), /is damaged: 1 of its entries can be read and count, 9 cannot/)
  })

  it('replace only the one with the same effect on the same target', async () => {
    const { overrides } = await stage()
    const weight = override({ kind: 'weight', weight: 5 })
    const heavier = override({ kind: 'weight', weight: 6 })
    for (const one of [DRAIN, weight, heavier]) await overrides.give([targetOf(WEB, ONE)], one)
    await overrides.give([targetOf(WEB, null)], weight)
    assert.deepEqual(overrides.of(WEB, ONE), [DRAIN, heavier, weight])
  })

  it('do not restart a ramp that has begun, and keep it after a restart', async () => {
    const { overrides, clock, again } = await stage()
    const over = (ms: number) => override({ kind: 'drain', ramp: { since: clock.now(), ms } })
    const first = over(10_000)
    await overrides.give([targetOf(WEB, ONE)], first)
    clock.wind(4000)
    await overrides.give([targetOf(WEB, ONE), targetOf(WEB, TWO)], over(10_000))
    const ramps = [ONE, TWO].map(server => overrides.of(WEB, server)[0]?.effect)
    assert.deepEqual(ramps[0], first.effect)
    assert.deepEqual(ramps[1], { kind: 'drain', ramp: { since: clock.now(), ms: 10_000 } })
    const { overrides: next } = await again()
    assert.deepEqual(next.orders, overrides.orders)
    await overrides.give([targetOf(WEB, ONE)], DRAIN)
    await overrides.give([targetOf(WEB, ONE)], over(10_000))
    assert.deepEqual(overrides.of(WEB, ONE)[0]?.effect, { kind: 'drain' })
  })

  it('end by a command on the same target', async () => {
    const { overrides, again, lines } = await stage()
    await overrides.give([targetOf(WEB, ONE), targetOf(WEB, null)], DRAIN)
    await overrides.give([targetOf(WEB, ONE)], override({ kind: 'disable' }))
    const { ended, isKept } = overrides.end([targetOf(WEB, ONE)], ['drain', 'weight'], 'bob')
    assert.deepEqual(
      lines.map(({ event, effect, by }) => [event, effect, by]),
      [['override.ended-early', 'drain', 'bob']],
    )
    assert.equal(await isKept, true)
    assert.deepEqual(
      ended.map(order => order.override),
      [DRAIN],
    )
    const { overrides: next } = await again()
    assert.deepEqual(
      next.of(WEB, ONE).map(({ effect }) => effect.kind),
      ['drain', 'disable'],
    )
  })

  it('expire, and never return', async () => {
    const { overrides, clock, lines, state, again } = await stage()
    await overrides.give(
      [targetOf(WEB, ONE)],
      override({ kind: 'drain' }, { until: clock.now() + 7_200_000 }),
    )
    clock.wind(7_199_999)
    assert.equal(overrides.of(WEB, ONE).length, 1)
    const before = state.changes
    clock.wind(1)
    assert.deepEqual(overrides.of(WEB, ONE), [])
    assert.equal(state.changes, before + 1)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['override.ended'],
    )
    await overrides.close(1000)
    assert.deepEqual((await again()).overrides.orders, [])
  })

  it('that expired while lvsd did not run are not in force after a start', async () => {
    const { overrides, clock, again } = await stage()
    await overrides.give([targetOf(WEB, ONE)], override({ kind: 'drain' }, { until: clock.now() + 1000 }))
    await overrides.close(1000)
    clock.wind(2000)
    const { overrides: next, lines } = await again()
    assert.deepEqual(next.orders, [])
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['override.ended'],
    )
  })

  const followed: [string, Config, string | null][] = [
    ['a service that changed its name', config([service('www', { reals: [ONE] })]), 'www'],
    [
      'a service that changed its address',
      config([service('web', { id: serviceId('2001:db8::81'), reals: [ONE] })]),
      'web',
    ],
    [
      'one whose name another took',
      config([
        service('www', { reals: [ONE] }),
        service('web', { id: serviceId('2001:db8::81'), reals: [ONE] }),
      ]),
      'www',
    ],
    ['a service that is gone', config([MAIL]), null],
    ['a server that is gone', config([service('web', { reals: [TWO] })]), null],
  ]
  for (const [what, next, name] of followed)
    it(`follow ${what}`, async () => {
      const { overrides } = await stage()
      await overrides.give([targetOf(WEB, ONE)], DRAIN)
      overrides.follow(SITE)
      overrides.follow(next)
      const found = next.services.filter(one =>
        one.reals.some(server => overrides.of(one, server).length > 0),
      )
      assert.deepEqual(
        found.map(one => one.name),
        name === null ? [] : [name],
      )
    })

  it('are kept for a day while their target is missing, which is logged', async () => {
    const { overrides, clock, lines } = await stage()
    await overrides.give([targetOf(WEB, ONE)], DRAIN)
    overrides.follow(config([MAIL]))
    clock.wind(DAY - 1)
    overrides.follow(SITE)
    assert.deepEqual(overrides.of(WEB, ONE), [DRAIN])
    overrides.follow(config([MAIL]))
    clock.wind(DAY)
    overrides.follow(SITE)
    assert.deepEqual(overrides.of(WEB, ONE), [])
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['override.unmatched', 'override.unmatched', 'override.forgotten'],
    )
  })

  it('do not go to a service that was there before and takes over the name of theirs', async () => {
    const { overrides, again } = await stage()
    overrides.follow(SITE)
    await overrides.give([targetOf(WEB, ONE)], DRAIN)
    overrides.follow(
      config([
        { ...WEB, name: 'mail' },
        { ...MAIL, name: 'web' },
      ]),
    )
    const rest = config([MAIL])
    overrides.follow(rest)
    assert.deepEqual(overrides.of(MAIL, ONE), [])
    const { overrides: next } = await again()
    next.follow(rest)
    assert.deepEqual([next.of(MAIL, ONE), next.orders.length], [[], 1])
    next.follow(SITE)
    assert.deepEqual(next.of(WEB, ONE), [DRAIN])
  })
})
