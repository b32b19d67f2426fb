import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isIsolated, type PathState, pathState } from '../../../src/core/isolation.js'

const WORKS = { isWorking: true }
const FAILS = { isWorking: false }

describe('core: isolation', () => {
  it('judges a path by its route and by the interface that led to the server', () => {
    const cases: readonly [Parameters<typeof pathState>[0], Parameters<typeof pathState>[1], PathState][] = [
      ['local', null, 'local'],
      ['local', FAILS, 'local'],
      ['unreachable', null, 'dead'],
      ['unreachable', WORKS, 'dead'],
      [FAILS, null, 'dead'],
      [FAILS, WORKS, 'dead'],
      [WORKS, FAILS, 'dead'],
      [WORKS, null, 'works'],
      [WORKS, WORKS, 'works'],
    ]
    for (const [route, last, expected] of cases) assert.equal(pathState(route, last), expected)
  })

  it('needs a dead path and none that works, however many servers there are', () => {
    const paths = fc.array(fc.constantFrom<PathState>('works', 'dead', 'local', 'unknown'))
    fc.assert(
      fc.property(paths, states => {
        assert.equal(isIsolated(states), states.includes('dead') && !states.includes('works'))
      }),
    )
  })
})
