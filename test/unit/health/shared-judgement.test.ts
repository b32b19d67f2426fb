/** The health of a check that several directors share. */
import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { HealthState } from '../../../src/core/model.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { config, failed, passed, real, service, use } from '../../support/tables.js'

const CHECKS = new Map<string, Check>([
  ['ask', { name: 'ask', summary: 'ask', options: () => ({}), run: async () => passed() }],
])

describe('the health of a shared check', () => {
  it('does not count a failure from before another director took it over', () => {
    let own: HealthState | null = null
    let asks = true
    const shared = {
      asks: () => asks,
      hasOwn: () => own !== null,
      say: (_: string, state: HealthState) => {
        own = state
      },
      // Alone it decides; else it stays as it is.
      agreed: (_: string, current: HealthState) => own ?? current,
      viewOf: () => [],
      found: () => failed(),
    }
    const store = new HealthStore(undefined, undefined, {
      setDeadline: () => {},
      setDownDeadline: () => {},
      onChange: () => {},
      wall: () => 0,
      shared,
    })
    const one = real('fd00:1::1', { checks: [use('ask', {}, { fall: 2 })] })
    store.applyConfig(config([service('web', { reals: [one] })]), CHECKS, 0)
    const [job = ''] = store.jobs.keys()
    store.result(job, passed(), 1)
    store.result(job, failed(), 2)
    // It asks late, but it still asks: the next failure is in a row.
    own = null
    store.heard(job, 3)
    assert.equal(store.checkStatesOf(one)[0]?.health.streak, 1)
    asks = false
    store.heard(job, 4)
    asks = true
    store.result(job, failed(), 5)
    assert.equal(store.stateOf(one), 'up')
    store.result(job, failed(), 6)
    assert.equal(store.stateOf(one), 'down')
  })
})
