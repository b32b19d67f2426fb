/** What a reload computes with many servers, in steps between which checks run. Counted, not timed. */
import assert from 'node:assert/strict'
import { type Check, defineCheck, up } from '../../../src/check/check.js'
import { countingChanges } from '../../../src/core/config-changes.js'
import type { Config, ResolvedConfig } from '../../../src/core/model.js'
import { sharingWith } from '../../../src/core/shared-config.js'
import { HealthTracker } from '../../../src/health/health-tracker.js'
import { makingJobs } from '../../../src/health/jobs.js'
import { resolvingConfig } from '../../../src/names/resolve-config.js'
import type { Sliced } from '../../../src/util/time-slice.js'
import { FakeClock } from '../../support/fake-clock.js'
import { config, failed, real, service, serviceId, use } from '../../support/tables.js'

const SERVICES = 10
const EACH = 320
/** More than the real servers of one step. */
const MOST = 33

const on: Check = defineCheck({ name: 'on', summary: '', options: () => ({}), run: async () => up('') })
const CHECKS = new Map([['on', on]])

/** The same site at each call, of other objects. */
function site(weight = 1): ResolvedConfig {
  return config(
    Array.from({ length: SERVICES }, (_, i) =>
      service(`web${i}`, {
        id: serviceId('2001:db8::80', 80 + i),
        reals: Array.from({ length: EACH }, (_, j) =>
          real(`fd00:${i + 1}::${(j + 1).toString(16)}`, { weight, checks: [use('on')] }),
        ),
      }),
    ),
  )
}

/** Returns the number of steps, and what they lead to. */
function stepsOf<T>(work: Sliced<T>): { steps: number; result: T } {
  let steps = 1
  let step = work.next()
  for (; !step.done; step = work.next()) steps++
  return { steps, result: step.value }
}

function tracker(): HealthTracker {
  const clock = new FakeClock()
  return new HealthTracker({
    log: { warn: () => {} },
    events: { emit: () => {}, hears: () => false },
    table: () => new Map(),
    onDirty: () => {},
    recheck: () => {},
    now: clock.now,
    wall: clock.now,
    alarm: clock.alarm,
  })
}

describe('a reload with many servers', () => {
  const ENOUGH = (SERVICES * EACH) / MOST

  const WORK: Readonly<Record<string, () => Sliced<unknown>>> = {
    'compares the services with those before': () => sharingWith(site(), site(2)),
    'counts what has changed': () => countingChanges(site(), site(2)),
    'resolves names': () => resolvingConfig(site() as Config, new Map()),
    'makes jobs': () => makingJobs(site(), CHECKS),
  }
  for (const [what, work] of Object.entries(WORK))
    it(`${what} in steps of at most ${MOST} real servers`, () => {
      const { steps } = stepsOf(work())
      assert.ok(steps >= ENOUGH, `${steps}`)
    })

  it('has nothing left to do for services that are prepared', () => {
    const health = tracker()
    const next = site()
    stepsOf(health.store.preparing(next, CHECKS))
    assert.equal(health.store.jobs.size, 0)
    const { added } = health.applyConfig(next, CHECKS, new Map())
    assert.equal(added.length, SERVICES * EACH)
    const { steps } = stepsOf(health.store.preparing(next, CHECKS))
    assert.ok(steps < 2 * SERVICES, `${steps}`)
    health.close()
  })

  it('prepares the states of all servers in steps, those of one service too', () => {
    const health = tracker()
    const whole = (weight: number) => {
      const reals = site(weight).services.flatMap(one => one.reals)
      return config([service('web', { id: serviceId('2001:db8::80'), reals })])
    }
    health.applyConfig(whole(1), CHECKS, new Map())
    const jobs = stepsOf(makingJobs(whole(2), CHECKS)).steps
    const { steps } = stepsOf(health.store.preparing(whole(2), CHECKS))
    // Once for each state that leaves and comes, and for each record of a server.
    assert.ok(steps >= jobs + 4 * ENOUGH, `${steps}`)
    health.close()
  })

  it('computes the desired table some servers at a step, to the same as at once', () => {
    const health = tracker()
    health.applyConfig(site(), CHECKS, new Map())
    const { steps, result } = stepsOf(health.desiring(new Map()))
    assert.ok(steps > 2 * SERVICES, `${steps}`)
    assert.deepEqual(result, health.desired(new Map(), null))
    health.close()
  })

  it('computes the desired table of the configuration that has come meanwhile', () => {
    const health = tracker()
    health.applyConfig(site(), CHECKS, new Map())
    const work = health.desiring(new Map())
    work.next()
    const next = config(site().services.slice(1, 3))
    health.applyConfig(next, CHECKS, new Map())
    const { result } = stepsOf(work)
    assert.deepEqual(result, health.desired(new Map(), null))
    assert.equal(result.table.size, 2)
    health.close()
  })

  it('has the health of all servers told in steps, to the same as at once', () => {
    const health = tracker()
    const { services } = site()
    health.applyConfig(config(services), CHECKS, new Map())
    const { steps, result } = stepsOf(health.snapshotting(services, new Map()))
    assert.ok(steps >= ENOUGH, `${steps}`)
    assert.deepEqual(result, health.snapshot(services, new Map()))
    health.close()
  })

  it('has the health of the servers told that a configuration has which comes meanwhile', () => {
    const health = tracker()
    const { services } = site()
    health.applyConfig(config(services), CHECKS, new Map())
    const work = health.snapshotting(services, new Map())
    work.next()
    const [web0, web1] = site(2).services
    const next = config([web1, web0].flatMap(one => one ?? []))
    health.applyConfig(next, CHECKS, new Map())
    const { result } = stepsOf(work)
    assert.deepEqual(
      result,
      health.snapshot(
        [web0, web1].flatMap(one => one ?? []),
        new Map(),
      ),
    )
    health.close()
  })

  it('has the health of the servers told that a configuration has which came before the first step', () => {
    const health = tracker()
    const { services } = site()
    health.applyConfig(config(services), CHECKS, new Map())
    const asked = health.snapshotting(services, new Map())
    const next = config(site(2).services.slice(1))
    health.applyConfig(next, CHECKS, new Map())
    const { result } = stepsOf(asked)
    assert.deepEqual(
      result.services.map(({ service }) => service),
      next.services,
    )
    assert.deepEqual(
      new Set(result.services.flatMap(one => one.reals.map(({ checks }) => checks.length))),
      new Set([1]),
    )
    health.close()
  })

  it('does not see a failure after the step of its service, which is marked dirty and computed again', () => {
    const health = tracker()
    const next = site()
    health.applyConfig(next, CHECKS, new Map())
    for (const id of health.store.jobs.keys()) health.result(id, { ...failed(), ok: true, reason: null })
    const work = health.desiring(new Map())
    work.next()
    const [first] = health.store.jobs.keys()
    health.result(first ?? '', failed())
    const { result } = stepsOf(work)
    const late = health.desired(new Map(), new Set(['web0']))
    const [[key, before] = ['', null]] = result.table
    assert.equal(before?.reals.size, EACH)
    assert.equal(late.table.get(key)?.reals.size, EACH - 1)
    health.close()
  })
})
