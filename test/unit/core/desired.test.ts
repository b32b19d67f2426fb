import assert from 'node:assert/strict'
import fc from 'fast-check'
import { desired, desiring, isInService } from '../../../src/core/desired.js'
import {
  type HealthState,
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from '../../../src/core/model.js'
import { disposition, type Effect, effectText, type Override } from '../../../src/core/override.js'
import { real, service, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const ID = serviceId('2001:db8::80')
const A = 'fd00:1::a'
const B = 'fd00:1::b'
const F = 'fd00:1::f'
const FALLBACK = real(F)

/** A server in this state, without an override. */
function as(state: HealthState, { attributes }: ResolvedReal) {
  return disposition({ checked: state, advised: attributes.weight, override: null })
}

/** `{ 'fd00:1::a': 1 }`: what the service holds, weights by address; null where the service is not wanted. */
function weights(
  parts: Partial<ResolvedService>,
  states: Record<string, HealthState>,
  held: Table = new Map(),
) {
  const wanted = desired([service('web', parts)], (_, one) => as(states[one.host] ?? 'unknown', one), held)
  const entry = wanted.get(keyOfService(ID))
  return entry ? Object.fromEntries([...entry.reals.values()].map(r => [r.address.text, r.weight])) : null
}

describe('desired: the table wanted while names are being looked up', () => {
  const named = { ...real('app'), address: null }
  const held = table(tableService(ID, [tableReal(A, { weight: 5 }), tableReal(B, { weight: 7 })]))
  const cases: [string, Partial<ResolvedService>, HealthState, Record<string, number>][] = [
    ['keeps what may be the server of the name', { reals: [named] }, 'unknown', { [A]: 5, [B]: 7 }],
    ['drops a server of the service that is down', { reals: [named, real(A)] }, 'down', { [B]: 7 }],
    ['keeps what may be the fallback', { reals: [real(A)], fallback: named }, 'down', { [B]: 7 }],
    ['drops what is nobody where nothing is awaited', { reals: [real(A)] }, 'up', { [A]: 1 }],
    ['drops what can be the fallback alone', { reals: [real(A)], fallback: named }, 'up', { [A]: 1 }],
    ['leaves the fallback out', { reals: [named], fallback: FALLBACK }, 'unknown', { [A]: 5, [B]: 7 }],
  ]
  for (const [what, parts, state, expected] of cases)
    it(what, () => {
      const wanted = desired(
        [service('web', parts)],
        (_, one) => as(one.address ? state : 'unknown', one),
        held,
        (_, { host }) => host === 'app',
      )
      const reals = [...(wanted.get(keyOfService(ID))?.reals.values() ?? [])]
      assert.deepEqual(Object.fromEntries(reals.map(r => [r.address.text, r.weight])), expected)
    })
})

describe('desired table', () => {
  const reals = [real(A, { weight: 5 }), real(B, { weight: 7 })]
  const held = (...weighted: [string, number][]) =>
    table(
      tableService(
        ID,
        weighted.map(([host, weight]) => tableReal(host, { weight })),
      ),
    )

  const cases: [
    string,
    Partial<ResolvedService>,
    Record<string, HealthState>,
    Table,
    Record<string, number>,
  ][] = [
    [
      'has servers that are up, with their weights',
      { reals },
      { [A]: 'up', [B]: 'up' },
      held(),
      { [A]: 5, [B]: 7 },
    ],
    ['lacks a server that is down', { reals }, { [A]: 'up', [B]: 'down' }, held([B, 7]), { [A]: 5 }],
    [
      'keeps a server that is down at weight 0 where the service is quiescent',
      { reals, quiescent: true },
      { [A]: 'up', [B]: 'down' },
      held(),
      { [A]: 5, [B]: 0 },
    ],
    ['keeps what the kernel holds of unknown servers', { reals }, {}, held([A, 5]), { [A]: 5 }],
    ['keeps an unknown server at weight 0 there', { reals }, {}, held([A, 0]), { [A]: 0 }],
    ['keeps the weight that an unknown server has there', { reals }, {}, held([A, 77]), { [A]: 77 }],
    ['gives no traffic to unknown servers that the kernel lacks', { reals }, {}, held(), {}],
    ['drops servers that are not configured', { reals: [real(A)] }, { [A]: 'up' }, held([B, 7]), { [A]: 1 }],
    [
      'has a server of configured weight 0, drained',
      { reals: [real(A, { weight: 0 })] },
      { [A]: 'up' },
      held(),
      { [A]: 0 },
    ],
    [
      'has the fallback when all are down',
      { reals, fallback: FALLBACK },
      { [A]: 'down', [B]: 'down' },
      held(),
      { [F]: 1 },
    ],
    [
      'has the fallback beside quiescent servers',
      { reals, fallback: FALLBACK, quiescent: true },
      { [A]: 'down', [B]: 'down' },
      held(),
      { [A]: 0, [B]: 0, [F]: 1 },
    ],
    [
      'lacks the fallback while one is up',
      { reals, fallback: FALLBACK },
      { [A]: 'up', [B]: 'down' },
      held(),
      { [A]: 5 },
    ],
    [
      'takes the fallback out for the first one back',
      { reals, fallback: FALLBACK },
      { [A]: 'up', [B]: 'down' },
      held([F, 1]),
      { [A]: 5 },
    ],
    [
      'does not bring the fallback in before every server is known',
      { reals, fallback: FALLBACK },
      {},
      held(),
      {},
    ],
    [
      'leaves the fallback in until servers are known',
      { reals, fallback: FALLBACK },
      {},
      held([F, 1]),
      { [F]: 1 },
    ],
    [
      'lacks the fallback while a server is up that its configuration drains, as ldirectord',
      { reals: [real(A, { weight: 0 })], fallback: FALLBACK },
      { [A]: 'up' },
      held([F, 1]),
      { [A]: 0 },
    ],
    [
      'has the fallback when the only server left is drained and down',
      { reals: [real(A, { weight: 0 })], fallback: FALLBACK, quiescent: true },
      { [A]: 'down' },
      held(),
      { [A]: 0, [F]: 1 },
    ],
    [
      'gives a fallback that is one of the real servers its weight',
      { reals: [real(A, { weight: 4 })], fallback: real(A), quiescent: true },
      { [A]: 'down' },
      held(),
      { [A]: 1 },
    ],
    [
      'leaves out servers whose names do not resolve',
      { reals: [real('www1'), real(B)] },
      { [B]: 'up' },
      held(),
      { [B]: 1 },
    ],
  ]
  for (const [what, parts, states, actual, expected] of cases)
    it(what, () => assert.deepEqual(weights(parts, states, actual), expected))

  it('has a server that two names resolve to while one of them is up, in whatever order', () => {
    const named = (host: string, weight: number) => ({ ...real(A, { weight }), host })
    for (const quiescent of [true, false])
      for (const reals of [
        [named('one', 5), named('two', 7)],
        [named('two', 7), named('one', 5)],
      ])
        assert.deepEqual(weights({ reals, quiescent }, { one: 'up', two: 'down' }), { [A]: 5 })
  })

  it('has the fallback when the checks of all servers drain them', () => {
    const parts = service('web', { reals, fallback: FALLBACK })
    const wanted = desired(
      [parts],
      () => disposition({ checked: 'up', advised: 0, override: null }),
      new Map(),
    ).get(keyOfService(ID))
    const found = [...(wanted?.reals.values() ?? [])].map(one => [one.address.text, one.weight])
    assert.deepEqual(found, [
      [A, 0],
      [B, 0],
      [F, 1],
    ])
  })

  it('has no thresholds on a quiescent server that is down, as ldirectord', () => {
    const parts = service('web', { reals: [real(A, { weight: 5, upper: 100, lower: 10 })], quiescent: true })
    for (const [state, weight, upper, lower] of [
      ['up', 5, 100, 10],
      ['down', 0, 0, 0],
    ] as const) {
      const held = desired([parts], (_, one) => as(state, one), new Map()).get(keyOfService(ID))
      const found = [...(held?.reals.values() ?? [])].map(one => [one.weight, one.upper, one.lower])
      assert.deepEqual(found, [[weight, upper, lower]])
    }
  })

  it('has the thresholds of a quiescent server of configured weight 0, as ldirectord', () => {
    const parts = service('web', { reals: [real(A, { weight: 0, upper: 9, lower: 2 })], quiescent: true })
    const found = desired([parts], (_, one) => as('down', one), new Map())
      .get(keyOfService(ID))
      ?.reals.values()
    assert.deepEqual(
      [...(found ?? [])].map(one => [one.weight, one.upper, one.lower]),
      [[0, 9, 2]],
    )
  })

  const overridden: [Effect, HealthState, weight: number, boolean, number | null, Record<string, number>][] =
    [
      [{ kind: 'drain' }, 'up', 5, false, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'drain' }, 'up', 0, false, null, { [A]: 0, [F]: 1 }],
      [{ kind: 'drain' }, 'down', 5, false, 5, { [F]: 1 }],
      [{ kind: 'drain' }, 'down', 5, true, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'drain' }, 'unknown', 5, false, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'drain' }, 'unknown', 5, false, null, { [F]: 1 }],
      [{ kind: 'weight', weight: 9 }, 'up', 5, false, 5, { [A]: 9 }],
      [{ kind: 'weight', weight: 0 }, 'up', 5, false, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'weight', weight: 9 }, 'unknown', 5, false, 5, { [A]: 9 }],
      [{ kind: 'weight', weight: 9 }, 'down', 5, true, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'disable' }, 'up', 5, true, 5, { [F]: 1 }],
      [{ kind: 'force-down' }, 'up', 5, true, 5, { [A]: 0, [F]: 1 }],
      [{ kind: 'force-down' }, 'up', 5, false, 5, { [F]: 1 }],
      [{ kind: 'force-up' }, 'down', 5, false, null, { [A]: 5 }],
    ]
  for (const [effect, state, weight, quiescent, before, expected] of overridden)
    it(`of a server that is ${state}, of weight ${weight}, ${before ?? 'not'} in the kernel: ${effectText(effect)}${quiescent ? ', quiescent' : ''}`, () => {
      const parts = service('web', { reals: [real(A, { weight })], quiescent, fallback: FALLBACK })
      const override: Override = { effect, source: 'command', who: 'anna', reason: '', since: 0, until: null }
      const actual = table(tableService(ID, before === null ? [] : [tableReal(A, { weight: before })]))
      const wanted = desired(
        [parts],
        () => disposition({ checked: state, advised: weight, override }),
        actual,
      ).get(keyOfService(ID))
      const found = [...(wanted?.reals.values() ?? [])].map(one => [one.address.text, one.weight])
      assert.deepEqual(Object.fromEntries(found), expected)
    })

  it('leaves out a service whose name does not resolve', () => {
    assert.equal(weights({ id: null, reals }, {}), null)
  })
})

