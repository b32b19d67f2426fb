/** How often a culprit is asked. */
import assert from 'node:assert/strict'
import { CheckRecord } from '../../../src/workers/check-record.js'
import { targetOf } from '../../support/probe.js'

const CAUSE = { kind: 'exit', detail: 'process.exit(0)', run: 1 } as const

function record(): CheckRecord {
  return new CheckRecord('mine', {
    module: 'file:///etc/lvsd/checks/mine.mjs',
    target: targetOf(9),
    options: {},
  })
}

/** Seconds until it is asked again after so many offences in a row. */
function waits(count: number): number[] {
  const asked = record()
  let now = 1_000_000
  return Array.from({ length: count }, () => {
    asked.convict(CAUSE, false, now)
    const from = now
    while (asked.answerUnasked(now)) now += 1000
    return (now - from) / 1000
  })
}

describe('check-record: a check that blocks or kills its worker', () => {
  it('runs at increasing intervals, at most five minutes', () => {
    assert.deepEqual(waits(10), [2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
  })

  it('is down, with the time of its next run in the detail', () => {
    const asked = record()
    assert.deepEqual(asked.convict(CAUSE, true, 0), {
      ok: false,
      reason: 'error',
      detail: '/etc/lvsd/checks/mine.mjs called process.exit(0)',
    })
    assert.match(
      asked.answerUnasked(500)?.detail ?? '',
      /called process\.exit\(0\); lvsd runs it again in 2 s$/,
    )
    assert.equal(asked.answerUnasked(2000), null)
  })

  it('returns to its interval after three successful runs', () => {
    const asked = record()
    asked.convict(CAUSE, false, 0)
    for (const isCulprit of [true, true, false]) {
      asked.acquit()
      assert.equal(asked.isCulprit, isCulprit)
    }
    assert.equal(asked.answerUnasked(1), null)
  })

  it('continues with the longer interval after another failure within ten minutes', () => {
    const asked = record()
    asked.convict(CAUSE, false, 0)
    for (let i = 0; i < 3; i++) asked.acquit()
    asked.convict(CAUSE, false, 60_000)
    assert.notEqual(asked.answerUnasked(63_999), null)
    assert.equal(asked.answerUnasked(64_000), null)
  })
})
