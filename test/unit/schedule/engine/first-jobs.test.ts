import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CheckWork } from '../../../../src/check/run-code.js'
import type { CheckResult } from '../../../../src/core/model.js'
import { NO_CHANGES } from '../../../../src/netlink/path-changes.js'
import { CheckSources } from '../../../../src/schedule/check-sources.js'
import { beginEarly, engineProgram, openEngineEarly } from '../../../../src/schedule/engine/early-engine.js'
import { FirstJobs } from '../../../../src/schedule/engine/first-jobs.js'
import {
  decodeFirst,
  encodeFirst,
  type FirstOrders,
  MOST_FIRST,
} from '../../../../src/schedule/engine/first-orders.js'
import { NativeExecutor } from '../../../../src/schedule/engine/native-executor.js'
import type { EngineWork, FullResult } from '../../../../src/schedule/engine/protocol.js'
import { openExecutors } from '../../../../src/schedule/executors.js'
import { systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLog } from '../../../support/logs.js'
import * as servers from '../../../support/servers.js'
import { address, failed, passed } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

const EVERY = { interval: 3_600_000, timeout: 1000, firstIn: 0 }

function workFor(port: number, path = '/'): EngineWork {
  const to = { address: address('::1'), port }
  const send = Buffer.from(`GET ${path} HTTP/1.0\r\n\r\n`)
  const judge = { kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 1000 } as const
  return { probe: { kind: 'tcp', ...to, end: false, reset: false, send, judge }, connects: 0, target: to }
}

const ordersOf = (jobs: FirstOrders['jobs']): FirstOrders => ({
  cap: 10,
  hasSources: false,
  virtual: [],
  jobs,
})

/** A server that notes the paths that it is asked for. */
async function asked() {
  const paths: (string | undefined)[] = []
  const { port } = await servers.httpServer((request, response) => {
    paths.push(request.url)
    response.end('fine')
  })
  return { port, paths }
}

function executorAfter(
  first: FirstOrders,
  clock: Pick<typeof systemClock, 'now' | 'alarm'> = systemClock,
  workOf: () => EngineWork | null = () => null,
  sources: CheckSources | null = null,
) {
  const early = openEngineEarly()
  assert.ok(early)
  beginEarly(early, decodeFirst(encodeFirst(first)))
  const open = (cap = first.cap) => {
    const results: [id: string, result: CheckResult][] = []
    const executor = new NativeExecutor({
      ...{ clock, cap, sources, log: recordingLog().log },
      report: (id, result) => void results.push([id, result]),
      ...{ onDelay: () => {}, isSettled: () => false, workOf },
      ...{ onDeferred: assert.fail, onGivenUp: () => assert.fail() },
    })
    onCleanup(() => executor.close())
    return { executor, results }
  }
  return { worker: early.worker, open }
}

const full = (job: number): FullResult => ({ job, run: 1, result: passed(), delay: Number.NaN })

