import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  areHoldsInForce,
  type Damping,
  type Flapping,
  heldUntil,
  nextFlapping,
  STEADY,
} from '../../../src/core/damping.js'
import type { HealthState } from '../../../src/core/model.js'

const POLICY: Damping = { changes: 3, within: 100, hold: 50 }

/** Plays `[ms, state]`, with `*` behind a state that an override decides. */
function play(
  events: readonly (readonly [number, string])[],
  from: Flapping = STEADY,
  policy: Damping | null = POLICY,
): Flapping {
  return events.reduce(
    (flapping, [now, word]) =>
      nextFlapping(flapping, {
        checked: word.replace('*', '') as HealthState,
        isOverridden: word.endsWith('*'),
        policy,
        now,
      }),
    from,
  )
}

describe('damping: nextFlapping', () => {
  const HELD = play([
    [0, 'up'],
    [10, 'down'],
    [20, 'up'],
    [30, 'down'],
  ])

  it('holds a server at the last of so many changes', () => {
    assert.deepEqual(HELD, { last: 'down', changes: [10, 20, 30], heldSince: 30 })
    assert.equal(heldUntil(HELD, POLICY), 80)
  })

  it('does not count the first state, nor the unknown', () => {
    const flapping = play([
      [0, 'unknown'],
      [5, 'down'],
      [10, 'unknown'],
      [20, 'down'],
      [30, 'up'],
      [40, 'unknown'],
      [50, 'up'],
    ])
    assert.deepEqual(flapping, { last: 'up', changes: [30], heldSince: null })
  })

  it('does not count changes that lie further apart', () => {
    const flapping = play([
      [0, 'up'],
      [10, 'down'],
      [60, 'up'],
      [111, 'down'],
    ])
    assert.equal(flapping.heldSince, null)
    assert.equal(play([[160, 'up']], flapping).heldSince, 160)
  })

  it('ends the hold at its end, whatever has changed meanwhile', () => {
    assert.equal(play([[79, 'up']], HELD).heldSince, 30)
    assert.equal(play([[80, 'down']], HELD).heldSince, null)
  })

  it('holds again a server that is still flapping', () => {
    const flapping = play(
      [
        [60, 'up'],
        [75, 'down'],
        [80, 'down'],
        [85, 'up'],
      ],
      HELD,
    )
    assert.deepEqual(flapping, { last: 'up', changes: [60, 75, 85], heldSince: 85 })
  })

  it('does not hold again one that has calmed down', () => {
    assert.deepEqual(
      play(
        [
          [80, 'down'],
          [131, 'up'],
        ],
        HELD,
      ),
      {
        last: 'up',
        changes: [20, 30, 131],
        heldSince: null,
      },
    )
  })

  it('does not count what happens while an override decides', () => {
    const flapping = play([
      [0, 'up'],
      [10, 'down*'],
      [20, 'up*'],
      [30, 'down*'],
      [40, 'down'],
    ])
    assert.deepEqual(flapping, { last: 'down', changes: [], heldSince: null })
  })

  it('forgets all without the setting', () => {
    assert.deepEqual(play([[40, 'up']], HELD, null), { last: 'up', changes: [], heldSince: null })
  })

  const anyPolicy = fc.record({
    changes: fc.integer({ min: 2, max: 5 }),
    within: fc.integer({ min: 1, max: 200 }),
    hold: fc.integer({ min: 1, max: 200 }),
  })
  const histories = fc.array(
    fc.record({
      ms: fc.integer({ min: 0, max: 60 }),
      state: fc.constantFrom<HealthState>('up', 'down', 'unknown'),
      isOverridden: fc.boolean(),
    }),
    { maxLength: 60 },
  )

  it('holds exactly where so many changes lie within that time, counted a second way', () => {
    fc.assert(
      fc.property(anyPolicy, histories, (policy, events) => {
        let flapping = STEADY
        let now = 0
        const all: number[] = []
        let last: HealthState | null = null
        let until = Number.NEGATIVE_INFINITY
        for (const { ms, state, isOverridden } of events) {
          now += ms
          const isChange = state !== 'unknown' && last !== null && state !== last && !isOverridden
          if (state !== 'unknown') last = state
          if (isChange) all.push(now)
          const recent = all.slice(-policy.changes).filter(at => now - at <= policy.within).length
          if (isChange && now >= until && recent === policy.changes) until = now + policy.hold
          flapping = nextFlapping(flapping, { checked: state, isOverridden, policy, now })
          assert.equal(flapping.heldSince !== null, now < until)
          if (now < until) assert.equal(heldUntil(flapping, policy), until)
          assert.ok(flapping.changes.length <= policy.changes)
          // Looking twice is looking once.
          assert.equal(nextFlapping(flapping, { checked: state, isOverridden, policy, now }), flapping)
        }
      }),
    )
  })
})

describe('damping: areHoldsInForce', () => {
  const server = (word: string) => ({ isServing: word.includes('s'), isHeld: word.includes('h') })
  const rows: [string, string[], boolean, boolean][] = [
    ['while a server that is not held serves', ['sh', 's'], false, true],
    ['with a fallback, if no other serves', ['sh', ''], true, true],
    ['if no held server would serve', ['h', ''], false, true],
    ['not while the held ones are all that would serve', ['sh', 'sh', ''], false, false],
  ]
  for (const [name, words, hasFallback, expected] of rows)
    it(`is so ${name}`.replace('so not', 'not so'), () => {
      assert.equal(areHoldsInForce(words.map(server), hasFallback), expected)
    })
})
