import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CheckResult, HealthState } from '../../../src/core/model.js'
import {
  causeOf,
  type DownPhase,
  type Failure,
  limited,
  nextDown,
  type OnDown,
  removedAt,
} from '../../../src/core/on-down.js'

function failure(
  reason: CheckResult['reason'],
  phase: CheckResult['phase'] = null,
  more: Partial<Failure> = {},
): Failure {
  const result: CheckResult = { ok: false, reason, detail: '', phase, ms: 1, phases: [] }
  return { result, testsHost: false, isUdp: false, ...more }
}

const POLICY: OnDown = { dead: 'remove', sick: 'quiesce', after: 300_000 }

describe('core: on-down', () => {
  it('tells a dead server from a sick one', () => {
    const dead = [
      failure('refused', 'connect'),
      failure('unreachable', 'connect'),
      failure('timeout', 'connect'),
      failure('timeout', 'first byte', { testsHost: true }),
      failure('timeout', 'first byte', { isUdp: true }),
    ]
    const sick = [
      failure('timeout', 'first byte'),
      failure('timeout', 'body'),
      failure('timeout'),
      failure('status', 'headers'),
      failure('reset', 'first byte'),
      failure('closed', 'first byte'),
      failure('tls', 'handshake'),
      failure('unexpected', 'body', { isUdp: true }),
      failure('status', 'run', { testsHost: true }),
    ]
    for (const one of dead) assert.equal(causeOf([one]), 'dead', JSON.stringify(one))
    for (const one of sick) assert.equal(causeOf([one]), 'sick', JSON.stringify(one))
    assert.equal(causeOf([]), 'sick')
    assert.equal(causeOf([dead[0], sick[0]] as Failure[]), 'sick')
    assert.equal(causeOf(dead), 'dead')
  })

  it('limits the time for UDP', () => {
    assert.equal(limited({ ...POLICY, after: null }, true).after, 300_000)
    assert.equal(limited({ ...POLICY, after: 3_600_000 }, true).after, 300_000)
    assert.equal(limited({ ...POLICY, after: 1000 }, true).after, 1000)
    assert.equal(limited({ ...POLICY, after: null }, false).after, null)
  })

  it('removes a dead server at once, a sick one later, and does not bring back a removed one', () => {
    const at = (phase: DownPhase, cause: 'dead' | 'sick', now: number, state: HealthState = 'down') =>
      nextDown(phase, { state, cause, policy: POLICY, isInTable: () => true, now })
    const up: DownPhase = { phase: 'up' }
    assert.equal(at(up, 'dead', 5).phase, 'removed')
    const quiesced = at(up, 'sick', 5)
    assert.deepEqual(quiesced, { phase: 'quiesced', since: 5 })
    assert.equal(removedAt(quiesced, POLICY), 300_005)
    assert.equal(at(quiesced, 'sick', 300_004), quiesced)
    const removed = at(quiesced, 'sick', 300_005)
    assert.equal(removed.phase, 'removed')
    assert.equal(at(quiesced, 'dead', 6).phase, 'removed')
    assert.equal(at(removed, 'sick', 400_000).phase, 'removed')
    assert.equal(at(removed, 'sick', 400_000, 'unknown').phase, 'removed')
    assert.equal(at(removed, 'sick', 400_000, 'up').phase, 'up')
  })

  it('does not quiesce a server that lvsd finds down and out of the table', () => {
    const look = (isInTable: boolean) =>
      nextDown(
        { phase: 'new' },
        { state: 'down', cause: 'sick', policy: POLICY, isInTable: () => isInTable, now: 1 },
      )
    assert.equal(look(false).phase, 'removed')
    assert.equal(look(true).phase, 'quiesced')
  })

  it('follows from the history: quiesced for `after` at most, removed until it is up', () => {
    const action = fc.constantFrom<'remove' | 'quiesce'>('remove', 'quiesce')
    const policy = fc.record({
      dead: action,
      sick: action,
      after: fc.option(fc.integer({ min: 1, max: 5000 })),
    })
    const step = fc.record({
      state: fc.constantFrom<HealthState>('up', 'down', 'unknown'),
      cause: fc.constantFrom<'dead' | 'sick'>('dead', 'sick'),
      ms: fc.integer({ min: 0, max: 3000 }),
    })
    fc.assert(
      fc.property(policy, fc.array(step), (policy, steps) => {
        let phase: DownPhase = { phase: 'up' }
        let now = 0
        for (const { state, cause, ms } of steps) {
          now += ms
          const before: DownPhase = phase
          phase = nextDown(before, { state, cause, policy, isInTable: () => true, now })
          if (state === 'up') assert.equal(phase.phase, 'up')
          if (state === 'down') assert.ok(phase.phase === 'quiesced' || phase.phase === 'removed')
          if (before.phase === 'removed' && state !== 'up') assert.equal(phase.phase, 'removed')
          if (phase.phase === 'quiesced' && state === 'down') {
            assert.equal(policy[cause], 'quiesce')
            assert.ok(now < (removedAt(phase, policy) ?? Number.POSITIVE_INFINITY))
          }
        }
      }),
    )
  })
})
