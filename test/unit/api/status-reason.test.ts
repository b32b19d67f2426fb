import assert from 'node:assert/strict'
import { reasonOf } from '../../../src/api/status-reason.js'
import type { HealthState } from '../../../src/core/model.js'
import type { RealHealth } from '../../../src/health/health-snapshot.js'
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
      const checks = [{ health: { state, streak, last, since: 0 }, noVerdicts: null, lastAt: 0, subscriber }]
      const health = { state, held: null, checks, passing: 1 } as unknown as RealHealth
      assert.equal(reasonOf(health, String), expected)
    })
})