describe('first jobs: what the engine runs before there is a director', () => {
  const first = ordersOf([
    { id: 'a', work: workFor(1), timing: EVERY },
    { id: 'b', work: workFor(2), timing: EVERY },
  ])

  it('are taken as they run by who asks for the same, with their results', () => {
    const jobs = new FirstJobs(first)
    assert.equal(jobs.count, 2)
    jobs.hold({ ...full(2), result: failed() })
    jobs.hold(full(2))
    jobs.hold(full(3))
    const taken = jobs.take('b', workFor(2), EVERY)
    assert.deepEqual(taken, { number: 2, place: 1, isSame: true, last: full(2) })
    assert.equal(jobs.take('b', workFor(2), EVERY), null)
    assert.deepEqual(jobs.clear(), [1])
    assert.deepEqual(jobs.clear(), [])
  })

  it('are told apart by work and timing', () => {
    const taken = (work: EngineWork, timing: typeof EVERY & { readonly grid?: number }) =>
      new FirstJobs(first).take('a', work, timing)?.isSame
    assert.equal(taken(workFor(1), { ...EVERY }), true)
    assert.equal(taken(workFor(1, '/other'), EVERY), false)
    assert.equal(taken(workFor(2), EVERY), false)
    assert.equal(taken({ ...workFor(1), connects: 1 }, EVERY), false)
    assert.equal(taken(workFor(1), { ...EVERY, interval: 1000 }), false)
    assert.equal(taken(workFor(1), { ...EVERY, timeout: 900 }), false)
    assert.equal(taken(workFor(1), { ...EVERY, firstIn: 10 }), false)
    assert.equal(taken(workFor(1), { ...EVERY, grid: 5 }), false)
    assert.equal(new FirstJobs(first).take('c', workFor(1), EVERY), null)
    assert.equal(new FirstJobs(null).take('a', workFor(1), EVERY), null)
  })

  it('are given up where the thread has left them to code', () => {
    const jobs = new FirstJobs(first)
    jobs.forget(1)
    jobs.forget(7)
    assert.equal(jobs.take('a', workFor(1), EVERY), null)
    assert.deepEqual(jobs.clear(), [2])
  })

  it('run before the executor is there, which has their results when it asks, and asks no server twice', async () => {
    const { port, paths } = await asked()
    const first = ordersOf([{ id: 'a', work: workFor(port), timing: EVERY }])
    const { open } = executorAfter(first)
    await until(() => paths.length === 1)
    const { executor, results } = open()
    await sleep(50)
    assert.deepEqual(results, [])
    executor.set('a', workFor(port), EVERY)
    assert.deepEqual(results, [])
    await until(() => results.length === 1)
    const [[id, result] = ['', failed()]] = results
    assert.deepEqual([id, result.ok, result.detail], ['a', true, '200 OK, 4 bytes'])
    const { in: next = 0 } = executor.next('a') ?? {}
    assert.ok(next > 0 && next < EVERY.interval, `${next}`)
    const began = executor.firstRun() ?? 0
    assert.ok(began > 0 && began < performance.now())
    executor.atOnce('a')
    await until(() => results.length === 2)
    assert.deepEqual(paths, ['/', '/'])
    assert.equal(executor.counts().jobs, 1)
  })

  it('end where another work is asked for, which runs in their place', async () => {
    const { port, paths } = await asked()
    const first = ordersOf([{ id: 'a', work: workFor(port, '/old'), timing: { ...EVERY, interval: 100 } }])
    const { open } = executorAfter(first)
    await until(() => paths.includes('/old'))
    const { executor, results } = open()
    executor.set('a', workFor(port, '/new'), EVERY)
    await until(() => results.length === 1)
    const before = paths.length
    await sleep(250)
    assert.deepEqual(paths.slice(before), [])
    assert.equal(paths.at(-1), '/new')
  })

  it('keep the virtual addresses of their own until the core knows them', async () => {
    const first = { ...ordersOf([]), hasSources: true, virtual: ['fd00:1::80'] }
    const early = openEngineEarly()
    assert.ok(early)
    const sent: unknown[] = []
    const { worker } = early
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message: unknown) => {
      sent.push(message)
      post(message)
    }
    beginEarly(early, first)
    const changes = { take: () => NO_CHANGES, close: () => {} }
    const paths = { routeTo: () => null, addresses: () => [] }
    const { log } = recordingLog()
    const sources = new CheckSources({ paths, changes, log, now: systemClock.now })
    const executors = openExecutors(() => {}, first.cap, { engine: 'native', sources, descriptors: 1000 })
    onCleanup(executors.close)
    await sleep(0)
    const virtual = () =>
      sent.flatMap(one => (Array.isArray(one) ? one : [])).filter(({ kind }) => kind === 'virtual')
    assert.deepEqual(virtual(), [])
    sources.followAddresses(['fd00:1::81'])
    await sleep(0)
    assert.deepEqual(virtual(), [{ kind: 'virtual', addresses: ['fd00:1::81'] }])
  })

  it('begin anew where a virtual address is new, which may have been the source', async () => {
    const { port, paths: askedFor } = await asked()
    const changes = { take: () => NO_CHANGES, close: () => {} }
    const paths = { routeTo: () => null, addresses: () => [] }
    const resultsAfter = async (virtual: readonly string[]) => {
      const job = { id: 'a', work: workFor(port), timing: EVERY }
      const first = { ...ordersOf([job]), hasSources: true, virtual: ['fd00:1::80', 'fd00:1::81'] }
      const sources = new CheckSources({ paths, changes, log: recordingLog().log, now: systemClock.now })
      const { open } = executorAfter(first, systemClock, () => workFor(port), sources)
      askedFor.length = 0
      await until(() => askedFor.length === 1)
      const { executor, results } = open()
      await sleep(50)
      executor.set('a', workFor(port), EVERY)
      sources.followAddresses(virtual)
      await until(() => results.length === 1)
      await sleep(50)
      return [results.length, askedFor.length]
    }
    assert.deepEqual(await resultsAfter(['fd00:1::80']), [1, 1])
    assert.deepEqual(await resultsAfter(['fd00:1::80', 'fd00:1::82']), [1, 2])
  })

  it('are no reason to give the engine up where they end their thread', async () => {
    const { port, paths } = await asked()
    const bad = { id: 'a', work: { ...workFor(port), probe: null }, timing: EVERY } as never
    const { open } = executorAfter(ordersOf([bad]), systemClock, () => workFor(port))
    const { executor, results } = open()
    executor.set('a', workFor(port), EVERY)
    await until(() => results.length === 1)
    assert.deepEqual(paths, ['/'])
  })

  it('end after ten seconds where nobody asks for them', async () => {
    const { port, paths } = await asked()
    const timing = { ...EVERY, interval: 50 }
    const clock = new FakeClock()
    const { open } = executorAfter(ordersOf([{ id: 'a', work: workFor(port), timing }]), clock)
    const { executor, results } = open()
    await until(() => paths.length >= 3)
    clock.wind(10_000)
    executor.set('b', workFor(port, '/b'), EVERY)
    await until(() => results.length === 1)
    const before = paths.length
    await sleep(200)
    assert.equal(paths.length, before)
  })

  it('end with their thread where the engine runs on other terms', async () => {
    const { port, paths } = await asked()
    const { worker, open } = executorAfter(ordersOf([{ id: 'a', work: workFor(port), timing: EVERY }]))
    await until(() => paths.length === 1)
    const ended = once(worker, 'exit')
    const { executor, results } = open(11)
    assert.deepEqual(await ended, [0])
    executor.set('a', workFor(port), EVERY)
    await until(() => results.length === 1)
    assert.deepEqual(paths, ['/', '/'])
  })

  it('are at most 64 jobs of the services of a director, from all over the site, without those that need a mark', async () => {
    const executors = openExecutors(() => {}, 100, { engine: 'native' })
    onCleanup(executors.close)
    const servicesOf = (id: string) => (id === 'unknown' ? [] : [`of ${id}`])
    assert.equal(executors.firstChecks(servicesOf), null)
    const { probe, target } = workFor(1)
    const check = { name: 'web', summary: '', options: () => ({}), probe: () => probe }
    const work = { check, target: target as CheckWork['target'], options: {} }
    const path = { key: 'k', virtual: address('fd00::80') } as unknown as NonNullable<CheckWork['path']>
    const later = { ...EVERY, firstIn: 60_000 }
    executors.set('marked', { ...work, path }, later)
    executors.set('on a grid', work, { ...later, grid: 60_000 })
    executors.set('fixed', { ...work, answer: { ok: true, reason: 'ok', detail: '' } }, later)
    assert.equal(executors.firstChecks(servicesOf), null)
    executors.set('unknown', work, later)
    for (let i = 0; i < 2 * MOST_FIRST - 1; i++) executors.set(`${i}`, work, later)
    const { bytes, program, services } = executors.firstChecks(servicesOf) ?? assert.fail()
    const { jobs, virtual, hasSources } = decodeFirst(bytes)
    // One of 64 is of no service.
    const ids = Array.from({ length: MOST_FIRST - 1 }, (_, i) => `${2 * i + 1}`)
    assert.deepEqual(
      jobs.map(({ id }) => id),
      ids,
    )
    assert.deepEqual(
      services,
      ids.map(id => [`of ${id}`]),
    )
    assert.deepEqual(jobs[0], {
      id: '1',
      work: { probe, connects: 0, target },
      timing: EVERY,
    })
    assert.deepEqual([virtual, hasSources, program], [[], false, engineProgram()])
  })
})
