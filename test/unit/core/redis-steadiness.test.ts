import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RedisReason } from '../../../src/core/redis-fault.js'
import {
  LOSSES,
  STAYS,
  STEADY,
  type SteadinessEvent,
  type SteadinessStep,
  steadinessAfter,
  TELL_EVERY,
} from '../../../src/core/redis-steadiness.js'

/** Takes events at their times, and the times that are due in between. Returns what is told, and when. */
function told(events: readonly (readonly [number, 'there' | RedisReason])[], until: number) {
  const tells: { at: number; tells: NonNullable<SteadinessStep['tells']> }[] = []
  let held = STEADY
  let wakeAt = Infinity
  const step = (event: SteadinessEvent, at: number) => {
    const { next, tells: said, wakeAfter } = steadinessAfter(held, event, at)
    held = next
    wakeAt = wakeAfter === null ? Infinity : at + wakeAfter
    if (said) tells.push({ at, tells: said })
  }
  for (const [at, what] of [...events, [until, null] as const]) {
    for (let turns = 0; wakeAt <= at; turns++) {
      assert.ok(turns < 1000, 'no end')
      step({ kind: 'time' }, wakeAt)
    }
    if (what !== null) step(what === 'there' ? { kind: 'there' } : { kind: 'lost', reason: what }, at)
  }
  return { tells, held }
}

/** Lost and there in turn, every `every` milliseconds. */
function flapping(
  every: number,
  until: number,
  from = 0,
): readonly (readonly [number, 'there' | 'closed'])[] {
  return Array.from({ length: Math.floor((until - from) / every) }, (_, i) => [
    from + i * every,
    i % 2 === 0 ? 'closed' : 'there',
  ])
}

describe('redis-steadiness', () => {
  it('tells each loss that is alone, and its end', () => {
    const { tells } = told(
      [
        [0, 'closed'],
        [3000, 'there'],
        [400_000, 'closed'],
        [401_000, 'there'],
      ],
      500_000,
    )
    assert.deepEqual(tells, [
      { at: 0, tells: 'away' },
      { at: 3000, tells: 'back' },
      { at: 400_000, tells: 'away' },
      { at: 401_000, tells: 'back' },
    ])
  })

  it('tells once that it is unsteady, then every ten minutes, and its end when it has stayed', () => {
    const end = 1_800_000
    const { tells, held } = told(flapping(5000, end), end + STAYS + 1)
    assert.deepEqual(
      tells.map(each => each.tells),
      [
        ...['away', 'back', 'away', 'back'],
        { losses: LOSSES, within: 300_000 },
        { losses: 59, within: TELL_EVERY },
        { losses: 60, within: TELL_EVERY },
        { losses: 58, within: TELL_EVERY },
        'back',
      ],
    )
    assert.deepEqual([held.state, tells.at(-1)?.at], ['steady', end - 5000 + STAYS])
  })

  it('tells of an unsteady one that stays away', () => {
    const { tells } = told([...flapping(1000, 10_000), [10_000, 'refused']], 10_000 + STAYS)
    assert.deepEqual(tells.at(-1), { at: 10_000 + STAYS, tells: 'away' })
  })

  it('tells a loss for another reason', () => {
    const reasons = ['closed', 'OOM', 'READONLY', 'NOPERM', 'silent'] as const
    const { tells } = told(
      reasons.flatMap(
        (reason, i) =>
          [
            [i * 1000, reason],
            [i * 1000 + 500, 'there'],
          ] as const,
      ),
      10_000,
    )
    assert.deepEqual(tells.filter(each => each.tells === 'away').length, reasons.length)
  })

  it('tells little however fast it comes and goes, and in the end what is so', () => {
    const gap = fc.integer({ min: 1, max: 20_000 })
    fc.assert(
      fc.property(fc.array(gap, { minLength: 2, maxLength: 400 }), gaps => {
        let at = 0
        const events = gaps.map((each, i) => {
          at += each
          return [at, i % 2 === 0 ? 'closed' : 'there'] as const
        })
        const end = at + 2 * STAYS
        const { tells, held } = told(events, end)
        const isThere = gaps.length % 2 === 0
        assert.equal(held.state, isThere ? 'steady' : 'lost')
        assert.equal(tells.at(-1)?.tells, isThere ? 'back' : 'away')
        assert.ok(tells.length <= 6 + end / 30_000, `${tells.length} in ${end} ms`)
      }),
    )
  })
})
