import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BROUGHT_FORWARD,
  fullBudget,
  idleLimitOf,
  isFollowed,
  isIdleClose,
  isRefusal,
  isUnconnected,
  KNOCK_EVERY,
  KNOCKS_PER_SECOND,
  knockDistance,
  REST,
  restAfter,
  spend,
  untilNext,
  withAge,
} from '../../../src/core/hints.js'

describe('hints: the budget', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 400 })

  it('never allows more than the burst and the rate, whatever the times', () => {
    fc.assert(
      fc.property(steps, distances => {
        let budget = fullBudget(BROUGHT_FORWARD, 0)
        let [now, used] = [0, 0]
        for (const ms of distances) {
          now += ms
          const next = spend(budget, BROUGHT_FORWARD, now)
          if (next) {
            budget = next
            used++
          }
        }
        assert.ok(used <= BROUGHT_FORWARD.burst + (now * BROUGHT_FORWARD.perSecond) / 1000 + 0.001)
      }),
    )
  })

  it('allows one more after the time that it names, and not much earlier', () => {
    let budget = fullBudget(BROUGHT_FORWARD, 0)
    for (let next = spend(budget, BROUGHT_FORWARD, 0); next; next = spend(budget, BROUGHT_FORWARD, 0))
      budget = next
    const wait = untilNext(budget, BROUGHT_FORWARD, 0)
    assert.equal(wait, 10)
    assert.equal(spend(budget, BROUGHT_FORWARD, wait - 1), null)
    assert.notEqual(spend(budget, BROUGHT_FORWARD, wait), null)
  })

  it('does not grow when the clock goes back', () => {
    const budget = { left: 1, at: 1000 }
    assert.deepEqual(spend(budget, BROUGHT_FORWARD, 0), { left: 0, at: 0 })
  })
})

describe('hints: the check after a failed one', () => {
  const rows = [
    ['follows a refusal', { ok: false, reason: 'refused' }, 0, true],
    ['follows a reset', { ok: false, reason: 'reset' }, 3, true],
    ['follows a closed connection', { ok: false, reason: 'closed' }, 0, true],
    ['follows an unreachable server', { ok: false, reason: 'unreachable' }, 0, true],
    ['does not follow a timeout', { ok: false, reason: 'timeout' }, 0, false],
    ['does not follow a wrong status', { ok: false, reason: 'status' }, 0, false],
    ['does not follow a pass', { ok: true, reason: null }, 0, false],
    ['does not follow no verdict', { ok: null, reason: 'no-verdict' }, 0, false],
    ['does not follow without an end', { ok: false, reason: 'refused' }, 10, false],
  ] as const
  for (const [title, result, before, expected] of rows)
    it(title, () => assert.equal(isFollowed(result, before), expected))

  it('is a refusal if connect itself was refused', () => {
    assert.equal(isRefusal({ ok: false, reason: 'refused', phase: 'connect' }), true)
    assert.equal(isRefusal({ ok: false, reason: 'refused', phase: 'body' }), false)
    assert.equal(isRefusal({ ok: false, reason: 'timeout', phase: 'connect' }), false)
    assert.equal(isRefusal({ ok: null, reason: 'refused', phase: 'connect' }), false)
  })

  it('is knocked for if no connection could be made', () => {
    for (const reason of ['refused', 'unreachable', 'timeout'] as const) {
      assert.equal(isUnconnected({ ok: false, reason, phase: 'connect' }), true)
      assert.equal(isUnconnected({ ok: false, reason, phase: 'body' }), false)
      assert.equal(isUnconnected({ ok: false, reason, phase: null }), reason !== 'timeout')
      assert.equal(isUnconnected({ ok: null, reason, phase: 'connect' }), false)
    }
    assert.equal(isUnconnected({ ok: false, reason: 'reset', phase: 'connect' }), false)
  })
})

describe('hints: the age at which a server closes idle connections', () => {
  it('is unknown before two ages are alike', () => {
    assert.equal(idleLimitOf([]), null)
    assert.equal(idleLimitOf([5000]), null)
    assert.equal(idleLimitOf([5000, 9000, 700]), null)
  })

  it('is learned from two closes, also with other closes between', () => {
    assert.equal(idleLimitOf([5000, 5020]), 5010)
    assert.equal(idleLimitOf([5000, 12_000, 340, 5020]), 5010)
  })

  it('is forgotten when the last closes are unlike it', () => {
    const ages = [5000, 5000, 100, 900, 9000, 20_000].reduce<readonly number[]>(withAge, [])
    assert.equal(idleLimitOf(ages), null)
  })

  it('is found for each limit and each jitter within the tolerance', () => {
    const limits = fc.integer({ min: 100, max: 3_600_000 })
    const jitter = fc.double({ min: -0.5, max: 0.5, noNaN: true })
    fc.assert(
      fc.property(limits, jitter, jitter, jitter, (limit, a, b, c) => {
        const age = (part: number) => limit + part * Math.max(200, limit * 0.04)
        const learned = idleLimitOf([age(a), age(b)])
        assert.ok(learned !== null)
        assert.ok(isIdleClose(learned, age(c)))
      }),
    )
  })

  it('does not explain a close that is much earlier or later', () => {
    assert.equal(isIdleClose(5000, 5100), true)
    assert.equal(isIdleClose(5000, 4000), false)
    assert.equal(isIdleClose(5000, 6000), false)
    assert.equal(isIdleClose(null, 5000), false)
  })
})

describe('hints: the rest of a sentinel', () => {
  const anyRest = fc.tuple(fc.nat(7_200_000), fc.oneof(fc.constant(0), fc.nat(100_000_000)))

  it('is short where the server has served beside it, and twice as long each time, up to an hour', () => {
    const rests = (servedFor: number) => {
      const all = [restAfter(0, servedFor)]
      for (let i = 0; i < 12; i++) all.push(restAfter(all.at(-1) ?? 0, servedFor))
      return all.map(ms => ms / 1000)
    }
    assert.deepEqual(rests(100).slice(0, 5), [5, 10, 20, 40, 80])
    assert.deepEqual(rests(0).slice(0, 5), [60, 120, 240, 480, 960])
    assert.deepEqual([rests(100).at(-1), rests(0).at(-1)], [3600, 3600])
  })

  it('begins anew once the server has long served beside it', () => {
    assert.equal(restAfter(40_000, 400_000), 5000)
    assert.equal(restAfter(40_000, 399_999), 80_000)
    assert.equal(restAfter(40_000, 0), 80_000)
  })

  it('has its bounds, and is never shorter where the server has not served beside it', () => {
    fc.assert(
      fc.property(anyRest, ([last, servedFor]) => {
        const rest = restAfter(last, servedFor)
        assert.ok(rest >= REST.served && rest <= REST.most)
        assert.ok(servedFor > 0 || rest >= Math.max(REST.first, Math.min(2 * last, REST.most)))
      }),
    )
  })
})

describe('hints: the distance of knocks', () => {
  it('gives each server its turn every 200 ms, and the director its limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), servers => {
        const distance = knockDistance(servers)
        assert.ok(1000 / distance <= KNOCKS_PER_SECOND)
        assert.ok(distance * Math.max(1, servers) >= KNOCK_EVERY - 0.001)
      }),
    )
    assert.equal(knockDistance(1), KNOCK_EVERY)
  })
})
