import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { HealthState } from '../../../src/core/model.js'
import {
  disposition,
  type Effect,
  isInForce,
  type Override,
  strongest,
  usualDisposition,
} from '../../../src/core/override.js'

const NOW = 1_000_000

function override(effect: Effect, change: Partial<Override> = {}): Override {
  return { effect, source: 'command', who: 'anna', reason: '', since: 0, until: null, ...change }
}

const KINDS = ['force-down', 'disable', 'drain', 'force-up'] as const
const anyEffect: fc.Arbitrary<Effect> = fc.oneof(
  fc.constantFrom(...KINDS).map(kind => ({ kind })),
  fc.constantFrom(0, 5).map(weight => ({ kind: 'weight' as const, weight })),
)
const anyOverride: fc.Arbitrary<Override> = fc.record(
  {
    effect: anyEffect,
    source: fc.constantFrom('command', 'window', 'file'),
    who: fc.constantFrom('anna', 'bo'),
    reason: fc.constantFrom('', 'disk'),
    since: fc.constantFrom(1, 2),
    until: fc.constantFrom(null, NOW - 1, NOW, NOW + 1, NOW + 2),
  },
  { noNullPrototype: true },
)
const anyState = fc.constantFrom<HealthState>('up', 'down', 'unknown')

describe('override: strongest', () => {
  it('is the effect that is listed first', () => {
    const order = ['force-down', 'disable', 'drain', 'weight', 'force-up']
    const all = order.map(kind => override(kind === 'weight' ? { kind, weight: 5 } : ({ kind } as Effect)))
    for (const i of all.keys()) assert.equal(strongest(all.slice(i).reverse(), NOW), all[i])
  })

  it('is a command before a window before a file, and the newest of one source', () => {
    const drain = { kind: 'drain' } as const
    const file = override(drain, { source: 'file', since: 9 })
    const window = override(drain, { source: 'window', since: 8 })
    const older = override(drain, { since: 6 })
    const command = override(drain, { since: 7 })
    assert.equal(strongest([file, window, older, command], NOW), command)
    assert.equal(strongest([file, window], NOW), window)
    assert.equal(strongest([file], NOW), file)
    assert.equal(strongest([], NOW), null)
  })

  it('does not go by their order', () => {
    fc.assert(
      fc.property(fc.array(anyOverride), fc.integer(), (overrides, seed) => {
        const other = overrides.toSorted((a, b) =>
          JSON.stringify(a) + seed < JSON.stringify(b) + seed ? -1 : 1,
        )
        assert.deepEqual(strongest(other, NOW), strongest(overrides, NOW))
      }),
    )
  })

  it('is one that is in force, and none that is in force is stronger', () => {
    fc.assert(
      fc.property(fc.array(anyOverride), overrides => {
        const found = strongest(overrides, NOW)
        const inForce = overrides.filter(one => isInForce(one, NOW))
        assert.equal(found === null, inForce.length === 0)
        if (found) {
          assert.ok(inForce.includes(found))
          for (const one of inForce) assert.deepEqual(strongest([one, found], NOW), found)
        }
      }),
    )
  })

  it('ends at its end', () => {
    const ending = override({ kind: 'drain' }, { until: NOW })
    assert.equal(strongest([ending], NOW - 1), ending)
    assert.equal(strongest([ending], NOW), null)
  })
})

describe('override: disposition', () => {
  const BASE = { weight: 3, override: null, isOut: false }
  const rows: [Effect | null, HealthState, ReturnType<typeof disposition>][] = [
    [null, 'up', { ...BASE, state: 'up' }],
    [null, 'unknown', { ...BASE, state: 'unknown' }],
    [{ kind: 'force-down' }, 'up', { ...BASE, state: 'down' }],
    [{ kind: 'disable' }, 'up', { ...BASE, state: 'down', isOut: true }],
    [{ kind: 'drain' }, 'up', { ...BASE, state: 'up', weight: 0, override: 0 }],
    [{ kind: 'drain' }, 'down', { ...BASE, state: 'down', weight: 0, override: 0 }],
    [{ kind: 'drain' }, 'unknown', { ...BASE, state: 'unknown', weight: 0, override: 0 }],
    [{ kind: 'weight', weight: 7 }, 'up', { ...BASE, state: 'up', weight: 7, override: 7 }],
    [{ kind: 'weight', weight: 7 }, 'down', { ...BASE, state: 'down', weight: 7, override: 7 }],
    [{ kind: 'force-up' }, 'down', { ...BASE, state: 'up' }],
  ]
  for (const [effect, state, expected] of rows)
    it(`of ${effect?.kind ?? 'none'} on a server that is ${state}`, () => {
      assert.deepEqual(
        disposition({ checked: state, advised: 3, override: effect && override(effect) }),
        expected,
      )
    })

  it('of damping is down, unless an operator forces it up', () => {
    const of = (effect: Effect | null) =>
      disposition({ checked: 'up', advised: 3, isDamped: true, override: effect && override(effect) })
    assert.deepEqual(of(null), { ...BASE, state: 'down' })
    assert.deepEqual(of({ kind: 'drain' }), { ...BASE, state: 'down', weight: 0, override: 0 })
    assert.deepEqual(of({ kind: 'disable' }), { ...BASE, state: 'down', isOut: true })
    assert.deepEqual(of({ kind: 'force-up' }), { ...BASE, state: 'up' })
  })

  it('of slow start is a share of the advised weight, and no share of an override', () => {
    const of = (effect: Effect | null, advised = 30) =>
      disposition({ checked: 'up', advised, share: 0.4, override: effect && override(effect) }).weight
    assert.deepEqual([of(null), of({ kind: 'force-up' })], [12, 12])
    assert.deepEqual([of({ kind: 'drain' }), of({ kind: 'weight', weight: 30 })], [0, 30])
    assert.deepEqual([of(null, 1), of(null, 0)], [1, 0])
  })

  it('without any rule is one object for each state and common weight', () => {
    const weight = fc.oneof(fc.nat(300), fc.nat(0x7fffffff))
    fc.assert(
      fc.property(anyState, weight, (checked, advised) => {
        const usual = usualDisposition(checked, advised)
        assert.deepEqual(usual, disposition({ checked, advised, override: null }))
        assert.equal(usualDisposition(checked, advised) === usual, advised <= 256)
      }),
    )
  })

  it('follows the order of precedence, whatever the inputs', () => {
    fc.assert(
      fc.property(
        anyState,
        fc.option(anyOverride),
        fc.boolean(),
        fc.integer({ min: 0, max: 9 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (checked, one, isDamped, advised, share) => {
          const { state, weight, isOut } = disposition({ checked, advised, isDamped, share, override: one })
          const kind = one?.effect.kind
          const isHeld = kind === 'force-down' || kind === 'disable'
          if (isHeld) assert.equal(state, 'down')
          else if (kind === 'force-up') assert.equal(state, 'up')
          else assert.equal(state, isDamped ? 'down' : checked)
          assert.equal(isOut, kind === 'disable')
          if (one?.effect.kind === 'weight') assert.equal(weight, one.effect.weight)
          else if (kind === 'drain') assert.equal(weight, 0)
          else assert.ok(weight >= Math.min(1, advised) && weight <= advised)
        },
      ),
    )
  })
})
