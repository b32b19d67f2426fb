import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { on, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Check, type Target, up } from '../../../src/check/check.js'
import type { ProbeSpec } from '../../../src/check/probe-spec.js'
import type { CheckResult } from '../../../src/core/model.js'
import { openExecutors } from '../../../src/schedule/executors.js'
import { onCleanup } from '../../support/after-each.js'
import { targetOf } from '../../support/probe.js'
import { hangUpServer, httpServer, silentServer, tcpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const CHILD = fileURLToPath(new URL('../../support/executor-child.ts', import.meta.url))

type Told = CheckResult & { readonly stats?: ReturnType<ReturnType<typeof openExecutors>['stats']> }

/** A process with executors; `limit` is how many descriptors it may have. */
function child(args: readonly (number | string)[], limit: number | null = null): ChildProcess {
  const node = [process.execPath, '--import', 'tsx', CHILD, ...args.map(String)]
  const command = limit === null ? node : ['/bin/sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh', ...node]
  const spawned = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onCleanup(() => spawned.kill('SIGKILL'))
  return spawned
}

/** Messages of the child until there are `count` of them. Rejects if it ends before. */
async function listen(process: ChildProcess, count: number): Promise<Told[]> {
  const told: Told[] = []
  const ended = new AbortController()
  const end = () => ended.abort()
  process.once('exit', end)
  for await (const [message] of on(process, 'message', { signal: ended.signal })) {
    told.push(message)
    if (told.length >= count) break
  }
  process.off('exit', end)
  return told
}

function connecting({ address, port }: Target): ProbeSpec {
  return {
    kind: 'tcp',
    address,
    port,
    send: new Uint8Array(),
    end: false,
    reset: false,
    judge: { kind: 'connected' },
  }
}

const probing = { probe: connecting } as Pick<Check, 'probe'> as Check
const coded = { run: async () => up('by code') } as Pick<Check, 'run'> as Check

type Engine = 'portable' | 'native'

/** Executors and their results; `all` comes true with the result number `count`. */
function collectedBy(engine: Engine, count: number) {
  const results = new Map<string, CheckResult[]>()
  let left = count
  let finish = () => {}
  const all = new Promise<void>(resolve => {
    finish = resolve
  })
  const report = (id: string, result: CheckResult) => {
    results.set(id, [...(results.get(id) ?? []), result])
    if (--left === 0) finish()
  }
  const executors = openExecutors(report, 100, { engine })
  onCleanup(() => executors.close())
  return { executors, results, all }
}

for (const engine of ['portable', 'native'] as const) describe(`executors, ${engine}`, () => suite(engine))

function suite(engine: Engine): void {
  const collected = (count: number) => collectedBy(engine, count)

  it('return a result if a user check fails to return its probe', async () => {
    const { executors, results, all } = collected(1)
    const broken = {
      name: 'mine',
      probe: () => {
        throw new Error('no such option')
      },
    } as unknown as Check
    const real = await tcpServer(() => {})
    executors.set(
      'mine',
      { check: broken, target: targetOf(real), options: {} },
      { interval: 60_000, timeout: 1000, firstIn: 0 },
    )
    await all
    const [result] = results.get('mine') ?? []
    assert.deepEqual([result?.ok, result?.reason], [false, 'error'])
    assert.match(result?.detail ?? '', /no such option/)
  })

  it('run probes and code at the same time within one limit', async () => {
    const server = await httpServer((_request, response) => response.end())
    const { executors, results } = collected(2)
    const timing = { interval: 60_000, timeout: 1000, firstIn: 0 }
    executors.set('probe', { check: probing, target: targetOf(server), options: {} }, timing)
    executors.set('code', { check: coded, target: targetOf(server), options: {} }, timing)
    assert.equal(executors.stats().jobs, 2)
    await until(() => results.has('probe') && results.has('code'))
    assert.equal(results.get('probe')?.[0]?.detail, 'connected')
    assert.equal(results.get('code')?.[0]?.detail, 'by code')
    await until(() => executors.stats().running === 0)
  })

  it('move a job to the other executor when its work changes', async () => {
    const server = await httpServer((_request, response) => response.end())
    const { executors, results, all } = collected(1)
    const timing = { interval: 60_000, timeout: 1000, firstIn: 0 }
    executors.set('a', { check: probing, target: targetOf(server), options: {} }, timing)
    executors.set('a', { check: coded, target: targetOf(server), options: {} }, timing)
    assert.equal(executors.stats().jobs, 1)
    await all
    assert.equal(results.get('a')?.[0]?.detail, 'by code')
    executors.remove('a')
    assert.equal(executors.stats().jobs, 0)
  })

  it('pass a job to code when its probe leaves the verdict to it', async () => {
    let asked = 0
    const server = await httpServer((_request, response) => {
      asked++
      response.writeHead(302, { location: '/other' }).end()
    })
    const judge = {
      kind: 'http',
      method: 'GET',
      status: [[200, 299]],
      defer: [[301, 303]],
      match: null,
    } as const
    const check = {
      probe: target => ({
        ...connecting(target),
        send: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
        judge: { ...judge, limit: 1000 },
      }),
      run: async () => up('by code'),
    } as Pick<Check, 'probe' | 'run'> as Check
    const { executors, results, all } = collected(2)
    executors.set(
      'a',
      { check, target: targetOf(server), options: {} },
      { interval: 200, timeout: 1000, firstIn: 0 },
    )
    await all
    assert.deepEqual(
      results.get('a')?.map(({ detail }) => detail),
      ['by code', 'by code'],
    )
    assert.equal(asked, 1)
    assert.equal(executors.stats().jobs, 1)
    assert.equal(executors.stats().noVerdicts, 0)
  })

  it('run a check early', async () => {
    const server = await hangUpServer()
    const { executors, results, all } = collected(2)
    const timing = { interval: 60_000, timeout: 1000, firstIn: 0 }
    executors.set('a', { check: coded, target: targetOf(server), options: {} }, timing)
    executors.soon('a', 1)
    setTimeout(() => executors.soon('a', 1), 120)
    await all
    assert.equal(results.get('a')?.length, 2)
  })

  it('reserve descriptors for lvsd itself', async () => {
    const server = await silentServer()
    const check = {
      probe: target => ({ ...connecting(target), judge: { kind: 'any' } }) as ProbeSpec,
    } as Pick<Check, 'probe'> as Check
    const executors = openExecutors(() => {}, 1000, { descriptors: 64 + 4, engine })
    onCleanup(() => executors.close())
    for (let i = 0; i < 20; i++) {
      const work = { check, target: targetOf(server), options: {} }
      executors.set(`${i}`, work, { interval: 60_000, timeout: 10_000, firstIn: 0 })
    }
    // The core keeps a quarter for its own runs if the engine has the probes.
    const most = engine === 'native' ? 3 : 4
    await until(() => executors.stats().running === most && executors.waiting() === 20 - most)
  })

  it('report no failure because of a stop of the process', async function () {
    this.timeout(60_000)
    // Each answer takes 200 of the 600 ms, so that some are always under way when the process is stopped.
    const server = await tcpServer(socket => {
      socket.once('data', () => setTimeout(() => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'), 200))
    })
    const process = child([server.port, 40, 600, 0, engine])
    await listen(process, 50)
    process.kill('SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, 900))
    process.kill('SIGCONT')
    const told = await listen(process, 50)
    assert.deepEqual([...new Set(told.map(result => result.reason))], [null])
    process.send('stats')
    const { stats } = (await listen(process, 40)).find(message => message.stats) as Told
    assert.ok(stats && stats.stalls >= 1 && stats.stalledFor >= 800, JSON.stringify(stats))
  })

  it('give no verdict when no descriptor is left', async function () {
    this.timeout(60_000)
    const server = await httpServer((_request, response) => response.end('hello'))
    // More than the loader needs, which opens a hundred files at once.
    const process = child([server.port, 5, 300, 1, engine], 1000)
    const told = await listen(process, 10)
    for (const { ok, reason, detail } of told) {
      assert.deepEqual([ok, reason], [null, 'no-verdict'])
      assert.match(detail, /no file descriptor left.*EMFILE/)
    }
    process.kill('SIGKILL')
    await once(process, 'exit')
  })
}
