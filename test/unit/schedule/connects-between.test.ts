import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { check as http } from '../../../checks/http.js'
import type { Answer, Check } from '../../../src/check/check.js'
import { down, noVerdict, up } from '../../../src/check/check.js'
import { runOnce } from '../../../src/check/run.js'
import { startCheck } from '../../../src/check/run-code.js'
import type { CheckResult } from '../../../src/core/model.js'
import { jobsOf, workOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { type BeginRun, withConnectsBetween } from '../../../src/schedule/connects-between.js'
import { openExecutors } from '../../../src/schedule/executors.js'
import { onCleanup } from '../../support/after-each.js'
import { configOf } from '../../support/config/config-of.js'
import { targetOf } from '../../support/probe.js'
import { refusedPort, tcpServer } from '../../support/servers.js'

/** A check that gives these answers one after the other, and then passes. */
function answering(...answers: (Answer | Error)[]) {
  const asked: number[] = []
  const check: Check = {
    name: 'test',
    summary: 'a test',
    options: () => ({}),
    run: async () => {
      asked.push(1)
      const answer = answers.shift() ?? up('asked')
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  return { check, asked }
}

/** A job of a check with so many connects between its runs. */
function combine(check: Check, connects: number, port: number): BeginRun {
  const target = targetOf(port)
  const begin: BeginRun = (timeout, done) => startCheck({ check, target, options: {} }, timeout, done)
  return withConnectsBetween(begin, target, connects)
}

function runWithin(begin: BeginRun, timeout: number) {
  return runOnce((_, within, done, traced) => begin(within, done, traced), null, timeout)
}

/** What each of so many runs said: `check`, `connect`, or a reason. */
async function runs(begin: BeginRun, count: number): Promise<string[]> {
  const said: string[] = []
  for (let i = 0; i < count; i++) {
    const { ok, detail, reason } = await runWithin(begin, 5000)
    said.push(ok ? (detail === 'asked' ? 'check' : 'connect') : String(reason))
  }
  return said
}

describe('connects-between: a check with connects between its runs', () => {
  it('runs, then connects run the given number of times, then it runs again', async () => {
    const server = await tcpServer(socket => socket.end())
    const { check } = answering()
    const said = await runs(combine(check, 3, server.port), 9)
    assert.deepEqual(
      said.map(word => word === 'check'),
      [true, false, false, false, true, false, false, false, true],
    )
    assert.equal(server.count(), 6)
  })

  it('runs each time while it fails', async () => {
    const server = await tcpServer(socket => socket.end())
    const failing = answering(down('status', 'no'), new Error('broken'), down('status', 'no'))
    assert.deepEqual(await runs(combine(failing.check, 2, server.port), 6), [
      'status',
      'error',
      'status',
      'check',
      'connect',
      'connect',
    ])
  })

  it('runs next after a connect fails', async () => {
    const { check } = answering()
    assert.deepEqual(await runs(combine(check, 5, await refusedPort()), 4), [
      'check',
      'refused',
      'check',
      'refused',
    ])
  })

  it('runs next again if there is no verdict', async () => {
    const server = await tcpServer(socket => socket.end())
    const { check } = answering(up('asked'), noVerdict('no descriptors'))
    const said = await runs(combine(check, 1, server.port), 5)
    assert.deepEqual(said, ['check', 'connect', 'no-verdict', 'check', 'connect'])
  })

  it('runs next after a timeout, even if its answer arrives later', async () => {
    const server = await tcpServer(socket => socket.end())
    let answer: (late: Answer) => void = () => {}
    const late: Check = {
      ...answering().check,
      run: () =>
        new Promise(resolve => {
          answer = resolve
        }),
    }
    const begin = combine(late, 5, server.port)
    assert.equal((await runWithin(begin, 30)).reason, 'timeout')
    answer(up('asked'))
    await setImmediate()
    late.run = async () => up('asked')
    assert.deepEqual(await runs(begin, 2), ['check', 'connect'])
  })

  it('also works for checks that are probes', async () => {
    let asked = 0
    const server = await tcpServer(socket => {
      socket.once('data', () => {
        asked++
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const asRead = await configOf(`
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, connects: 2, receive: ok }
    reals: ['[::1]:${server.port}']
`)
    const { config } = resolveConfig(asRead, new Map())
    const { jobs } = jobsOf(config, new Map([['http', http as unknown as Check]]))
    const [job] = jobs.values()
    assert(job)
    const results: CheckResult[] = []
    let finish = () => {}
    const six = new Promise<void>(resolve => {
      finish = resolve
    })
    const executors = openExecutors((_id, result) => {
      if (results.push(result) === 6) finish()
    }, 100)
    onCleanup(() => executors.close())
    executors.set(job.id, workOf(job), { interval: 50, timeout: 2000, firstIn: 0 })
    await six
    executors.remove(job.id)
    for (const { ok, detail } of results) assert.equal(ok, true, detail)
    assert.deepEqual([asked, server.count()], [2, 6])
  })
})
