/** Jobs that keep a grid: several directors ask the same question at different times of its interval. */
import assert from 'node:assert/strict'
import { up } from '../../../src/check/check.js'
import { NO_PHASES, type Run } from '../../../src/check/run.js'
import { Scheduler } from '../../../src/schedule/scheduler.js'
import { FakeClock } from '../../support/fake-clock.js'

function stage() {
  const clock = new FakeClock()
  const began = clock.now()
  const starts: number[] = []
  const scheduler = new Scheduler(clock, 10)
  const executor = scheduler.executor<null>(
    (_work, _timeout, done) => {
      starts.push(clock.now() - began)
      clock.alarm(10, () => done(up('ok')))
      return { ...RUN }
    },
    () => {},
  )
  return { clock, executor, starts }
}

const RUN: Run = {
  phase: null,
  phases: NO_PHASES,
  wakeAt: Number.POSITIVE_INFINITY,
  wake: () => {},
  expire: () => up('late'),
  cancel: () => {},
}
const TIMING = { interval: 1000, timeout: 500 }
/** Starts are on ticks of 50 ms. */
const near = (starts: readonly number[], wanted: readonly number[]) =>
  assert.ok(
    starts.length === wanted.length && wanted.every((at, i) => Math.abs((starts[i] ?? 0) - at) <= 60),
    `${starts.map(Math.round)} for ${wanted}`,
  )

describe('a job on a grid', () => {
  it('runs at once and then on the grid, also after runs that are brought forward', () => {
    const { clock, executor, starts } = stage()
    executor.set('job', null, { ...TIMING, firstIn: 0, grid: 700 })
    clock.wind(3000)
    near(starts, [0, 700, 1700, 2700])
    executor.soon('job', 100)
    clock.wind(2000)
    near(starts.slice(4), [3100, 3700, 4700])
  })

  it('goes to another grid without ending its run', () => {
    const { clock, executor, starts } = stage()
    executor.set('job', null, { ...TIMING, firstIn: 0, grid: 0 })
    clock.wind(1500)
    executor.retime('job', { ...TIMING, firstIn: 300, grid: 300 })
    clock.wind(2000)
    near(starts, [0, 1000, 1800, 2800])
    executor.retime('nobody', { ...TIMING, firstIn: 0 })
  })

  it('runs in each interval, however often it gets another grid', () => {
    const { clock, executor, starts } = stage()
    executor.set('job', null, { ...TIMING, firstIn: 0, grid: 0 })
    // Just before a time of each grid it gets the other one.
    for (let i = 0; i < 10; i++) {
      clock.wind(450)
      executor.retime('job', { ...TIMING, firstIn: 600, grid: 600 })
    }
    const gaps = starts.slice(1).map((at, i) => at - (starts[i] ?? 0))
    assert.ok(starts.length > 3 && Math.max(...gaps) <= 1060, starts.map(Math.round).join(' '))
  })

  it('is asked again soon after a failure, although it gets another grid', () => {
    const { clock, executor, starts } = stage()
    executor.set('job', null, { ...TIMING, firstIn: 0, grid: 0 })
    clock.wind(100)
    executor.soon('job', 200)
    executor.retime('job', { ...TIMING, firstIn: 800, grid: 800 })
    clock.wind(1000)
    near(starts, [0, 300, 900])
  })
})
