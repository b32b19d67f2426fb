import assert from 'node:assert/strict'
import { defineCheck } from '../../../src/check/check.js'
import { parseAddress } from '../../../src/core/address.js'
import type { CheckResult } from '../../../src/core/model.js'
import type { Job } from '../../../src/health/jobs.js'
import { EarlyChecks } from '../../../src/hints/early-checks.js'
import type { TcpEvents } from '../../../src/hints/tcp.js'
import { FakeClock } from '../../support/fake-clock.js'

const address = parseAddress('2001:db8::1') as NonNullable<ReturnType<typeof parseAddress>>
const kind = (name: string, more = {}) =>
  defineCheck({
    name,
    summary: '',
    options: () => ({}),
    run: async () => ({ ok: true, reason: null, detail: '' }),
    ...more,
  })

function jobOf(id: string, port: number, check = kind('http')): Job {
  return {
    id,
    check,
    target: { address, port },
    use: { options: {}, policy: { timeout: 3000 } },
    answer: null,
  } as unknown as Job
}

const PASS: CheckResult = { ok: true, reason: null, detail: '', phase: null, ms: 1, phases: [] }
const REFUSED: CheckResult = { ...PASS, ok: false, reason: 'refused', phase: 'connect' }

function rig({ most = 100, isBroken = false, lacking = 0 } = {}) {
  const clock = new FakeClock()
  const told: string[] = []
  const atOnce: string[] = []
  const givenUp: string[] = []
  const connections: (TcpEvents & { port: number })[] = []
  const early = new EarlyChecks({
    clock,
    most,
    log: { warn: (event, fields) => void told.push(`${event} ${JSON.stringify(fields)}`) },
    executors: {
      atOnce: id => void atOnce.push(id),
      next: () => ({ in: 1000, isRunning: false }),
      giveUpConnecting: id => void givenUp.push(id),
    },
    isChanging: () => false,
    openTcp: () => {
      if (isBroken) throw new Error('no epoll')
      if (lacking-- > 0) throw Object.assign(new Error('epoll_create1'), { code: 'EMFILE' })
      return {
        connect: ({ port }, _source, on) => {
          connections.push({ ...on, port })
          return { drop: () => {} }
        },
        close: () => {},
      }
    },
  })
  const follow = (jobs: readonly Job[], isKnocking = true) =>
    early.follow({
      jobs: new Map(jobs.map(job => [job.id, job])),
      watched: new Set(jobs.map(({ id }) => id)),
      isKnocking,
      hasEarlyLimit: id => id !== 'patient',
    })
  const result = (id: string, given: CheckResult) => {
    const seen: CheckResult[] = []
    early.passOn(id, given, explained => seen.push(explained))
    clock.wind(250)
    return seen[0]
  }
  return { clock, told, atOnce, givenUp, connections, early, follow, result }
}

describe('early-checks', () => {
  it('tells the health why a check came early, and shows what it knows', () => {
    const { connections, early, atOnce, follow, result } = rig()
    follow([jobOf('a', 80), jobOf('b', 80)])
    result('a', PASS)
    connections[0]?.opened()
    assert.equal(early.snapshot().of('b').sentinel?.state, 'watching')
    connections[0]?.ended(null)
    assert.deepEqual(atOnce, ['a', 'b'])
    const seen = result('a', { ...REFUSED, isEarly: true })
    assert.match(seen?.hint ?? '', /^the idle connection to the server was closed after/)
    assert.equal(seen?.isEarly, undefined)
    const { given, broughtForward, knocking, of } = early.snapshot()
    assert.deepEqual([given.sentinel, broughtForward, knocking], [1, 2, 1])
    assert.equal(of('a').isKnocking, true)
    assert.equal(of('a').last?.kind, 'sentinel')
  })

  it('lets a check fail early whose server is silent while clients get no answer, unless it shall not', () => {
    const { clock, early, givenUp, follow, result } = rig()
    follow([jobOf('a', 80), jobOf('patient', 81)])
    for (const id of ['a', 'patient']) result(id, { ...PASS, phases: [{ phase: 'connect', ms: 2 }] })
    early.hints.give(['a', 'patient'], { kind: 'half-open', detail: 'clients wait', isStrong: true })
    clock.wind(300)
    assert.deepEqual(givenUp, ['a'])
    const timedOut = { ...PASS, ok: false, reason: 'timeout', phase: 'connect', isEarly: true } as const
    const seen = result('a', { ...timedOut, detail: 'no connection within 300 ms' })
    assert.equal(seen?.detail, 'no connection within 300 ms, and no answer to 6 more attempts')
    assert.equal(seen?.hint, 'clients wait')
  })

  it('opens connections as soon as there are descriptors', () => {
    const { connections, told, follow, result } = rig({ lacking: 2 })
    follow([jobOf('a', 80)])
    result('a', PASS)
    result('a', REFUSED)
    assert.equal(connections.length, 0)
    result('a', REFUSED)
    assert.equal(connections.length, 1)
    assert.deepEqual(told, [])
  })

  it('knows no server whose check is no TCP connection', () => {
    const { connections, follow, result } = rig()
    follow([jobOf('a', 53, kind('udp', { connects: false })), jobOf('b', 0)])
    for (const id of ['a', 'b']) {
      result(id, PASS)
      result(id, REFUSED)
    }
    assert.deepEqual(connections, [])
  })

  it('leaves servers alone that refuse where knocking is off', () => {
    const { connections, follow, result } = rig()
    follow([jobOf('a', 80)], false)
    result('a', REFUSED)
    assert.deepEqual(connections, [])
  })

  it('tells how many servers get no sentinel, once', () => {
    const { told, early, follow } = rig({ most: 2 })
    const jobs = [1, 2, 3, 4, 5].map(port => jobOf(`${port}`, port))
    follow(jobs)
    follow(jobs)
    assert.deepEqual(told, ['sentinel.left-out {"count":3,"most":2}'])
    assert.equal(early.snapshot().sentinels['left-out'], 3)
    assert.equal(early.snapshot().of('5').sentinel?.state, 'left-out')
  })

  it('tells once that the machine cannot open connections, and goes on', () => {
    const { told, follow, result } = rig({ isBroken: true })
    follow([jobOf('a', 80)])
    for (let i = 0; i < 10; i++) result('a', PASS)
    assert.deepEqual(told, ['hint.unavailable {"error":"no epoll"}'])
  })
})
