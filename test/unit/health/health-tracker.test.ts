import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult } from '../../../src/core/model.js'
import { NO_RESULT } from '../../../src/health/check-state.js'
import type { HealthEvents } from '../../../src/health/health-changes.js'
import { HealthTracker, type HealthTrackerParts } from '../../../src/health/health-tracker.js'
import type { Emitter } from '../../../src/util/emitter.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { config, failed, heldBy, passed, real, service, use } from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const UNASKED: CheckResult = { ...failed(), ok: null, reason: null, detail: 'no descriptor is left' }
const SITE = config([
  service('web', { reals: [real('fd00:1::a', { checks: [use('ask', {}, { fall: 2, fastinter: 300 })] })] }),
])
const [WEB] = SITE.services
const [A] = WEB?.reals ?? []

/** A tracker of one server with one check; `told`: what it does, in order. */
function tracker({
  isHeard = false,
  isolation = null as NonNullable<HealthTrackerParts['isolation']> | null,
  connectivity = { excuseOf: (_: number): string | null => null },
} = {}) {
  const told: string[] = []
  const { log, lines } = recordingLog()
  const clock = { now: 0 }
  const events: Emitter<HealthEvents> = {
    emit: (event, ..._) => void told.push(event),
    hears: event => event !== 'result' || isHeard,
  }
  const health = new HealthTracker({
    log,
    events,
    table: () => new Map(),
    onDirty: services => told.push(`dirty ${services.map(({ name }) => name)}`),
    recheck: (_, ms) => told.push(`recheck in ${ms}`),
    now: () => clock.now,
    isolation,
    connectivity,
  })
  onCleanup(() => health.close())
  const [id = ''] = health.applyConfig(SITE, new Map([['ask', ask]]), new Map()).added.map(job => job.id)
  const found = (result: CheckResult) => {
    health.result(id, result)
    return told.splice(0)
  }
  return { health, told, found, lines, clock }
}

