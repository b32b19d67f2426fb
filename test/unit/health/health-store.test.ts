import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult, ResolvedConfig, ResolvedReal, WeightAdvice } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { config, failed, heldBy, passed, real, service, serviceId, use } from '../../support/tables.js'

const CHECKS = new Map<string, Check>(
  ['ask', 'tell'].map(name => [
    name,
    { name, summary: name, options: () => ({}), perService: name === 'tell', run: async () => passed() },
  ]),
)
const A = 'fd00:1::a'

function healthStore(first: ResolvedConfig) {
  const made = new HealthStore()
  const placed = made.applyConfig(first, CHECKS, 0)
  return {
    healthStore: made,
    jobs: placed.added,
    realOf: (i = 0, j = 0) => first.services[i]?.reals[j] as ResolvedReal,
  }
}

const site = (...reals: ResolvedReal[]) => config([service('web', { reals })])

const HELD = heldBy('a file')

describe('health-store', () => {
  it('runs the same check once for all services that have the server', () => {
    const two = (kind: string) =>
      config([
        service('web', { reals: [real(A, { checks: [use(kind)] })] }),
        service('web6', { id: serviceId('2001:db8::81'), reals: [real(A, { checks: [use(kind)] })] }),
      ])
    const shared = healthStore(two('ask'))
    assert.equal(shared.jobs.length, 1)
    const { transitions } = shared.healthStore.result(shared.jobs[0]?.id ?? '', failed(), 1)
    assert.deepEqual(
      transitions.map(({ service, to }) => [service.name, to]),
      [
        ['web', 'down'],
        ['web6', 'down'],
      ],
    )
    assert.equal(
      healthStore(two('tell')).jobs.length,
      2,
      'but a check that is told the service is its own question',
    )
  })

  it('runs two checks if options or timing differ', () => {
    const checks = [use('ask'), use('ask', { request: '/x' }), use('ask', {}, { timeout: 9 })]
    assert.equal(healthStore(site(real(A, { checks }))).jobs.length, 3)
  })

  it('keeps a job if its file is loaded again, and starts a new one if the file has changed', () => {
    const loaded = (module: string) =>
      new Map<string, Check>([...CHECKS].map(([name, check]) => [name, { ...check, module }]))
    const one = new HealthStore()
    const there = site(real(A, { checks: [use('ask')] }))
    assert.equal(one.applyConfig(there, loaded('file:///ask.mjs?version=1'), 0).added.length, 1)
    const again = one.applyConfig(there, loaded('file:///ask.mjs?version=1'), 1)
    assert.deepEqual([again.added, again.removed], [[], []])
    assert.equal(one.applyConfig(there, loaded('file:///ask.mjs?version=2'), 2).added.length, 1)
  })

  it('changes the state of a server once for all its checks', () => {
    const both = healthStore(site(real(A, { checks: [use('ask'), use('tell')], need: 2 })))
    const [first = '', second = ''] = both.jobs.map(job => job.id)
    assert.equal(both.healthStore.result(first, passed(), 1).transitions[0]?.hasMovedServer, false)
    assert.deepEqual(
      both.healthStore
        .result(second, passed(), 2)
        .transitions.map(({ from, to, hasMovedServer }) => [from, to, hasMovedServer]),
      [['unknown', 'up', true]],
    )
  })

  it('limits the weight that a check advises if the check sets a limit', () => {
    const configured = 4
    const {
      healthStore: one,
      jobs,
      realOf,
    } = healthStore(site(real(A, { checks: [use('ask')], weight: configured })))
    const cases: [WeightAdvice, number][] = [
      [{ weight: 999_999_999 }, 999_999_999],
      [{ weight: 999_999_999, most: { percent: 1000 } }, 40],
      [{ weight: 39, most: { percent: 1000 } }, 39],
      [{ weight: 30, most: { weight: 20 } }, 20],
      [{ percent: 5000, most: { percent: 1000 } }, 40],
      [{ percent: 5000, most: { weight: 7 } }, 7],
      [{ percent: 0, most: { percent: 1000 } }, 0],
    ]
    for (const [advice, expected] of cases) {
      one.result(jobs[0]?.id ?? '', { ...passed(), advice }, 1)
      assert.equal(one.weightOf(realOf()), expected, JSON.stringify(advice))
    }
  })

  it('runs a check early only while a change of state is incomplete', () => {
    const policy = { fall: 2, fastinter: 100 }
    const { healthStore: one, jobs } = healthStore(site(real(A, { checks: [use('ask', {}, policy)] })))
    const id = jobs[0]?.id ?? ''
    const hurries = [passed(), failed(), failed(), failed()].map(
      result => one.result(id, result, 1).recheckIn,
    )
    assert.deepEqual(hurries, [null, 100, null, null])
  })

  it('is settled with a verdict exactly while more results with it would change nothing', () => {
    const verdict = fc.constantFrom(true, false, null)
    const resultOf = (ok: boolean | null) => (ok ? passed() : failed(ok === null ? 'no-verdict' : 'refused'))
    const limit = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(fc.array(verdict, { maxLength: 12 }), verdict, limit, limit, (before, ok, rise, fall) => {
        const policy = { rise, fall }
        const {
          healthStore: one,
          jobs,
          realOf,
        } = healthStore(site(real(A, { checks: [use('ask', {}, policy)] })))
        const id = jobs[0]?.id ?? ''
        for (const [now, verdictBefore] of before.entries()) one.result(id, resultOf(verdictBefore), now)
        const isSettled = one.isSettled(id, ok)
        const kept = () => {
          const [{ health, noVerdicts } = assert.fail()] = one.checkStatesOf(realOf())
          return { state: health.state, streak: health.streak, since: health.since, noVerdicts }
        }
        const was = kept()
        let isSame = ok !== null
        for (let i = 0; i < 5; i++) {
          one.result(id, resultOf(ok), 100 + i)
          isSame &&= isDeepStrictEqual(kept(), was)
        }
        assert.equal(isSettled, isSame)
      }),
    )
    assert.equal(healthStore(site()).healthStore.isSettled('no such job', true), false)
  })

  it('keeps health and jobs that a new configuration does not change', () => {
    const { healthStore: one, jobs, realOf } = healthStore(site(real(A, { checks: [use('ask')] })))
    one.result(jobs[0]?.id ?? '', passed(), 1)
    assert.equal(one.stateOf(realOf()), 'up')
    const heavier = site(
      real(A, { checks: [use('ask')], weight: 9 }),
      real('fd00:1::b', { checks: [use('ask')] }),
    )
    const { added, removed } = one.applyConfig(heavier, CHECKS, 2)
    assert.deepEqual([added.length, removed.length], [1, 0])
    assert.deepEqual(
      heavier.services[0]?.reals.map(entry => one.stateOf(entry)),
      ['up', 'unknown'],
    )
  })

  it('keeps health when only counts or intervals change, and says that the job is known', () => {
    const { healthStore: one, jobs } = healthStore(site(real(A, { checks: [use('ask')] })))
    one.result(jobs[0]?.id ?? '', passed(), 1)
    const slower = site(real(A, { checks: [use('ask', {}, { interval: 5000, fall: 3 })] }))
    const { added, removed, rescheduled: retimed } = one.applyConfig(slower, CHECKS, 2)
    assert.deepEqual([added.length, removed.length, retimed.size], [1, 1, 1])
    assert.equal(one.stateOf(slower.services[0]?.reals[0] as ResolvedReal), 'up')
  })

  it('runs a check without a result at once after a reload, at any new interval', () => {
    const { healthStore: one } = healthStore(site(real(A, { checks: [use('ask')] })))
    const slower = site(real(A, { checks: [use('ask', {}, { interval: 60_000 })] }))
    assert.deepEqual([...one.applyConfig(slower, CHECKS, 2).rescheduled], [])
  })

  it('runs an existing check early if a new service needs its result', () => {
    const web = service('web', { reals: [real(A, { checks: [use('ask')] })] })
    const { healthStore: one, jobs } = healthStore(config([web]))
    const id = jobs[0]?.id ?? ''
    one.result(id, passed(), 1)
    const both = config([web, { ...web, name: 'web6', id: serviceId('2001:db8::81') }])
    const { added, newlySubscribed: awaited } = one.applyConfig(both, CHECKS, 2)
    assert.deepEqual([added.length, [...awaited]], [0, [id]])
    assert.deepEqual([...one.applyConfig(both, CHECKS, 3).newlySubscribed], [], 'once is enough')
  })

  it('keeps health when a service gets another name or another virtual address', () => {
    const web = service('web', { reals: [real(A, { checks: [use('ask')] })] })
    for (const moved of [
      { ...web, name: 'www' },
      { ...web, id: serviceId('2001:db8::81') },
    ]) {
      const { healthStore: one, jobs } = healthStore(config([web]))
      one.result(jobs[0]?.id ?? '', passed(), 1)
      one.applyConfig(config([moved]), CHECKS, 2)
      assert.equal(one.stateOf(moved.reals[0] as ResolvedReal), 'up')
    }
  })

  it('starts a new job for a check with the weight as input when the weight changes', () => {
    const told = (kind: string, weight: number) => site(real(A, { weight, checks: [use(kind)] }))
    for (const [kind, count] of [
      ['tell', 1],
      ['ask', 0],
    ] as const) {
      const { healthStore: one, jobs } = healthStore(told(kind, 1))
      one.result(jobs[0]?.id ?? '', passed(), 1)
      const heavier = told(kind, 5)
      const { added, rescheduled: retimed } = one.applyConfig(heavier, CHECKS, 2)
      assert.deepEqual([added.length, retimed.size], [count, count])
      assert.equal(one.stateOf(heavier.services[0]?.reals[0] as ResolvedReal), 'up')
    }
  })

  it('discards health when the check changes', () => {
    const { healthStore: one, jobs } = healthStore(site(real(A, { checks: [use('ask')] })))
    one.result(jobs[0]?.id ?? '', passed(), 1)
    const other = site(real(A, { checks: [use('ask', { request: '/new' })] }))
    one.applyConfig(other, CHECKS, 2)
    assert.equal(one.stateOf(other.services[0]?.reals[0] as ResolvedReal), 'unknown')
  })

  it('ignores results of removed jobs', () => {
    const { healthStore: one } = healthStore(site(real(A, { checks: [use('ask')] })))
    assert.deepEqual(one.result('gone', failed(), 1), {
      transitions: [],
      weightChanges: [],
      verdicts: [],
      recheckIn: null,
    })
  })

  it('sets a server without checks up, and one without an address down', () => {
    const { healthStore: one, realOf } = healthStore(
      site(real(A, { checks: [] }), real('www1', { checks: [use('ask')] })),
    )
    assert.deepEqual([one.stateOf(realOf(0, 0)), one.stateOf(realOf(0, 1))], ['up', 'down'])
  })

  it('reports the failed checks of a server when an override begins or ends', () => {
    const { healthStore: one, jobs, realOf } = healthStore(site(real(A, { checks: [use('ask')] })))
    const held = new Map([[realOf(0, 0), HELD]])
    const hold = (now: ReadonlyMap<ResolvedReal, Override>) =>
      one.override(now, 0).map(({ after, failure }) => [after?.who ?? null, failure?.ok])
    assert.deepEqual(hold(held), [['a file', undefined]])
    one.result(jobs[0]?.id ?? '', passed(), 1)
    assert.equal(one.stateOf(realOf(0, 0)), 'down')
    assert.deepEqual([hold(held), hold(new Map())], [[], [[null, undefined]]])
    assert.equal(one.stateOf(realOf(0, 0)), 'up')
    one.result(jobs[0]?.id ?? '', failed(), 2)
    assert.deepEqual([hold(held), hold(new Map())], [[['a file', false]], [[null, false]]])
  })

  it('keeps the time since when a server is in its state, regardless of its checks and overrides', () => {
    const two = site(real(A, { checks: [use('ask'), use('tell')], need: 1 }))
    const { healthStore: one, jobs, realOf } = healthStore(two)
    const [ask = '', tell = ''] = jobs.map(({ id }) => id)
    const since = () => one.standingOf(realOf())?.since
    one.result(ask, passed(), 10)
    for (const at of [20, 30]) {
      one.result(tell, passed(), at)
      one.result(tell, failed(), at + 5)
    }
    assert.equal(since(), 10, 'another check comes and goes')
    one.override(new Map([[realOf(), HELD]]), 40)
    one.result(tell, passed(), 50)
    assert.equal(since(), 40, 'held down by a file; the checks play no part')
    one.override(new Map(), 60)
    assert.equal(since(), 60)
    one.applyConfig(two, CHECKS, 70)
    one.override(new Map(), 70)
    assert.equal(since(), 60, 'a reload changes nothing')
    one.result(ask, failed(), 80)
    one.result(tell, failed(), 90)
    assert.equal(since(), 90)
    one.override(new Map([[realOf(), HELD]]), 95)
    assert.equal(since(), 90, 'it is down for longer than it is held')
  })

  it('counts the failures of a shared server separately for each service', () => {
    const shared = (name: string, last: number) =>
      service(name, {
        id: serviceId(`2001:db8::${last}`),
        reals: [real(A, { checks: [use('ask', {}, { fall: 3 })] })],
      })
    const {
      healthStore: one,
      jobs,
      realOf,
    } = healthStore(config([shared('a', 1), shared('b', 2), shared('c', 3)]))
    assert.equal(jobs.length, 1)
    const states = () => [0, 1, 2].map(i => one.stateOf(realOf(i, 0)))
    const result = (found: CheckResult, now: number) => one.result(jobs[0]?.id ?? '', found, now)
    result(passed(), 1)
    result(failed(), 2)
    result(failed(), 3)
    assert.deepEqual(states(), ['up', 'up', 'up'])
    assert.equal(result(failed(), 4).transitions.length, 3)
    assert.deepEqual(states(), ['down', 'down', 'down'])
  })
})
