import assert from 'node:assert/strict'
import { ATTEMPTS, EARLY_LIMIT, MOST_EARLY } from '../../../src/core/early-timeout.js'
import type { Hint } from '../../../src/core/hints.js'
import type { CheckResult } from '../../../src/core/model.js'
import { ConnectAttempts } from '../../../src/hints/connect-attempts.js'
import type { AskedEndpoint } from '../../../src/hints/endpoints.js'
import type { TcpEvents } from '../../../src/hints/tcp.js'
import { endpointsFrom } from '../../support/endpoints.js'
import { FakeClock } from '../../support/fake-clock.js'
import { address } from '../../support/tables.js'

const PASS: CheckResult = { ok: true, reason: null, detail: 'fine', phase: null, ms: 1, phases: [] }
const TIMEOUT: CheckResult = {
  ...PASS,
  ok: false,
  reason: 'timeout',
  detail: 'no connection',
  phase: 'connect',
  isEarly: true,
}
/** Of a run that a hint has brought forward. */
const EARLY_PASS: CheckResult = { ...PASS, isEarly: true }

const HINT: Hint = { kind: 'half-open', detail: 'clients wait', isStrong: true }

/** One endpoint for each job, but for `twin`, which shares that of `job 0`. */
function rig({ times = [2], timeout = 1000 as number | null, fails = '' } = {}) {
  const clock = new FakeClock()
  const begun = clock.now()
  const givenUp: string[] = []
  const given: string[] = []
  const made: (TcpEvents & { port: number; at: number; isDropped: boolean })[] = []
  const attempts: ConnectAttempts = new ConnectAttempts({
    clock,
    tcp: {
      connect: ({ port }, _source, on) => {
        if (fails) return fails
        const one = { ...on, port, at: clock.now() - begun, isDropped: false }
        made.push(one)
        const drop = () => {
          one.isDropped = true
        }
        return { drop }
      },
    },
    executors: { giveUpConnecting: id => void givenUp.push(`${id} after ${clock.now() - begun}`) },
    sourceOf: () => null,
    onHint: (ids, { detail }) => {
      given.push(`${ids}: ${detail} after ${clock.now() - begun}`)
      // As the check does that the hint brings forward.
      for (const id of ids) attempts.begin(id)
    },
  })
  const endpoints = Array.from({ length: 20 }, (_, i): AskedEndpoint => {
    const ids = i === 0 ? ['job 0', 'twin'] : [`job ${i}`]
    return { key: `${i}`, address: address('2001:db8::1'), port: i + 1, source: undefined, ids }
  })
  attempts.follow(endpointsFrom(endpoints), () => timeout)
  for (const ms of times)
    for (const id of ['twin', ...Array.from({ length: 20 }, (_, i) => `job ${i}`)])
      attempts.result(id, { ...PASS, phases: [{ phase: 'connect', ms }] })
  return { clock, attempts, givenUp, given, made }
}

describe('connect-attempts: a server that is silent', () => {
  it('is tried six times, and then its checks are given up', () => {
    const { clock, attempts, givenUp, made } = rig()
    attempts.begin('job 0')
    attempts.begin('twin')
    clock.wind(EARLY_LIMIT)
    assert.deepEqual(
      made.map(({ at }) => at),
      [0, 30, 60, 90, 120, 150],
    )
    assert.deepEqual(givenUp, ['job 0 after 250', 'twin after 250'])
    assert.ok(made.every(({ isDropped }) => isDropped))
    assert.equal(attempts.result('job 0', TIMEOUT).detail, 'no connection, and no answer to 6 more attempts')
    assert.equal(attempts.result('job 0', TIMEOUT).detail, 'no connection')
    assert.equal(clock.alarms, 0)
  })

  it('is left alone as soon as it answers one, or refuses it', () => {
    for (const answer of ['opened', 'ended'] as const) {
      const { clock, attempts, givenUp, made } = rig()
      attempts.begin('job 0')
      clock.wind(160)
      made[3]?.[answer]('ECONNREFUSED' as never)
      clock.wind(1000)
      assert.deepEqual([givenUp, made.length, clock.alarms], [[], ATTEMPTS.most, 0])
      assert.ok(made.every((one, i) => one.isDropped || i === 3 || answer === 'opened'))
    }
  })

  it('counts an answer that has arrived while this process was stopped', () => {
    const { clock, attempts, givenUp, made } = rig()
    attempts.begin('job 0')
    clock.wind(240)
    clock.arrive(() => made[5]?.opened())
    clock.stop(30)
    assert.deepEqual(givenUp, [])
  })

  it('is not judged by a step that comes late', () => {
    const { clock, attempts, givenUp, made } = rig()
    attempts.begin('job 0')
    clock.wind(200)
    clock.stop(5000)
    assert.deepEqual([givenUp, made.length, clock.alarms], [[], 6, 0])
  })

  it('is not told of where the check went on and timed out later', () => {
    const { clock, attempts, givenUp } = rig()
    attempts.begin('job 0')
    clock.wind(EARLY_LIMIT)
    assert.equal(givenUp.length, 1)
    const later: CheckResult = { ...TIMEOUT, detail: 'no answer', phase: 'first byte' }
    assert.equal(attempts.result('job 0', later), later)
  })

  it('does not fail a check that a reload has removed meanwhile, or its early time limit', () => {
    const { clock, attempts, givenUp } = rig()
    attempts.begin('job 0')
    attempts.begin('twin')
    clock.wind(100)
    attempts.follow(endpointsFrom([]), id => (id === 'twin' ? 1000 : null))
    clock.wind(1000)
    assert.deepEqual(givenUp, ['twin after 250'])
    attempts.follow(endpointsFrom([]), () => null)
    assert.equal(attempts.result('twin', TIMEOUT), TIMEOUT)
  })

  it('does not fail a check that had another result meanwhile', () => {
    const { clock, attempts, givenUp } = rig()
    attempts.begin('job 0')
    clock.wind(100)
    assert.equal(attempts.result('job 0', EARLY_PASS), EARLY_PASS)
    clock.wind(1000)
    assert.deepEqual(givenUp, [])
  })

  it('fails a check of which an earlier run has passed, also where that is told late', () => {
    const { clock, attempts, givenUp } = rig()
    attempts.begin('job 0')
    clock.wind(100)
    attempts.result('job 0', PASS)
    clock.wind(150)
    assert.deepEqual(givenUp, ['job 0 after 250'])
    attempts.result('job 0', PASS)
    assert.match(attempts.result('job 0', TIMEOUT).detail, /6 more attempts$/)
  })

  it('is not told of where the result comes much later, because the check went on', () => {
    const { clock, attempts } = rig()
    attempts.begin('job 0')
    clock.wind(EARLY_LIMIT + 2000)
    assert.equal(attempts.result('job 0', TIMEOUT), TIMEOUT)
  })
})