describe('desired: a server is in service by the kernel’s table', () => {
  const cases: [string, Partial<ResolvedService>, number, number | null, boolean][] = [
    ['when it is there with a weight', {}, 5, 5, true],
    ['when it is there with a weight of somebody else’s', { quiescent: true }, 5, 1, true],
    ['not when it is not there', {}, 5, null, false],
    ['not at weight 0 where failed servers stay at weight 0', { quiescent: true }, 5, 0, false],
    ['at weight 0 where failed servers are removed: something else has drained it', {}, 5, 0, true],
    ['at weight 0 where that is its weight', { quiescent: true }, 0, 0, true],
    ['not while the virtual service has no address', { id: null }, 5, 5, false],
  ]
  for (const [what, parts, configured, weight, expected] of cases)
    it(what, () => {
      const server = real(A, { weight: configured })
      const held = weight === null ? [] : [tableReal(A, { weight })]
      const web = service('web', { reals: [server], ...parts })
      assert.equal(isInService(web, server, table(tableService(ID, held))), expected)
    })

  it('at weight 0 where an override has drained it', () => {
    const server = real(A, { weight: 5 })
    const web = service('web', { reals: [server], quiescent: true })
    const held = table(tableService(ID, [tableReal(A, { weight: 0 })]))
    assert.deepEqual(
      [true, false].map(isDrained => isInService(web, server, held, isDrained)),
      [true, false],
    )
  })

  it('as long as the kernel has not been read', () => {
    const server = real(A)
    assert.equal(isInService(service('web', { reals: [server] }), server, null), true)
  })
})