describe('HealthTracker', () => {
  it('publishes a transition, and then the service with a possibly changed table', () => {
    const { found } = tracker()
    assert.deepEqual(found(passed()), ['transition', 'dirty web'])
    assert.deepEqual(found(passed()), [])
    assert.deepEqual(found(failed()), ['recheck in 300'])
    assert.deepEqual(found(failed()), ['transition', 'dirty web'])
  })

  it('does not count failures while lvsd is isolated', () => {
    let isIsolated = true
    const asked: string[] = []
    const { found, health } = tracker({
      isHeard: true,
      isolation: {
        current: { isIsolated, since: 0, detail: 'the interface eth1 is down' },
        follow: addresses => asked.push(`follow ${[...addresses].map(({ text }) => text)}`),
        passed: ({ text }) => asked.push(`passed ${text}`),
        excuses: ({ text }, ms) => {
          asked.push(`failed ${text} ${ms}`)
          return isIsolated
        },
      },
    })
    found(passed())
    for (let i = 0; i < 4; i++) assert.deepEqual(found(failed()), ['result'])
    assert.equal(A && health.store.stateOf(A), 'up')
    assert.equal(A && health.store.checkStatesOf(A)[0]?.noVerdicts, null)
    isIsolated = false
    found(failed())
    assert.deepEqual(found(failed()), ['result', 'transition', 'dirty web'])
    const before = asked.length
    // A server that is down cannot go down: nobody looks at the routes.
    found(failed())
    assert.equal(asked.length, before)
    assert.deepEqual(asked.slice(0, 3), ['follow fd00:1::a', 'passed fd00:1::a', 'failed fd00:1::a 1'])
  })

  it('does not count failures while this director has lost its network, and asks again soon', () => {
    let why: string | null = 'lvsd has lost its network: the gateway does not answer pings'
    const { found, health } = tracker({ isHeard: true, connectivity: { excuseOf: () => why } })
    found(passed())
    for (let i = 0; i < 4; i++) assert.deepEqual(found(failed()), ['recheck in 1000', 'result'])
    assert.equal(A && health.store.stateOf(A), 'up')
    why = null
    found(failed())
    assert.deepEqual(found(failed()), ['result', 'transition', 'dirty web'])
    why = 'not asked for a server that is down'
    assert.deepEqual(found(failed()), ['result'])
  })

  it('publishes a weight that a check advises', () => {
    const { found } = tracker()
    found(passed())
    assert.deepEqual(found({ ...passed(), advice: { percent: 0 } }), ['weight', 'dirty web'])
  })

  it('publishes that a service has traffic once for many results', async () => {
    const { found, told } = tracker()
    found(passed())
    await setImmediate()
    await setImmediate()
    assert.deepEqual(told, ['traffic'])
  })

  it('publishes single results only if there is a listener', () => {
    assert.deepEqual(tracker({ isHeard: false }).found(failed()), ['transition', 'dirty web'])
    assert.deepEqual(tracker({ isHeard: true }).found(failed()), ['result', 'transition', 'dirty web'])
  })

  it('logs runs without a verdict once a minute, and publishes three in a row', () => {
    const { found, lines, clock } = tracker()
    assert.deepEqual([...found(UNASKED), ...found(UNASKED)], [])
    assert.deepEqual(found(UNASKED), ['verdict'])
    clock.now = 59_999
    found(UNASKED)
    assert.equal(lines.length, 1)
    clock.now = 60_000
    found(UNASKED)
    assert.deepEqual(
      lines.map(({ event, job, detail }) => [event, job, detail]),
      Array(2).fill(['run.no-verdict', 'web/[fd00:1::a]:80/ask', 'no descriptor is left']),
    )
  })

  it('publishes the begin and the end of each hold', () => {
    const { health, told, found } = tracker()
    found(passed())
    assert.ok(A)
    health.override(new Map([[A, heldBy('a file')]]))
    health.override(new Map([[A, heldBy('a file')]]))
    assert.deepEqual(told.splice(0), ['override', 'dirty web'])
    health.override(new Map())
    assert.deepEqual(told.splice(0), ['override', 'dirty web'])
  })

  it('returns a snapshot that later results do not change', async () => {
    const { health, found, clock } = tracker()
    assert.ok(WEB && A)
    const now = () => {
      const [web] = health.snapshot([WEB], new Map()).services
      const [a] = web?.reals ?? []
      return {
        traffic: web?.traffic,
        state: a?.state,
        since: a?.since,
        passing: a?.passing,
        check: a?.checks[0],
      }
    }
    const before = now()
    clock.now = 5000
    found(passed())
    await setImmediate()
    await setImmediate()
    const { check, ...after } = now()
    assert.deepEqual(after, { traffic: { has: true, since: 5000 }, state: 'up', since: 5000, passing: 1 })
    assert.deepEqual([check?.health.state, check?.lastAt], ['up', 5000])
    assert.deepEqual(
      [before.traffic, before.state, before.since, before.check?.health.state, before.check?.lastAt],
      [null, 'unknown', 0, 'unknown', NO_RESULT],
    )
  })

  it('has a service and its desired table of one configuration, whenever another one comes', () => {
    const of = (size: number) => {
      const hosts = Array.from({ length: size }, (_, i) => `fd00:1::${(i + 1).toString(16)}`)
      return config([service('web', { reals: hosts.map(host => real(host, { checks: [] })) })])
    }
    const [before, after, none] = [of(200), of(300), config([])]
    const seen = new Set<string>()
    for (const next of [after, none])
      for (let cut = 0, isOver = false; !isOver; cut++) {
        const { health } = tracker()
        health.applyConfig(before, new Map(), new Map())
        const work = health.snapshotting(before.services, new Map())
        let step = work.next()
        for (let i = 0; i < cut && !step.done; i++) step = work.next()
        isOver = step.done === true
        if (!isOver) health.applyConfig(next, new Map(), new Map())
        while (!step.done) step = work.next()
        const { services, desired } = step.value
        const sizes = [services[0]?.service.reals, services[0]?.reals, [...desired.values()][0]?.reals]
        seen.add(sizes.map(all => (all && ('size' in all ? all.size : all.length)) ?? 0).join())
      }
    assert.deepEqual([...seen].sort(), ['0,0,0', '200,200,200', '300,300,300'])
  })

  it('divides services into parts of a thousand real servers, each in one part', () => {
    const { health } = tracker()
    const sizes = [400, 600, 1, 2500, 0, 300]
    const services = sizes.map((size, i) =>
      service(`web${i}`, {
        reals: Array.from({ length: size }, (_, j) => real(`fd00:${i}::${(j + 1).toString(16)}`)),
      }),
    )
    health.applyConfig(config(services), new Map(), new Map())
    const parts = [...health.parts([...services.map(({ name }) => name), 'gone'])].map(part => [...part])
    assert.deepEqual(parts, [['web0', 'web1'], ['web2'], ['web3'], ['web4', 'web5', 'gone']])
  })

  it('ignores a result of a removed job', () => {
    const { health, told, lines } = tracker({ isHeard: true })
    health.result('gone', UNASKED)
    assert.deepEqual([told, lines], [[], []])
  })
})
