import assert from 'node:assert/strict'
import { readdirSync, readlinkSync } from 'node:fs'
import type { ProbeSpec } from '../../../../src/check/probe-spec.js'
import type { CheckResult } from '../../../../src/core/model.js'
import { NO_CHANGES } from '../../../../src/netlink/path-changes.js'
import { CheckSources } from '../../../../src/schedule/check-sources.js'
import { NativeExecutor, type NativeParts } from '../../../../src/schedule/engine/native-executor.js'
import type { EngineWork } from '../../../../src/schedule/engine/protocol.js'
import { closeDescriptor } from '../../../../src/system/numeric-calls.js'
import { openStream } from '../../../../src/system/sockets.js'
import { systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { deafServer } from '../../../support/deaf-server.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { recordingLog } from '../../../support/logs.js'
import * as servers from '../../../support/servers.js'
import { address } from '../../../support/tables.js'
import { until } from '../../../support/until.js'

const HTTP = {
  send: Buffer.from('GET / HTTP/1.0\r\n\r\n'),
  judge: { kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 1000 },
} as const
const CONNECT = { send: new Uint8Array(), judge: { kind: 'connected' } } as const

type TcpProbe = Extract<ProbeSpec, { kind: 'tcp' }>

function workFor(port: number, over: Pick<TcpProbe, 'send' | 'judge'> = CONNECT): EngineWork {
  const target = { address: address('::1'), port }
  return { probe: { kind: 'tcp', ...target, end: false, reset: false, ...over }, connects: 0, target }
}

const readlinkOf = (fd: string) => readlinkSync(`/proc/self/fd/${fd}`)
/** What the descriptors of this process refer to. That of the folder itself is closed again. */
function linksOfAll(): ReadonlySet<string> {
  return new Set(
    readdirSync('/proc/self/fd').flatMap(fd => {
      try {
        return [readlinkOf(fd)]
      } catch {
        return []
      }
    }),
  )
}

function opened(over: Partial<NativeParts> = {}) {
  const results: { readonly id: string; readonly result: CheckResult; readonly ms: number }[] = []
  const deferred: string[] = []
  const givenUp: (readonly string[])[] = []
  const delays: number[] = []
  const { log, lines } = recordingLog()
  const works = new Map<string, EngineWork>()
  const executor = new NativeExecutor({
    clock: systemClock,
    cap: 100,
    sources: null,
    log,
    report: (id, result) => void results.push({ id, result, ms: result.ms }),
    onDelay: ms => void delays.push(ms),
    isSettled: () => false,
    workOf: id => works.get(id) ?? null,
    onDeferred: id => void deferred.push(id),
    onGivenUp: jobs => void givenUp.push(jobs.map(({ id }) => id)),
    ...over,
  })
  onCleanup(() => executor.close())
  const set = executor.set.bind(executor)
  executor.set = (id, work, timing) => {
    works.set(id, work)
    set(id, work, timing)
  }
  const of = (id: string) => results.filter(one => one.id === id)
  return { executor, results, of, deferred, givenUp, delays, lines }
}

const every = (interval: number, timeout = 1000) => ({ interval, timeout, firstIn: 0 })

describe('engine: the executor', () => {
  it('runs jobs at their intervals, and tells the delay of each start but the first', async () => {
    const { port } = await servers.silentServer()
    const { executor, of, delays } = opened()
    executor.set('a', workFor(port), every(100))
    executor.set('b', workFor(port), every(100))
    await until(() => of('a').length >= 3 && of('b').length >= 3)
    assert.deepEqual([...new Set(of('a').map(({ result }) => result.detail))], ['connected'])
    assert.ok(delays.length >= 4)
    assert.equal(executor.counts().jobs, 2)
  })

  it('tells a source once, though the core and the thread have both found it', async () => {
    const { log, lines } = recordingLog()
    const told = () =>
      lines.flatMap(({ event, address: of }) => (event === 'check.source-replaced' ? [of] : []))
    const changes = { take: () => NO_CHANGES, close: () => {} }
    const ours = ['fc00::80', 'fc00::1'].map(text => ({
      ...{ address: address(text), link: 2, prefix: 64, scope: 'global' as const },
      ...{ isTentative: false, isDeprecated: false, isTemporary: false },
    }))
    const route = { kind: 'by' as const, link: 2, source: address('fc00::80'), gateway: null }
    const paths = { routeTo: () => route, addresses: () => ours }
    const sources = new CheckSources({ paths, changes, log, now: systemClock.now })
    sources.followAddresses(['fc00::80'])
    sources.of(address('fc00::11'))
    opened({ sources, log, file: new URL('telling-thread.ts', import.meta.url) })
    await until(() => told().length >= 2)
    assert.deepEqual(told(), ['fc00::80', 'fc00::81'])
  })

  it('tells results as they change, whatever was settled', async () => {
    let status = 200
    const server = await servers.httpServer((_, response) => response.writeHead(status).end('hello'))
    const settled: (boolean | null)[] = []
    const isSettled = (_: string, ok: boolean | null) => settled.push(ok) > 0
    const { executor, of } = opened({ isSettled })
    executor.set('a', workFor(server.port, HTTP), every(50))
    await until(() => of('a').length >= 8)
    const { result } = of('a')[6] ?? {}
    assert.deepEqual(
      [result?.detail, result?.phases.map(({ phase }) => phase).at(0), result?.phase],
      ['200 OK, 5 bytes', 'connect', 'body'],
    )
    assert.ok((result?.ms ?? 0) > 0 && (result?.phases.at(-1)?.ms ?? 0) > 0)
    const durations = new Set(of('a').map(({ ms }) => ms))
    assert.ok(durations.size > 4)
    // Those that repeat it are told by one object, with the times of each.
    assert.ok(new Set(of('a').map(one => one.result)).size < of('a').length / 2)
    status = 500
    await until(() => of('a').at(-1)?.result.reason === 'status')
    assert.ok(settled.includes(false))
  })

  it('gives a result of its own where more of them may change something meanwhile', async () => {
    const server = await servers.httpServer((_, response) => response.end('hello'))
    let asked = 0
    // They change nothing when the thread is told so, and then they do.
    const { executor, of } = opened({ isSettled: () => asked++ === 0 })
    executor.set('a', workFor(server.port, HTTP), every(50))
    await until(() => of('a').length >= 8)
    assert.equal(new Set(of('a').map(({ result }) => result)).size, of('a').length)
    for (const { ms, result } of of('a')) assert.equal(result.ms, ms)
    assert.ok(new Set(of('a').map(({ ms }) => ms)).size > 4)
  })

  it('tells of each run whether it was started at once', async () => {
    const { port } = await servers.silentServer()
    const { executor, of } = opened({ isSettled: () => true })
    executor.set('a', workFor(port), every(100))
    await until(() => of('a').length === 1)
    executor.atOnce('a')
    await until(() => of('a').some(({ result }) => result.isEarly))
    const before = of('a').length
    await until(() => of('a').length >= before + 6)
    assert.equal(of('a').filter(({ result }) => result.isEarly).length, 1)
  })

  it('starts a run anew that waits for its connection, without a result of the first', async () => {
    const { executor, of } = opened()
    const work = workFor(await deafServer())
    executor.set('a', work, every(3_600_000, 600_000))
    await until(() => executor.next('a')?.isRunning === true)
    executor.atOnce('a', true)
    await until(() => {
      executor.giveUpConnecting('a', 0)
      return of('a').length > 0
    })
    assert.equal(of('a').length, 1)
  })

  it('gives a run up that waits for its connection, and tells so at once', async () => {
    const { executor, of } = opened({ isSettled: () => true })
    executor.set('a', workFor(await deafServer()), every(3_600_000, 600_000))
    await until(() => {
      executor.giveUpConnecting('a', 50)
      return of('a').length > 0
    })
    const { ok, detail, isEarly } = of('a')[0]?.result ?? {}
    assert.deepEqual([ok, isEarly], [false, true])
    assert.match(`${detail}`, /^no connection within \d+ ms$/)
  })

  it('brings a run forward, and knows the next one', async () => {
    const { port } = await servers.silentServer()
    const { executor, of } = opened({ isSettled: () => true })
    executor.set('a', workFor(port), every(3_600_000))
    await until(() => of('a').length === 1)
    await until(() => executor.next('a')?.isRunning === false)
    const { in: ms = 0 } = executor.next('a') ?? {}
    assert.ok(ms > 1000 && ms <= 3_600_100, `${ms}`)
    executor.soon('a', 0)
    await until(() => of('a').length === 2)
    executor.atOnce('a')
    await until(() => of('a').length === 3)
    executor.retime('a', every(100))
    await until(() => of('a').length > 5)
    assert.equal(executor.next('none'), null)
  })

  it('knows that a run is in progress, and ends it with its job', async () => {
    const { port } = await servers.silentServer()
    const { executor, results } = opened()
    executor.set('a', workFor(port, HTTP), every(3_600_000, 60_000))
    await until(() => executor.next('a')?.isRunning === true)
    await until(() => executor.counts().running === 1)
    executor.remove('a')
    assert.equal(executor.next('a'), null)
    await until(() => executor.counts().running === 0)
    assert.deepEqual(results, [])
  })

  it('replaces the work of a job, and tells nothing more of the old one', async () => {
    const silent = await servers.silentServer()
    const { executor, of } = opened()
    executor.set('a', workFor(silent.port, HTTP), every(100, 60_000))
    await until(() => executor.next('a')?.isRunning === true)
    executor.set('a', workFor(await servers.refusedPort()), every(100))
    await until(() => of('a').length >= 2)
    assert.deepEqual([...new Set(of('a').map(({ result }) => result.reason))], ['refused'])
  })

  it('hands a job over whose verdict is left to the code of its check', async () => {
    const { port } = await servers.httpServer((_, response) =>
      response.writeHead(302, { location: '/x' }).end(),
    )
    const { executor, results, deferred } = opened()
    const judge = { ...HTTP.judge, defer: [[300, 399]] } as const
    executor.set('a', workFor(port, { ...HTTP, judge }), every(50))
    await until(() => deferred.length === 1)
    assert.deepEqual([deferred, results, executor.next('a')], [['a'], [], null])
  })

  it('runs plain connects between the runs of a check', async () => {
    let requests = 0
    const { port } = await servers.httpServer((_, response) => {
      requests++
      response.end('hello')
    })
    const { executor, of } = opened()
    executor.set('a', { ...workFor(port, HTTP), connects: 3 }, every(50))
    await until(() => of('a').length >= 8)
    assert.deepEqual(
      of('a')
        .slice(0, 5)
        .map(({ result }) => result.detail),
      ['200 OK, 5 bytes', 'connected', 'connected', 'connected', '200 OK, 5 bytes'],
    )
    assert.ok(requests <= 3)
  })

  it('starts at most as many runs as it may', async () => {
    const { port } = await servers.silentServer()
    const { executor } = opened({ cap: 4 })
    for (let i = 0; i < 10; i++) executor.set(`${i}`, workFor(port, HTTP), every(100, 60_000))
    await until(() => executor.waiting === 6)
    assert.equal(executor.counts().running, 4)
  })

  it('starts its thread again with all jobs, and gives up when that ends too', async () => {
    const { port } = await servers.silentServer()
    const { executor, of, givenUp, lines } = opened({ file: new URL('./ending-thread.ts', import.meta.url) })
    executor.set('a', workFor(port), every(100))
    // This thread ends after a few turns.
    await until(() => givenUp.length === 1)
    assert.deepEqual(givenUp, [['a']])
    assert.ok(of('a').length > 0)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['engine.restarted', 'engine.portable'],
    )
    await executor.close()
  })

  it('ends its thread, which waits, when the process ends', async () => {
    const { port } = await servers.silentServer()
    const before = process.listeners('exit')
    const { executor, of, lines } = opened()
    executor.set('a', workFor(port), every(3_600_000))
    await until(() => of('a').length === 1)
    const [atExit] = process.listeners('exit').filter(listener => !before.includes(listener))
    atExit?.(0)
    await until(() => lines.some(({ error }) => error === 'it ended with 0'))
    await executor.close()
    assert.deepEqual(process.listeners('exit'), before)
  })

  it('closes the connections of a thread that ends by an exception', async () => {
    let connections = 0
    const { port } = await servers.tcpServer(socket => {
      connections++
      socket.resume()
      socket.on('end', () => socket.destroy())
      socket.on('close', () => connections--)
    })
    const { executor, givenUp } = opened()
    for (let i = 0; i < 10; i++) executor.set(`${i}`, workFor(port, HTTP), every(3_600_000, 60_000))
    await until(() => connections === 10)
    executor.set('wrong', { ...workFor(port), probe: null as never }, every(1000))
    await until(() => givenUp.length === 1)
    await until(() => connections === 0)
  })

  it('leaves a job to the code of its check if a new thread cannot have its work', async () => {
    const { port } = await servers.silentServer()
    const file = new URL('./ending-thread.ts', import.meta.url)
    const { executor, deferred } = opened({ file, workOf: () => null })
    executor.set('a', workFor(port), every(100))
    await until(() => deferred.length > 0)
    assert.deepEqual(deferred, ['a'])
    assert.equal(executor.has('a'), false)
    await executor.close()
  })

  it('gives up a thread that is not ready in time', async () => {
    const clock = new FakeClock()
    const { executor, givenUp } = opened({ clock, file: new URL('./silent-thread.ts', import.meta.url) })
    executor.set('a', workFor(1), every(100))
    clock.wind(29_500)
    assert.deepEqual(givenUp, [])
    clock.wind(1000)
    assert.deepEqual(givenUp, [['a']])
  })

  it('ends a thread that hangs, and starts another; a second one is the last', async () => {
    const clock = new FakeClock()
    const file = new URL('./hanging-thread.ts', import.meta.url)
    const { executor, givenUp, lines } = opened({ clock, file })
    executor.set('a', workFor(1), every(100))
    for (const event of ['engine.restarted', 'engine.portable']) {
      await until(() => lines.at(-1)?.msg === 'after ready')
      clock.wind(3500)
      assert.equal(lines.at(-1)?.msg, 'after ready')
      clock.wind(3000)
      assert.equal(lines.at(-1)?.event, event)
    }
    assert.deepEqual(givenUp, [['a']])
  })

  it('closes the descriptors of a thread that hangs, and none else', async () => {
    const clock = new FakeClock()
    const own = openStream('ipv6')
    onCleanup(() => void closeDescriptor(own))
    const { lines } = opened({ clock, file: new URL('./holding-thread.ts', import.meta.url) })
    const before = readlinkOf(`${own}`)
    for (const event of ['engine.restarted', 'engine.portable']) {
      await until(() => lines.at(-1)?.msg === 'after ready')
      const held = String(lines.at(-1)?.descriptors).split(' ').map(readlinkOf)
      assert.ok(held.length === 20 && held.every(link => link.startsWith('socket:')), held.join())
      clock.wind(6500)
      assert.equal(lines.at(-1)?.event, event)
      await until(() => held.every(link => !linksOfAll().has(link)), { what: 'all are closed' })
    }
    assert.equal(readlinkOf(`${own}`), before)
  })

  it('gives up a thread that does not start', async () => {
    const { givenUp, lines } = opened({ file: new URL('./no-such-thread.ts', import.meta.url) })
    await until(() => givenUp.length === 1)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['engine.portable'],
    )
  })
})