describe('connect-attempts: a server that is asked', () => {
  it('and silent gets the hint after 30 ms, and its checks are given up as long after the first attempt as ever', () => {
    const { clock, attempts, givenUp, given, made } = rig()
    attempts.ask(['job 0', 'twin'], HINT)
    attempts.ask(['job 0', 'twin'], HINT)
    clock.wind(EARLY_LIMIT)
    assert.deepEqual(given, ['job 0,twin: clients wait after 30'])
    assert.deepEqual(
      made.map(({ at }) => at),
      [0, 30, 60, 90, 120, 150],
    )
    assert.deepEqual(givenUp, ['job 0 after 250', 'twin after 250'])
    assert.equal(clock.alarms, 0)
  })

  it('and answers gets no hint, nor where the connect fails here, also where that is read late', () => {
    for (const code of ['none', 'EADDRNOTAVAIL', null]) {
      const { clock, attempts, givenUp, given, made } = rig()
      attempts.ask(['job 0'], HINT)
      clock.wind(20)
      clock.arrive(() => (code === 'none' ? made[0]?.opened() : made[0]?.ended(code)))
      clock.stop(500)
      clock.wind(1000)
      assert.deepEqual([given, givenUp, made.length, clock.alarms], [[], [], 1, 0])
    }
  })

  it('and refuses gets the hint at once, and its check is left to end', () => {
    const { clock, attempts, givenUp, given, made } = rig()
    attempts.ask(['job 0'], HINT)
    clock.wind(10)
    made[0]?.ended('ECONNREFUSED')
    clock.wind(1000)
    assert.deepEqual(given, ['job 0: clients wait; a connect is refused after 10'])
    assert.deepEqual([givenUp, made.length, clock.alarms], [[], 1, 0])
  })

  it('and refuses within the call gets the hint, any other failure of it none', () => {
    for (const fails of ['ECONNREFUSED', 'EMFILE']) {
      const { attempts, given } = rig({ fails })
      attempts.ask(['job 0'], HINT)
      assert.equal(given.length, fails === 'ECONNREFUSED' ? 1 : 0)
    }
  })

  it('and answers later than the hint keeps its check', () => {
    const { clock, attempts, givenUp, given, made } = rig()
    attempts.ask(['job 0'], HINT)
    clock.wind(200)
    made[0]?.opened()
    clock.wind(1000)
    assert.deepEqual([given.length, givenUp], [1, []])
  })

  it('is one whose check may fail early', () => {
    const { clock, attempts, given, made } = rig({ times: [26] })
    assert.equal(attempts.mayAsk('job 0'), false)
    attempts.ask(['job 0'], HINT)
    clock.wind(1000)
    assert.deepEqual([given, made.length, rig().attempts.mayAsk('job 0')], [[], 0, true])
  })
})

describe('connect-attempts', () => {
  it('are not made where connections take long, where none is known, or where the check shall not fail early', () => {
    for (const how of [{ times: [26] }, { times: [] }, { timeout: null }, { timeout: 250 }]) {
      const { clock, attempts, givenUp, made } = rig(how)
      attempts.begin('job 0')
      clock.wind(1000)
      assert.deepEqual([givenUp, made.length], [[], 0])
    }
  })

  it('are made for ten servers at a time at most', () => {
    const { clock, attempts, givenUp } = rig()
    for (let i = 0; i < 20; i++) attempts.begin(`job ${i}`)
    clock.wind(EARLY_LIMIT)
    assert.equal(givenUp.length, MOST_EARLY)
  })

  it('say nothing where a socket cannot be opened, and end with the director', () => {
    const without = rig({ fails: 'EMFILE' })
    without.attempts.begin('job 0')
    without.clock.wind(1000)
    assert.deepEqual(without.givenUp, [])
    const { clock, attempts, givenUp, made } = rig()
    attempts.begin('job 0')
    attempts.close()
    attempts.begin('job 1')
    clock.wind(1000)
    assert.deepEqual([givenUp, made.length, made[0]?.isDropped, clock.alarms], [[], 1, true, 0])
  })
})
