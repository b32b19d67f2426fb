import assert from 'node:assert/strict'
import { systemClock } from '../../src/clock.js'
import { Question } from '../../src/workers/question.js'
import { WorkerRun } from '../../src/workers/worker-run.js'
import { targetOf } from '../helpers/probe.js'

describe('a run in a worker', () => {
  it('is held up for as long as its worker stands still, but not for ever', () => {
    let now = 0
    const host = { lost: 0, stillFor: 0, rounds: 0, phaseOf: () => 'run' as const, abandon: () => {} }
    const definition = { module: 'file:///check.mjs', target: targetOf(1), options: {} }
    const run = new WorkerRun(
      new Question('job', definition),
      { ...systemClock, now: () => now },
      {
        timeout: 1000,
        done: () => {},
        traced: false,
      },
    )
    run.hold(host)
    run.posted()
    now = 600
    host.lost = 400
    assert.equal(run.heldUp, 400)
    now = 60_000
    host.lost = 59_000
    assert.equal(run.heldUp, 2000, 'a deadline comes, however seldom the worker has its turn')
  })
})
