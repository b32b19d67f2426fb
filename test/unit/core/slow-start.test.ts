import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { HealthState } from '../../../src/core/model.js'
import {
  nextRise,
  nextStepAt,
  type Rise,
  type SlowStart,
  shareAt,
  sharedWeight,
} from '../../../src/core/slow-start.js'

const POLICY: SlowStart = { for: 60_000, from: 10 }
const NEW = { phase: 'new', isJoining: false } as const
const JOINING = { phase: 'new', isJoining: true } as const
const DOWN = { phase: 'down' } as const
const FULL = { phase: 'full' } as const
const RISING = { phase: 'rising', since: 1000 } as const

function after(
  rise: Rise,
  state: HealthState,
  { isIn = false, policy = POLICY as SlowStart | null, now = 2000 } = {},
): Rise {
  return nextRise(rise, { state, isInService: () => isIn, policy, now })
}

describe('slow-start: nextRise', () => {
  const begun = { phase: 'rising', since: 2000 } as const
  const rows: [string, Rise, HealthState, Parameters<typeof after>[2], Rise][] = [
    ['begins when a server is up after it was down', DOWN, 'up', {}, begun],
    ['begins for a server that joins others', JOINING, 'up', {}, begun],
    ['does not begin at a start for a server that the kernel had', JOINING, 'up', { isIn: true }, FULL],
    ['does not begin where the whole service starts', NEW, 'up', {}, FULL],
    ['goes on while the server is up', RISING, 'up', {}, RISING],
    ['goes on while the state is unknown', RISING, 'unknown', {}, RISING],
    ['ends after its time', RISING, 'up', { now: 61_000 }, FULL],
    ['ends where the setting is gone', RISING, 'up', { policy: null }, FULL],
    ['ends when the server is down', RISING, 'down', {}, DOWN],
    ['does not begin again for a server that stays up', FULL, 'up', {}, FULL],
    ['waits for a verdict after the server was down', DOWN, 'unknown', {}, DOWN],
    ['does not begin without the setting', DOWN, 'up', { policy: null }, FULL],
  ]
  for (const [name, rise, state, more, expected] of rows)
    it(name, () => {
      assert.deepEqual(after(rise, state, more), expected)
    })
})