describe('desired: in time slices', () => {
  it('is interrupted within a large service, and has each server as it is at its step', () => {
    const reals = Array.from({ length: 1000 }, (_, i) => real(`fd00:1::${(i + 1).toString(16)}`))
    const web = service('web', { reals })
    let state: HealthState = 'up'
    const steps = desiring([web], (_, one) => as(state, one), new Map())
    let count = 1
    let step = steps.next()
    assert.equal(step.done, false)
    state = 'down'
    for (; !step.done; step = steps.next()) count++
    assert.ok(count > 20)
    const up = step.value.get(keyOfService(ID))?.reals.size ?? 0
    assert.ok(up > 0 && up < 100, `${up}`)
    state = 'up'
    assert.equal(
      desired([web], (_, one) => as(state, one), new Map()).get(keyOfService(ID))?.reals.size,
      1000,
    )
  })
})

describe('desired table: computed in slices', () => {
  it('has a server that serves or the fallback, whatever changes in between', () => {
    const reals = Array.from({ length: 100 }, (_, i) => real(`fd00:1::${(i + 1).toString(16)}:0`))
    const state = fc.constantFrom<HealthState>('up', 'down')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(99), state), { maxLength: 12 }),
        fc.boolean(),
        (changes, quiescent) => {
          const states = new Map<ResolvedReal, HealthState>(reals.map(one => [one, 'down']))
          const web = service('web', { reals, quiescent, fallback: FALLBACK })
          const steps = desiring([web], (_, one) => as(states.get(one) ?? 'down', one), new Map())
          let step = steps.next()
          for (const [i, next] of changes) {
            if (step.done) break
            states.set(reals[i] as ResolvedReal, next)
            step = steps.next()
          }
          while (!step.done) step = steps.next()
          const held = [...(step.value.get(keyOfService(ID))?.reals.values() ?? [])]
          assert.ok(held.some(({ weight }) => weight > 0))
        },
      ),
    )
  })
})

describe('desired table: computed again', () => {
  const reals = [real(A, { weight: 5 }), real(B, { weight: 7 })]
  const entriesOf = (of: (one: ResolvedReal) => ReturnType<typeof as>) => {
    const entry = desired([service('web', { reals })], (_, one) => of(one), new Map()).get(keyOfService(ID))
    return [...(entry?.reals.values() ?? [])]
  }

  it('has the same entries for servers with their configured weight, and others with another weight', () => {
    const first = entriesOf(one => as('up', one))
    assert.deepEqual(first, [tableReal(A, { weight: 5 }), tableReal(B, { weight: 7 })])
    const advised = entriesOf(() => disposition({ checked: 'up', advised: 6, override: null }))
    assert.deepEqual(advised, [tableReal(A, { weight: 6 }), tableReal(B, { weight: 6 })])
    const again = entriesOf(one => as('up', one))
    assert.ok(again.every((entry, i) => entry === first[i]))
  })
})
