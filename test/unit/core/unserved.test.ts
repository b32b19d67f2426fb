import assert from 'node:assert/strict'
import type { HealthState, ResolvedReal, ResolvedService } from '../../../src/core/model.js'
import { isUnjudgedAndEmpty, UNJUDGED_AFTER, waitsInVain } from '../../../src/core/unserved.js'
import { named, real, service, serviceId, table, tableReal, tableService } from '../../support/tables.js'

const A = 'fd00:1::a'
const B = 'fd00:1::b'
const F = 'fd00:1::f'
const ID = serviceId('2001:db8::80')
const OTHER = serviceId('2001:db8::81')
const REALS = [real(A), real(B)]
const WEB = service('web', { reals: REALS, fallback: real(F) })

describe('core: a service that nothing judges, and whose table is empty', () => {
  const held = (host: string, weight = 1) => table(tableService(ID, [tableReal(host, { weight })]))
  const base = {
    of: WEB as ResolvedService,
    actual: table(tableService(ID, [])),
    has: null as boolean | null,
    awaited: REALS as readonly ResolvedReal[],
    unjudged: REALS as readonly ResolvedReal[],
  }
  const twice = service('web', {
    reals: REALS,
    also: [{ id: OTHER, virtual: WEB.virtual, attributes: WEB.attributes, fallback: null }],
  })
  const cases: [string, Partial<typeof base>, boolean][] = [
    ['has no server', {}, true],
    ['has no server where the kernel lacks it', { actual: table() }, true],
    ['is served where the kernel has a server', { actual: held(A) }, false],
    ['is served where the kernel has one that is not configured', { actual: held('fd00:1::c') }, false],
    ['has no server where the kernel has one of weight 0', { actual: held(A, 0) }, true],
    ['has no server where the kernel has the fallback alone', { actual: held(F) }, true],
    [
      'is served where the fallback is a server too',
      { of: { ...WEB, fallback: REALS[0] as ResolvedReal }, actual: held(A) },
      false,
    ],
    ['waits for one with results on their way', { unjudged: REALS.slice(0, 1) }, false],
    [
      'does not wait for one that is drained',
      { awaited: REALS.slice(0, 1), unjudged: REALS.slice(0, 1) },
      true,
    ],
    ['is not told where a server is up', { has: true }, false],
    ['is not told where all are down, which is told otherwise', { has: false }, false],
    ['waits for an address', { of: { ...WEB, ...named('web.example') } }, false],
    ['has no server at one of two addresses', { of: twice, actual: held(A) }, true],
  ]
  for (const [what, parts, expected] of cases)
    it(what, () => {
      const { of, actual, has, awaited, unjudged } = { ...base, ...parts }
      const found = isUnjudgedAndEmpty(of, {
        table: actual,
        isAvailable: () => has,
        isAwaited: one => awaited.includes(one),
        isUnjudged: one => unjudged.includes(one),
      })
      assert.equal(found, expected)
    })
})

describe('core: a server that waits in vain for a verdict', () => {
  const cases: [string, need: number, checks: [HealthState, noVerdicts: number][], after: number, boolean][] =
    [
      ['waits after two runs without a verdict', 1, [['unknown', 2]], UNJUDGED_AFTER, false],
      ['waits in vain after three', 1, [['unknown', 3]], UNJUDGED_AFTER, true],
      ['waits until ten seconds are over', 1, [['unknown', 300]], UNJUDGED_AFTER - 1, false],
      [
        'waits for another check that has had no result',
        1,
        [
          ['unknown', 3],
          ['unknown', 0],
        ],
        UNJUDGED_AFTER,
        false,
      ],
      [
        'waits in vain if both must pass, and one cannot',
        2,
        [
          ['unknown', 3],
          ['up', 0],
        ],
        UNJUDGED_AFTER,
        true,
      ],
      ['does not wait if its check has passed before', 1, [['up', 3]], UNJUDGED_AFTER, false],
    ]
  for (const [what, need, checks, after, expected] of cases)
    it(what, () => {
      const states = checks.map(([state, count]) => ({
        health: { state },
        noVerdicts: count === 0 ? null : { since: 0, count, detail: '' },
      }))
      assert.equal(waitsInVain(states, need, after), expected)
    })
})
