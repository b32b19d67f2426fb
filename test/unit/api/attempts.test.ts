/** Limits of the API: wrong tokens, and requests of one token. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { clientOf, FailedAttempts, RateLimit } from '../../../src/api/attempts.js'

describe('attempts: a client', () => {
  it('is an IPv4 address, or a /64', () => {
    assert.equal(clientOf('192.0.2.1'), '192.0.2.1')
    assert.equal(clientOf('::ffff:192.0.2.1'), '192.0.2.1')
    assert.equal(clientOf('2001:db8::1'), '2001:0db8:0000:0000')
    assert.equal(clientOf('2001:db8:0:0:ffff::'), clientOf('2001:db8::1'))
    assert.notEqual(clientOf('2001:db8:0:1::1'), clientOf('2001:db8::1'))
    assert.equal(clientOf('fe80::1%eth0'), 'fe80:0000:0000:0000')
    assert.equal(clientOf('::1'), '0000:0000:0000:0000')
  })

  it('waits longer after each failure, and is refused after ten within a minute', () => {
    let now = 0
    const attempts = new FailedAttempts(() => now)
    const waits = Array.from({ length: 10 }, () => attempts.failed('a'))
    assert.deepEqual(waits.slice(0, 6), [100, 200, 400, 800, 1600, 3000])
    assert.equal(attempts.waitOf('a'), 60_000)
    assert.equal(attempts.waitOf('b'), 0)
    now += 59_999
    assert.equal(attempts.waitOf('a'), 1)
    now += 1
    assert.equal(attempts.waitOf('a'), 0)
    assert.equal(attempts.failed('a'), 100)
  })
})

describe('attempts: the requests of a token', () => {
  it('are at most 200 at once and 100 a second, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3000 }), { maxLength: 400 }), pauses => {
        let now = 0
        const rates = new RateLimit(() => now)
        let allowed = 0
        for (const pause of pauses) {
          now += pause
          if (rates.take('a') === 0) allowed++
          assert.ok(allowed <= 200 + (now / 1000) * 100 + 1)
        }
      }),
    )
  })

  it('are allowed again after the time that is told', () => {
    let now = 0
    const rates = new RateLimit(() => now)
    for (let i = 0; i < 200; i++) assert.equal(rates.take('a'), 0)
    const wait = rates.take('a')
    assert.ok(wait > 0 && wait <= 10)
    assert.equal(rates.take('b'), 0)
    now += wait
    assert.equal(rates.take('a'), 0)
  })

  it('are remembered for a limited number of names, those that asked last', () => {
    const rates = new RateLimit(() => 0)
    for (let i = 0; i < 200; i++) rates.take('first')
    for (let i = 0; i < 4094; i++) rates.take(`other${i}`)
    assert.ok(rates.take('first') > 0)
    for (let i = 0; i < 4096; i++) rates.take(`next${i}`)
    assert.equal(rates.take('first'), 0)
  })
})
