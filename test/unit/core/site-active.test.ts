import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Role } from '../../../src/core/role.js'
import { type ActiveView, ALL_RIGHT, nextActive } from '../../../src/core/site-active.js'

const PATIENCE = 100

/** What is told by readings of roles (A active, s standby) at times. */
function told(readings: readonly (readonly [now: number, roles: string])[], mayBeSeveral = false) {
  let view: ActiveView = ALL_RIGHT
  return readings.flatMap(([now, text]) => {
    const roles = [...text].map((each): Role => (each === 'A' ? 'active' : 'standby'))
    const next = nextActive(view, { now, roles, mayBeSeveral, patience: PATIENCE })
    view = next.view
    return next.tell === null ? [] : [`${now} ${next.tell}`]
  })
}

describe('how many directors are active', () => {
  it('is told once when none has been for the patience, and when one is again', () => {
    assert.deepEqual(
      told([
        [0, 'As'],
        [10, 'ss'],
        [109, 'ss'],
        [110, 'ss'],
        [300, 's'],
        [310, 'sA'],
        [320, 'sA'],
      ]),
      ['110 none', '310 over'],
    )
  })

  it('is not told of a takeover, in which none or several are for a moment', () => {
    assert.deepEqual(
      told([
        [0, 'As'],
        [50, 'ss'],
        [120, 'sA'],
        [130, 'AA'],
        [200, 'As'],
        [250, 'AA'],
        [349, 'AA'],
        [350, 'As'],
      ]),
      [],
    )
  })

  it('is told when several are, unless that is right', () => {
    const readings = [
      [0, 'AAs'],
      [100, 'AAs'],
      [200, 'ss'],
      [300, 'ss'],
      [400, 'A'],
    ] as const
    assert.deepEqual(told(readings), ['100 several', '300 none', '400 over'])
    assert.deepEqual(told(readings, true), ['300 none', '400 over'])
  })

  it('is told in turns: no fault twice without its end or the other one between, and an end only of a fault', () => {
    const roles = fc.string({ unit: fc.constantFrom('A', 's'), minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(80), roles), { maxLength: 40 }), steps => {
        let now = 0
        const readings = steps.map(([pause, text]) => {
          now += pause
          return [now, text] as const
        })
        const words = told(readings).map(line => line.split(' ')[1])
        words.forEach((word, i) => {
          assert.notEqual(word, words[i - 1])
          if (i === 0) assert.notEqual(word, 'over')
        })
      }),
    )
  })
})
