import assert from 'node:assert/strict'
import { reasonOf } from '../../../src/api/status-reason.js'
import type { HealthState, ResolvedReal } from '../../../src/core/model.js'
import type { CheckState } from '../../../src/health/check-state.js'
import type { HealthStore } from '../../../src/health/health-store.js'
import { failed, passed } from '../../support/tables.js'

const fell = { ...failed('status'), detail: 'status 500; expected 200-299' }
const rose = passed('200 OK')

describe('status-reason: why a server is as it is', () => {
  const rows: [what: string, state: HealthState, streak: number, last: object, expected: string][] = [
    ['is up', 'up', 0, rose, '200 OK'],
    ['is down', 'down', 0, fell, fell.detail],
    ['has failed once of twice', 'up', 1, fell, `still up, failure 1 of 2: ${fell.detail}`],
    ['has passed twice of three times', 'down', 2, rose, 'still down, pass 2 of 3: 200 OK'],
    ['has failed after a start', 'unknown', 1, fell, `not judged yet, failure 1 of 2: ${fell.detail}`],
  ]
  for (const [what, state, streak, last, expected] of rows)
    it(`is told of one that ${what}`, () => {
      const subscriber = { use: { kind: 'http', policy: { rise: 3, fall: 2 } } }
      const cell = { health: { state, streak, last, since: 0 }, noVerdicts: null, lastAt: 0, subscriber }
      assert.equal(reasonOf(boardOf(cell as unknown as CheckState), {} as ResolvedReal, String), expected)
    })
})

/** With one server, and one check of it. */
function boardOf(cell: CheckState): HealthStore {
  const healthStore: Partial<Record<keyof HealthStore, unknown>> = {
    heldBy: () => null,
    checkStatesOf: () => [cell],
    stateOf: () => cell.health.state,
    passing: () => 1,
  }
  return healthStore as unknown as HealthStore
}
