import assert from 'node:assert/strict'
import fc from 'fast-check'
import { up } from '../../../src/check/answer.js'
import { NO_PHASES, type OnDone } from '../../../src/check/run.js'
import { Calendar } from '../../../src/schedule/calendar.js'
import { Scheduler } from '../../../src/schedule/scheduler.js'
import { VirtualClock } from '../../../src/util/virtual-clock.js'

const PASSED = up('passed')

interface Job {
  readonly interval: number
  /** Milliseconds until the answer; longer than the time limit: none. */
  readonly after: number
}

interface Order {
  /** Milliseconds before it. */
  readonly in: number
  readonly job: number
  readonly soon: number
}

interface Parts {
  readonly jobs: readonly Job[]
  readonly orders?: readonly Order[]
  readonly cost?: number
  readonly hasCalendar?: boolean
  /** Runs that are known after each that passes. */
  readonly known?: number
  readonly concurrency?: number
}

const TIMEOUT = 400

/** Returns when runs of each job started, in milliseconds. */
function startsOf({ jobs, orders = [], cost = 0, hasCalendar = true, known = 0, concurrency = 512 }: Parts) {
  const clock = new VirtualClock({ seed: 3 })
  const starts: string[] = []
  const countedAt: number[] = []
  const counted = (ms: number) => {
    countedAt.push(clock.now())
    starts.push(`${(clock.now() - ms).toFixed(3)} + ${ms.toFixed(3)}`)
    clock.spend(cost)
  }
  const calendar = hasCalendar ? new Calendar({ now: clock.now, longest: 100, counted }) : null
  let delay: number | null = null
  const onDelay = (ms: number) => {
    delay = ms
  }
  const scheduler = new Scheduler(clock, concurrency, onDelay, calendar)
  const start = ({ after }: Job, _: number, done: OnDone) => {
    if (delay !== null) starts.push(`${(clock.now() - delay).toFixed(3)} + ${delay.toFixed(3)}`)
    clock.spend(cost)
    const cancel = clock.alarm(after, () => done(PASSED))
    const expire = () => {
      cancel()
      return PASSED
    }
    const wake = () => {}
    return { phase: null, phases: NO_PHASES, wakeAt: Number.POSITIVE_INFINITY, wake, expire, cancel }
  }
  const executor = scheduler.executor(start, id => {
    calendar?.promise(id, { until: Number.POSITIVE_INFINITY, runs: known })
  })
  for (const [i, job] of jobs.entries())
    executor.set(`job ${i}`, job, { interval: job.interval, timeout: TIMEOUT, firstIn: 0 })
  for (const order of orders) {
    const end = clock.now() + order.in
    while (clock.turn(end));
    executor.soon(`job ${order.job % jobs.length}`, order.soon)
  }
  const end = clock.now() + 20_000
  while (clock.turn(end));
  const { lateness, ...stats } = scheduler.stats()
  scheduler.close()
  return { starts: starts.sort(), countedAt, stats: { ...stats, running: 0 } }
}

const jobs = fc.array(
  fc.record({
    interval: fc.constantFrom(500, 1000, 1025, 2000, 7000, 70_000),
    after: fc.constantFrom(1, 30, TIMEOUT * 2),
  }),
  { minLength: 1, maxLength: 40 },
)
const orders = fc.array(
  fc.record({
    in: fc.integer({ min: 1, max: 3000 }),
    job: fc.nat(),
    soon: fc.integer({ min: 0, max: 2000 }),
  }),
  { maxLength: 6 },
)

describe('Calendar', () => {
  it('starts jobs when the scheduler starts them without it', () => {
    fc.assert(
      fc.property(jobs, orders, (jobs, orders) => {
        const without = startsOf({ jobs, orders, hasCalendar: false })
        assert.deepEqual(startsOf({ jobs, orders }), without)
        assert.ok(without.starts.length > 0 || jobs.every(({ interval }) => interval > 20_000))
      }),
      { numRuns: 50 },
    )
  })

  it('counts runs at the times at which they start otherwise', () => {
    const quick = jobs.map(all => all.map(job => ({ ...job, after: Math.min(job.after, 30) })))
    const parts = fc.record({ jobs: quick, orders, cost: fc.constantFrom(0, 0.1, 1, 5) })
    fc.assert(
      fc.property(parts, fc.constantFrom(1, 3, 1000), (parts, known) => {
        assert.deepEqual(startsOf({ ...parts, known }).starts, startsOf(parts).starts)
      }),
      { numRuns: 50 },
    )
  })

  it('counts no more runs at a time than there are places', () => {
    const jobs = Array.from({ length: 40 }, () => ({ interval: 1000, after: 100 }))
    const parts = { jobs, concurrency: 2 }
    assert.deepEqual(
      startsOf({ ...parts, known: 0 }).starts,
      startsOf({ ...parts, hasCalendar: false }).starts,
    )
    const { countedAt } = startsOf({ ...parts, known: 1000 })
    assert.ok(countedAt.length > 100, String(countedAt.length))
    for (const [i, time] of countedAt.entries())
      assert.ok(i < 2 || time > (countedAt[i - 2] as number) + 100, `${time} after ${countedAt[i - 2]}`)
  })
})
