import assert from 'node:assert/strict'
import { check as http } from '../checks/http.js'
import type { Answer, Check } from '../src/check.js'
import { down, noVerdict, up } from '../src/check.js'
import { combined } from '../src/combined.js'
import { jobsOf } from '../src/jobs.js'
import { runCheck } from '../src/run-check.js'
import { configOf } from './config/config-of.js'
import { targetOf } from './helpers/probe.js'
import { refusedPort, tcpServer } from './helpers/servers.js'

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

/** What each of so many runs said: `check`, `connect`, or a reason. */
async function runs(check: Check, port: number, count: number): Promise<string[]> {
  const said: string[] = []
  for (let i = 0; i < count; i++) {
    const { ok, detail, reason } = await runCheck({ check, target: targetOf(port), options: {} }, 500)
    said.push(ok ? (detail === 'asked' ? 'check' : 'connect') : String(reason))
  }
  return said
}

describe('a check with connects between its runs', () => {
  it('runs, then so many connects, then again', async () => {
    const server = await tcpServer(socket => socket.end())
    const { check } = answering()
    const said = await runs(combined(check, 3), server.port, 9)
    assert.deepEqual(
      said.map(word => word === 'check'),
      [true, false, false, false, true, false, false, false, true],
    )
    assert.equal(server.count(), 6)
  })

  it('runs again and again while it fails', async () => {
    const server = await tcpServer(socket => socket.end())
    const failing = answering(down('status', 'no'), new Error('broken'), down('status', 'no'))
    assert.deepEqual(await runs(combined(failing.check, 2), server.port, 6), [
      'status',
      'error',
      'status',
      'check',
      'connect',
      'connect',
    ])
  })

  it('runs next where a connect fails', async () => {
    const { check } = answering()
    assert.deepEqual(await runs(combined(check, 5), await refusedPort(), 4), [
      'check',
      'refused',
      'check',
      'refused',
    ])
  })

  it('does not move where there is no verdict', async () => {
    const server = await tcpServer(socket => socket.end())
    const { check } = answering(up('asked'), noVerdict('no descriptors'))
    const said = await runs(combined(check, 1), server.port, 5)
    assert.deepEqual(said, ['check', 'connect', 'no-verdict', 'check', 'connect'])
  })

  it('runs next where it is given up at the deadline, whatever it says later', async () => {
    const server = await tcpServer(socket => socket.end())
    const late: Check = {
      ...answering().check,
      run: () => new Promise(resolve => setTimeout(resolve, 80, up('asked'))),
    }
    const check = combined(late, 5)
    const work = { check, target: targetOf(server.port), options: {} }
    assert.equal((await runCheck(work, 30)).reason, 'timeout')
    await new Promise(soon => setTimeout(soon, 100))
    assert.deepEqual(await runs(check, server.port, 2), ['check', 'connect'])
  })

  it('runs checks that are data, too', async () => {
    let asked = 0
    const server = await tcpServer(socket => {
      socket.once('data', () => {
        asked++
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    const { services } = await configOf(`
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: http, connects: 2, receive: ok }
    reals: ['[::1]:${server.port}']
`)
    const config = { services } as Parameters<typeof jobsOf>[0]
    const { jobs } = jobsOf(config, new Map([['http', http as unknown as Check]]))
    const [job] = jobs.values()
    assert(job)
    for (let i = 0; i < 6; i++) {
      const { ok, detail } = await runCheck({ ...job, options: job.use.options }, 2000)
      assert.equal(ok, true, detail)
    }
    assert.deepEqual([asked, server.count()], [2, 6])
  })
})
