/** The deadline of a run in a worker, by a fake clock and a worker that is played. */
import assert from 'node:assert/strict'
import { up } from '../../../src/check/check.js'
import type { CheckResult, Phase } from '../../../src/core/model.js'
import { Scheduler } from '../../../src/schedule/scheduler.js'
import { CheckRecord } from '../../../src/workers/check-record.js'
import { type Host, WorkerRun } from '../../../src/workers/worker-run.js'
import { FakeClock } from '../../support/fake-clock.js'
import { targetOf } from '../../support/probe.js'

const BEAT = 50

/** A worker whose loop comes round every so many milliseconds, unless it stands still. */
class PlayedHost implements Host {
  lost = 0
  stillFor = 0
  rounds = 0
  isStill = false
  /** Its loop does not come round, and nothing tells. */
  isMute = false
  phase: Phase = 'first byte'
  readonly phaseOf = () => this.phase
  readonly abandon = () => {}
  readonly #clock: FakeClock

  lostNow(): number {
    return this.lost
  }

  comeRound(): number {
    this.#clock.alarm(1, () => {
      if (!this.isMute && !this.isStill) this.rounds += 2
    })
    return this.rounds
  }

  constructor(clock: FakeClock, every: number) {
    this.#clock = clock
    const beat = () => {
      if (this.isMute) return
      if (this.isStill) this.stillFor += every
      else {
        this.lost += this.stillFor
        this.stillFor = 0
        this.rounds++
      }
      clock.alarm(every, beat)
    }
    clock.alarm(every, beat)
  }
}

/** One run with a deadline of 1000 ms, and what came of it. */
function rig(beat = BEAT) {
  const clock = new FakeClock()
  const host = new PlayedHost(clock, beat)
  const results: CheckResult[] = []
  const record = new CheckRecord('mine', { module: 'file:///mine.mjs', target: targetOf(9), options: {} })
  const runs: WorkerRun[] = []
  const engine = new Scheduler(clock, 10).executor<null>(
    (_work, timeout, done) => {
      const run = new WorkerRun(record, clock, { timeout, done, traced: true })
      runs.push(run)
      run.hold(host)
      run.posted()
      return run
    },
    (_id, result) => results.push(result),
  )
  engine.set('mine', null, { interval: 60_000, timeout: 1000, firstIn: 0 })
  clock.wind(50)
  const [run] = runs
  assert.ok(run)
  return { clock, host, results, run, engine }
}

describe('worker-run: the deadline of a run in a worker', () => {
  it('expires if the event loop of the worker runs and no answer arrives', () => {
    const { clock, results } = rig(500)
    clock.wind(950)
    assert.equal(results.length, 0)
    // It is told to come round: its next two beats would take half a second and more.
    clock.wind(150)
    assert.deepEqual(
      results.map(({ reason, detail }) => [reason, detail]),
      [['timeout', 'no answer within 1000 ms']],
    )
  })

  it('ends the phase of the reason, after those that the worker has told', () => {
    const { clock, run, results } = rig(500)
    run.passed({ phase: 'connect', ms: 900 }, 0)
    run.passed({ phase: 'handshake', ms: 950 }, 1)
    // A probe left the verdict to code, which has begun anew.
    run.passed({ phase: 'connect', ms: 2 }, 0)
    clock.wind(1100)
    const [{ phase, phases, ms } = assert.fail()] = results
    assert.equal(phase, 'first byte')
    assert.deepEqual(phases, [
      { phase: 'connect', ms: 2 },
      { phase: 'first byte', ms },
    ])
  })

  it('ends one phase where the worker has told its end, and not the next one', () => {
    const { clock, run, results } = rig(500)
    run.passed({ phase: 'first byte', ms: 2 }, 0)
    clock.wind(1100)
    assert.deepEqual(results[0]?.phases, [{ phase: 'first byte', ms: results[0]?.ms }])
  })

  it('is extended by the time in which the event loop is blocked', () => {
    const { clock, host, results } = rig()
    clock.wind(500)
    host.isStill = true
    clock.wind(10_000)
    host.isStill = false
    clock.wind(400)
    assert.equal(results.length, 0)
    clock.wind(500)
    assert.equal(results[0]?.reason, 'timeout')
  })

  it('is not evaluated before the next turn of the event loop, even after a short block', () => {
    const { clock, host, run, results } = rig()
    clock.wind(950)
    // Not long enough to be called a standstill: the core has no other sign of it than that no round is told.
    host.isMute = true
    clock.wind(300)
    assert.equal(results.length, 0)
    // What had arrived in time is read at last.
    run.land(up('fine'))
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true],
    )
  })

  it('is evaluated as late if the run was nearly given up before, and went on', () => {
    const { clock, host, run, results, engine } = rig()
    host.phase = 'connect'
    clock.wind(300)
    engine.giveUpConnecting('mine', 200)
    clock.wind(1)
    host.phase = 'first byte'
    clock.wind(649)
    host.isMute = true
    clock.wind(300)
    assert.equal(results.length, 0)
    run.land(up('fine'))
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true],
    )
  })

  it('is evaluated in the end, however late the core always is', () => {
    const clock = new FakeClock()
    const host = new PlayedHost(clock, BEAT)
    const record = new CheckRecord('mine', { module: 'file:///mine.mjs', target: targetOf(9), options: {} })
    const run = new WorkerRun(record, clock, { timeout: 1000, done: () => {}, traced: true })
    run.hold(host)
    run.posted()
    let asked = 0
    while (!run.catchUp() && asked < 100) {
      clock.wind(300)
      asked++
    }
    assert.ok(asked < 10, `${asked}`)
  })

  it('is extended by a block that is reported late', () => {
    const { clock, host, results } = rig()
    clock.wind(990)
    host.lost += 400
    clock.wind(360)
    assert.equal(results.length, 0)
    clock.wind(300)
    assert.equal(results[0]?.reason, 'timeout')
  })

  it('accepts an answer that is read before the deadline is evaluated', () => {
    const { clock, run, results } = rig()
    clock.wind(990)
    clock.arrive(() => run.land(up('fine')))
    clock.stop(40)
    clock.wind(200)
    assert.deepEqual(
      results.map(({ ok }) => ok),
      [true],
    )
  })

  it('is extended up to a limit, even if the worker rarely runs', () => {
    const { clock, host, results } = rig()
    const reasons = () => results.map(({ reason }) => reason)
    host.isStill = true
    clock.wind(10_500)
    assert.deepEqual(reasons(), [])
    clock.wind(2000)
    host.isStill = false
    clock.wind(200)
    assert.deepEqual(reasons(), ['timeout'])
  })
})