describe('slow-start: the weight', () => {
  /** The weights of a server at each change, with the milliseconds after the begin. */
  const stepsOf = (policy: SlowStart, weight: number): [number, number][] => {
    let rise: Rise = { phase: 'rising', since: 0.3 }
    const steps: [number, number][] = [[0, sharedWeight(weight, shareAt(rise, policy, 0.3))]]
    for (let now = 0.3; rise.phase === 'rising'; ) {
      now = nextStepAt(rise, policy, weight, now) ?? assert.fail('no step')
      rise = nextRise(rise, { state: 'up', isInService: () => true, policy, now })
      steps.push([Math.round(now), sharedWeight(weight, shareAt(rise, policy, now))])
    }
    return steps
  }

  it('rises in ten steps', () => {
    const weights = stepsOf(POLICY, 100)
    assert.deepEqual(weights.slice(0, 3), [
      [0, 10],
      [6000, 19],
      [12_000, 28],
    ])
    assert.deepEqual(weights.slice(-2), [
      [54_000, 91],
      [60_000, 100],
    ])
    assert.equal(weights.length, 11)
  })

  it('rises at most once a second', () => {
    assert.deepEqual(stepsOf({ for: 5000, from: 10 }, 100), [
      [0, 10],
      [1000, 28],
      [2000, 46],
      [3000, 64],
      [4000, 82],
      [5000, 100],
    ])
    assert.deepEqual(stepsOf({ for: 1500, from: 50 }, 10), [
      [0, 5],
      [1000, 8],
      [1500, 10],
    ])
    assert.deepEqual(stepsOf({ for: 1, from: 50 }, 10), [
      [0, 5],
      [1, 10],
    ])
  })

  it('leaves out steps that round to the same weight', () => {
    assert.deepEqual(stepsOf(POLICY, 3), [
      [0, 1],
      [30_000, 2],
      [54_000, 3],
      [60_000, 3],
    ])
    assert.deepEqual(stepsOf(POLICY, 1), [
      [0, 1],
      [60_000, 1],
    ])
  })

  const policies = fc.record({
    for: fc.integer({ min: 1, max: 3_600_000 }),
    from: fc.integer({ min: 1, max: 100 }),
  })
  const weights = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }))

  it('never falls, is never above the weight, never 0 unless the weight is, and ends at the weight', () => {
    fc.assert(
      fc.property(policies, weights, (policy, weight) => {
        const steps = stepsOf(policy, weight)
        for (const [i, [at, now]] of steps.entries()) {
          assert.ok(now >= Math.min(1, weight) && now <= weight)
          assert.ok(now >= (steps[i - 1]?.[1] ?? 0))
          // Each step but the last, the end, changes the weight.
          if (i > 0 && i < steps.length - 1) assert.ok(now > (steps[i - 1]?.[1] ?? 0))
          if (i > 0) assert.ok(at >= (steps[i - 1]?.[0] ?? 0))
        }
        assert.ok(steps.length <= 11)
        assert.deepEqual(steps.at(-1), [policy.for, weight])
      }),
    )
  })

  it('is at most one step below the line', () => {
    fc.assert(
      fc.property(policies, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (policy, part) => {
        const elapsed = part * policy.for
        const line = policy.from / 100 + (1 - policy.from / 100) * part
        const share = shareAt({ phase: 'rising', since: 0 }, policy, elapsed)
        assert.ok(share <= line + 1e-6)
        assert.ok(share >= policy.from / 100)
        if (policy.for >= 10_000) assert.ok(share > line - 0.1001)
      }),
    )
  })
})

describe('slow-start: any history', () => {
  type Event =
    | { kind: 'state'; state: HealthState; isIn: boolean }
    | { kind: 'policy'; policy: SlowStart | null }
    | { kind: 'time'; ms: number }
  const anyPolicy = fc.option(
    fc.record({ for: fc.integer({ min: 1, max: 30_000 }), from: fc.integer({ min: 1, max: 100 }) }),
  )
  const anyEvent: fc.Arbitrary<Event> = fc.oneof(
    fc.record({
      kind: fc.constant('state' as const),
      state: fc.constantFrom('up', 'up', 'down', 'unknown'),
      isIn: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('policy' as const), policy: anyPolicy }),
    fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
  )

  it('begins a rise only when a server comes up from down, or joins; ends as if each step had been taken', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(anyEvent, { maxLength: 40 }), (isJoining, events) => {
        let rise: Rise = { phase: 'new', isJoining }
        let [now, policy, state, isIn] = [0, POLICY as SlowStart | null, 'unknown' as HealthState, false]
        for (const event of events) {
          if (event.kind === 'time') now += event.ms
          if (event.kind === 'policy') policy = event.policy
          if (event.kind === 'state') [state, isIn] = [event.state, event.isIn]
          const before: Rise = rise
          rise = nextRise(before, { state, isInService: () => isIn, policy, now }) as Rise
          // Looking twice is looking once.
          assert.equal(nextRise(rise, { state, isInService: () => isIn, policy, now }), rise)
          if (rise.phase === 'rising' && before.phase !== 'rising') {
            assert.deepEqual([rise.since, state], [now, 'up'])
            assert.ok(before.phase === 'down' || (before.phase === 'new' && isJoining && !isIn))
          }
          if (rise.phase === 'rising') assert.ok(policy && now < rise.since + policy.for)
          const isDown: boolean = state === 'down' || (before.phase === 'down' && state !== 'up')
          assert.equal((rise.phase as string) === 'down', isDown)
          if (before.phase === 'full' && state !== 'down') assert.equal(rise.phase, 'full')
        }
      }),
    )
  })
})
