import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Answer, noVerdict, up } from '../../../src/check/check.js'
import { timedOut } from '../../../src/check/error-to-answer.js'
import type { OnDone, Run, StartRun } from '../../../src/check/run.js'
import type { CheckResult, Phase } from '../../../src/core/model.js'
import { Scheduler } from '../../../src/schedule/scheduler.js'
import { TICK } from '../../../src/schedule/start-phases.js'
import { FakeClock } from '../../support/fake-clock.js'

/** What a run does: an answer after so many milliseconds, or none ever. */
interface Work {
  readonly after: number | null
  readonly answer?: Answer
  /** The phase in which it is all the time. */
  readonly phase?: Phase
  /** Number of times that it may have unread data when it is asked. */
  readonly unread?: number
}

interface Event {
  readonly id: string
  readonly at: number
}

/** A scheduler on a fake clock, with runs that are played. */
function rig(cap = 1000) {
  const clock = new FakeClock()
  const scheduler = new Scheduler(clock, cap)
  const starts: Event[] = []
  const results: (Event & { result: CheckResult })[] = []
  const begun = clock.now()
  const counts = { most: 0, running: 0 }
  const start: StartRun<Work & { id: string }> = (work, _timeout, done) => {
    starts.push({ id: work.id, at: clock.now() - begun })
    counts.running++
    counts.most = Math.max(counts.most, counts.running)
    return played(work, clock, done, counts)
  }
  const executor = scheduler.executor(start, (id, result) => {
    results.push({ id, at: clock.now() - begun, result })
  })
  const set = (id: string, work: Work, { interval = 1000, timeout = 500, firstIn = 0 } = {}) =>
    executor.set(id, { ...work, id }, { interval, timeout, firstIn })
  return { clock, scheduler, starts, results, counts, executor, set }
}

function played(
  { after, answer = up('fine'), phase = 'first byte', unread = 0 }: Work,
  clock: FakeClock,
  done: OnDone,
  counts = { running: 1 },
): Run {
  const land = () => {
    counts.running--
    stop()
  }
  const finish = () => {
    land()
    done(answer)
  }
  const stop = after === null ? () => {} : clock.alarm(after, finish)
  return {
    phase,
    phases: [],
    catchUp: () => unread-- <= 0,
    wakeAt: Number.POSITIVE_INFINITY,
    wake: () => {},
    expire: timeout => {
      land()
      return timedOut(phase, timeout)
    },
    cancel: land,
  }
}

function timesOf(events: readonly Event[], id: string): number[] {
  return events.filter(event => event.id === id).map(event => event.at)
}

describe('scheduler', () => {
  it('starts a job within one interval, then at each interval without drift', () => {
    const { clock, set, starts } = rig()
    set('a', { after: 37 }, { interval: 1130 })
    clock.wind(1_200_000)
    const times = timesOf(starts, 'a')
    assert.ok((times[0] as number) <= TICK)
    // From the second on: the first start is put elsewhere in the interval.
    const [, second = 0] = times
    times.slice(1).forEach((at, i) => {
      assert.ok(Math.abs(at - second - i * 1130) <= TICK, `start ${i} at ${at}`)
    })
    assert.ok(times.length >= 1200 / 1.13)
  })

  it('starts on the grid only, but for first runs', () => {
    const { clock, set, starts } = rig()
    for (let i = 0; i < 40; i++) set(`${i}`, { after: 3 }, { interval: 710 + i })
    clock.wind(20_000)
    const phase = (starts.at(-1) as Event).at % TICK
    for (const { at } of starts.slice(40)) assert.ok(Math.abs((at % TICK) - phase) < 0.001)
  })

  it('starts the first runs at once, before the next tick, unless they are wanted later', () => {
    for (let round = 0; round < 20; round++) {
      const { clock, set, starts } = rig()
      set('a', { after: 3 })
      set('b', { after: 3 }, { firstIn: 200 })
      clock.wind(0)
      assert.deepEqual(timesOf(starts, 'a'), [0])
      clock.wind(1000)
      assert.ok((timesOf(starts, 'b')[0] as number) >= 200)
    }
  })

  it('starts all jobs at once first, and spreads the following starts evenly over the interval', () => {
    const { clock, set, starts } = rig()
    for (let i = 0; i < 2400; i++) set(`${i}`, { after: 5 }, { interval: 2000 })
    clock.wind(TICK)
    assert.equal(starts.length, 2400)
    clock.wind(20_000)
    const slots = new Map<number, number>()
    for (const { at } of starts.filter(start => start.at > 10_000)) slots.set(at, (slots.get(at) ?? 0) + 1)
    // 2400 in 40 slots: sixty each, give or take.
    assert.ok(Math.max(...slots.values()) <= 64, `${Math.max(...slots.values())} in one slot`)
    assert.ok(Math.min(...slots.values()) >= 56, `${Math.min(...slots.values())} in one slot`)
  })

  it('never lets more than the interval pass between two starts while it keeps up', () => {
    const { clock, set, starts } = rig()
    for (let i = 0; i < 50; i++) set(`${i}`, { after: 5 }, { interval: 1000 })
    clock.wind(10_000)
    for (let i = 0; i < 50; i++) {
      const times = timesOf(starts, `${i}`)
      times.slice(1).forEach((at, k) => {
        assert.ok(at - (times[k] as number) <= 1000 + TICK)
      })
    }
  })

  it('runs a job early once on request, and continues from there', () => {
    const { clock, set, executor, starts } = rig()
    set('a', { after: 5 }, { interval: 10_000, firstIn: 1 })
    clock.wind(3000)
    executor.soon('a', 500)
    clock.wind(20_000)
    const [first = 0, second = 0, third = 0] = timesOf(starts, 'a')
    assert.ok(first <= 2 * TICK)
    assert.ok(second >= 3500 && second <= 3500 + TICK)
    assert.ok(Math.abs(third - second - 10_000) <= TICK)
  })

  it('says when the next run of a job starts, and whether one is in progress', () => {
    const { clock, set, executor } = rig()
    set('a', { after: 400 }, { interval: 10_000, firstIn: 1000 })
    assert.equal(executor.next('b'), null)
    const before = executor.next('a')
    assert.ok(before && !before.isRunning && before.in >= 1000 && before.in <= 1000 + TICK)
    clock.wind(1100)
    const during = executor.next('a')
    assert.ok(during?.isRunning && during.in > 9800 && during.in <= 10_000)
    clock.wind(1000)
    assert.equal(executor.next('a')?.isRunning, false)
  })

  it('never delays a start because of a request to run it early', () => {
    const { clock, set, executor, starts } = rig()
    set('a', { after: 5 }, { interval: 1000, firstIn: 1 })
    clock.wind(900)
    executor.soon('a', 5000)
    clock.wind(300)
    assert.equal(starts.length, 2)
  })

  it('spreads jobs again that were requested early at the same time', () => {
    const { clock, set, executor, starts } = rig()
    for (let i = 0; i < 100; i++) set(`${i}`, { after: 5 }, { interval: 2000 })
    clock.wind(TICK)
    for (let i = 0; i < 100; i++) executor.soon(`${i}`, 100)
    clock.wind(10_000)
    const late = starts.filter(start => start.at > 5000 && start.at <= 7000)
    const slots = new Set(late.map(start => start.at)).size
    // So few jobs start at every tenth tick.
    assert.ok(slots >= 3 && slots <= 5, `${slots} slots`)
  })

  it('starts few jobs together, so that one wake-up serves several, but never later than their interval', () => {
    const { clock, set, starts } = rig()
    for (let i = 0; i < 80; i++) set(`${i}`, { after: 5 }, { interval: 1000 })
    clock.wind(10_000)
    const slots = new Set(starts.filter(({ at }) => at > 5000 && at <= 6000).map(({ at }) => at))
    assert.equal(slots.size, 2)
    for (let i = 0; i < 80; i++) assert.ok(timesOf(starts, `${i}`).length >= 10)
  })

  it('has at most one run of a job in progress', () => {
    const { clock, set, starts, counts } = rig()
    set('a', { after: null }, { interval: 100, timeout: 950 })
    clock.wind(10_000)
    assert.equal(counts.most, 1)
    assert.ok(starts.length <= 11)
  })

  it('has no timer when there is nothing to do, and one otherwise', () => {
    const { clock, set, executor } = rig()
    assert.equal(clock.alarms, 0)
    for (let i = 0; i < 10; i++) set(`${i}`, { after: null })
    assert.equal(clock.alarms, 1)
    clock.wind(1000)
    for (let i = 0; i < 10; i++) executor.remove(`${i}`)
    clock.wind(1000)
    assert.equal(clock.alarms, 0)
  })

  it('sleeps until the next start while no run is in progress', () => {
    const { clock, set } = rig()
    let visits = 0
    const { alarm } = clock
    clock.alarm = (ms, ring) =>
      alarm(ms, () => {
        visits++
        ring()
      })
    set('a', { after: 1 }, { interval: 60_000 })
    clock.wind(600_000)
    // One for the start, and one for the answer, which is an alarm here.
    assert.ok(visits <= 11 * 2, `${visits} wake-ups`)
  })

  it('starts a job in time that is due just after the end of the last run', () => {
    const { clock, set, starts } = rig()
    set('a', { after: TICK - 0.5 }, { firstIn: 1000 })
    set('b', { after: 1 }, { firstIn: 1000 + TICK })
    clock.wind(10_000)
    const at = (id: string) => starts.filter(start => start.id === id).map(start => start.at)
    assert.ok(at('b').length >= 8)
    for (const [i, time] of at('b').entries())
      assert.ok(Math.abs(time - (at('a')[i] ?? 0) - TICK) < 1, String(time))
  })

  describe('deadlines', () => {
    it('end a run that hangs, and report its phase', () => {
      const { clock, set, results } = rig()
      set('a', { after: null }, { timeout: 300, firstIn: 1 })
      clock.wind(400)
      assert.equal(results.length, 1)
      const { result, at } = results[0] as (typeof results)[0]
      assert.equal(result.ok, false)
      assert.equal(result.reason, 'timeout')
      assert.equal(result.phase, 'first byte')
      assert.equal(result.detail, 'no answer within 300 ms')
      assert.ok(at >= 300 && at <= 300 + TICK)
    })

    it('are evaluated after arrived data is read', () => {
      const { clock, executor, scheduler, results } = rig()
      let answer: OnDone = () => {}
      let startedAt = 0
      const waiting = scheduler.executor<null>(
        (_work, _timeout, done) => {
          answer = done
          startedAt = clock.now()
          return played({ after: null }, clock, done)
        },
        (id, result) => results.push({ id, at: 0, result }),
      )
      waiting.set('a', null, { interval: 1000, timeout: 300, firstIn: 1 })
      clock.wind(TICK)
      // It lies in the socket when the deadline's slot comes, a little late.
      clock.wind(startedAt + 290 - clock.now())
      clock.arrive(() => answer(up('just in time')))
      clock.stop(30)
      clock.wind(100)
      assert.deepEqual(
        results.map(({ result }) => result.detail),
        ['just in time'],
      )
      executor.close()
    })

    it('are extended by the time in which lvsd was stopped', () => {
      const { clock, set, results, scheduler } = rig()
      set('a', { after: 250 }, { timeout: 300 })
      set('b', { after: null }, { timeout: 300 })
      clock.wind(100)
      clock.stop(2000)
      assert.deepEqual(
        results.map(({ id, result }) => [id, result.ok]),
        [['a', true]],
      )
      clock.wind(100)
      assert.equal(results.length, 1)
      clock.wind(200)
      assert.deepEqual(
        results.slice(1).map(({ id, result }) => [id, result.reason]),
        [['b', 'timeout']],
      )
      const { stalls, stalledFor, sinceStall } = scheduler.stats()
      assert.equal(stalls, 1)
      assert.equal(sinceStall, 300)
      assert.ok(stalledFor >= 1900 && stalledFor <= 2000)
    })

    it('are not extended if the event loop is slightly late', () => {
      const { clock, set, results, scheduler } = rig()
      set('a', { after: null }, { timeout: 300 })
      for (let i = 0; i < 20; i++) {
        clock.wind(TICK)
        clock.stop(20)
      }
      assert.equal(results[0]?.result.reason, 'timeout')
      assert.equal(scheduler.stats().stalls, 0)
    })
  })

  it('starts each job once after a stop of the process, with any number of missed starts, and keeps its phase', () => {
    const { clock, set, starts } = rig()
    set('a', { after: 5 }, { interval: 1000, firstIn: 1 })
    clock.wind(1500)
    const phase = (starts[1] as Event).at % 1000
    clock.stop(10_000)
    clock.wind(TICK)
    assert.equal(starts.length, 3)
    clock.wind(5000)
    assert.equal((starts.at(-1) as Event).at % 1000, phase)
  })

  it('cancels a run without a result when its job is removed or replaced', () => {
    const { clock, set, executor, results, counts } = rig()
    set('a', { after: 200 })
    set('b', { after: 200 })
    clock.wind(60)
    executor.remove('a')
    set('b', { after: 20, answer: up('new') })
    clock.wind(1000)
    assert.deepEqual([...new Set(results.map(({ id, result }) => `${id} ${result.detail}`))], ['b new'])
    assert.equal(counts.running, 0)
  })

  it('reports nothing after it was closed', () => {
    const { clock, set, scheduler, results, counts } = rig()
    for (let i = 0; i < 5; i++) set(`${i}`, { after: i % 2 ? null : 100 })
    clock.wind(60)
    scheduler.close()
    clock.wind(10_000)
    assert.equal(results.length, 0)
    assert.equal(clock.alarms, 0)
    assert.equal(counts.running, 0)
  })

  it('turns a start that throws into a result', () => {
    const { clock, scheduler, results } = rig()
    const failing = scheduler.executor<null>(
      () => {
        throw Object.assign(new Error('socket'), { code: 'EMFILE' })
      },
      (id, result) => results.push({ id, at: 0, result }),
    )
    failing.set('a', null, { interval: 1000, timeout: 300, firstIn: 0 })
    clock.wind(100)
    assert.equal(results[0]?.result.ok, null)
    assert.equal(scheduler.stats().noVerdicts, 1)
    assert.equal(scheduler.stats().running, 0)
  })

  it('counts runs without a verdict', () => {
    const { clock, set, scheduler } = rig()
    set('a', { after: 5, answer: noVerdict('no descriptor') })
    clock.wind(3000)
    assert.ok(scheduler.stats().noVerdicts >= 3)
  })

  it('allows the result handler to set, remove and hurry jobs', () => {
    const clock = new FakeClock()
    const scheduler = new Scheduler(clock, 10)
    const seen: string[] = []
    const executor = scheduler.executor<number>(
      (after, _timeout, done) => played({ after }, clock, done),
      id => {
        seen.push(id)
        if (id === 'a') executor.set('b', 5, { interval: 60_000, timeout: 100, firstIn: 0 })
        if (id === 'b') executor.remove('b')
        if (seen.length === 1) executor.soon('a', 100)
      },
    )
    executor.set('a', 5, { interval: 60_000, timeout: 100, firstIn: 0 })
    clock.wind(1000)
    assert.deepEqual(seen, ['a', 'b', 'a', 'b'])
  })

  describe('a run at once', () => {
    it('starts off the grid, and moves no other run', () => {
      const plain = rig()
      const { clock, set, starts, results, executor } = rig()
      for (const one of [plain, { clock, set }]) {
        one.set('a', { after: 3 }, { interval: 1000 })
        one.clock.wind(2000)
      }
      clock.wind(7)
      const at = 2007
      executor.atOnce('a')
      clock.wind(9993)
      plain.clock.wind(10_000)
      const times = timesOf(starts, 'a')
      assert.equal(times.filter(time => time === at).length, 1)
      assert.deepEqual(
        results.filter(({ result }) => result.isEarly).map(each => each.at),
        [at + 3],
      )
      assert.deepEqual(
        times.filter(time => time !== at),
        timesOf(plain.starts, 'a'),
      )
    })

    it('follows the run in progress once, however often it is asked for', () => {
      const { clock, set, starts, executor } = rig()
      set('a', { after: 300 }, { interval: 5000 })
      clock.wind(100)
      for (let i = 0; i < 5; i++) executor.atOnce('a')
      assert.equal(starts.length, 1)
      clock.wind(800)
      const [first = 0, second = 0, ...more] = timesOf(starts, 'a')
      assert.equal(second, first + 300)
      assert.deepEqual(more, [])
    })

    it('takes the place of one that waits for its connection, if it shall begin anew', () => {
      for (const [phase, starts] of [
        ['connect', [100]],
        ['first byte', []],
      ] as const) {
        const { clock, set, starts: all, results, executor, counts } = rig(1)
        set('a', { after: null, phase }, { interval: 5000, timeout: 3000 })
        clock.wind(100)
        executor.atOnce('a', true)
        clock.wind(200)
        assert.deepEqual(timesOf(all, 'a').slice(1), starts)
        assert.deepEqual([results.length, counts.running], [0, 1])
      }
    })

    it('takes the place of any, whose result is not told, if that does not count', () => {
      for (const isAsked of [false, true]) {
        const { clock, set, starts, results, executor, counts } = rig(1)
        const plain = rig(1)
        for (const one of [set, plain.set]) one('a', { after: 300 }, { interval: 5000 })
        clock.wind(100)
        if (isAsked) executor.atOnce('a')
        executor.beginAnew('a')
        clock.wind(1000)
        assert.deepEqual(
          results.map(({ at, result }) => [at, result.isEarly]),
          [[400, isAsked || undefined]],
        )
        executor.beginAnew('a')
        executor.beginAnew('a')
        executor.beginAnew('none')
        clock.wind(18_900)
        plain.clock.wind(20_000)
        assert.deepEqual(timesOf(starts, 'a').slice(0, 3), [0, 100, 1100])
        assert.deepEqual(timesOf(starts, 'a').slice(3), timesOf(plain.starts, 'a').slice(1))
        assert.ok(counts.most === 1)
      }
    })

    it('waits for a place like any other, and not when its job is removed', () => {
      const { clock, set, starts, executor } = rig(1)
      set('a', { after: 200 }, { interval: 5000 })
      set('b', { after: 3 }, { interval: 5000, firstIn: 4000 })
      clock.wind(100)
      executor.atOnce('b')
      clock.wind(50)
      assert.deepEqual(timesOf(starts, 'b'), [])
      clock.wind(200)
      assert.equal(timesOf(starts, 'b').length, 1)
      executor.atOnce('b')
      executor.remove('b')
      executor.atOnce('c')
      clock.wind(100)
      assert.equal(timesOf(starts, 'b').length, 1)
    })
  })

  describe('a run that is given up while it connects', () => {
    it('ends as at its time limit, at once and early, and is not followed by the one that was wanted', () => {
      const { clock, set, starts, results, executor } = rig()
      set('a', { after: null, phase: 'connect' }, { interval: 5000, timeout: 3000 })
      clock.wind(100)
      executor.atOnce('a')
      clock.wind(230)
      executor.giveUpConnecting('a', 200)
      clock.wind(0)
      assert.deepEqual(
        results.map(({ at, result: { ok, reason, detail, isEarly } }) => [at, ok, reason, detail, isEarly]),
        [[330, false, 'timeout', 'no connection within 330 ms', true]],
      )
      clock.wind(500)
      assert.equal(starts.length, 1)
    })

    it('goes on if it has a connection, has not waited so long, or has ended meanwhile', () => {
      for (const [phase, after, least] of [
        ['first byte', null, 200],
        ['connect', null, 400],
        ['connect', 330, 200],
      ] as const) {
        const { clock, set, results, executor } = rig()
        set('a', { after, phase }, { interval: 5000, timeout: 3000 })
        clock.wind(330)
        executor.giveUpConnecting('a', least)
        executor.giveUpConnecting('none', least)
        clock.wind(1000)
        assert.deepEqual(
          results.map(({ result }) => result.ok),
          after === null ? [] : [true],
        )
      }
    })

    it('is asked again while it may have unread data', () => {
      const { clock, set, results, executor } = rig()
      set('a', { after: null, phase: 'connect', unread: 2 }, { interval: 5000, timeout: 3000 })
      clock.wind(330)
      executor.giveUpConnecting('a', 200)
      clock.wind(39)
      assert.equal(results.length, 0)
      clock.wind(1)
      assert.deepEqual(
        results.map(({ result }) => result.detail),
        ['no connection within 370 ms'],
      )
    })
  })

  describe('the concurrency limit', () => {
    it('is never exceeded, and each job runs', () => {
      const { clock, set, starts, counts } = rig(7)
      for (let i = 0; i < 50; i++) set(`${i}`, { after: 60 }, { interval: 1000 })
      clock.wind(5000)
      assert.ok(counts.most <= 7)
      assert.equal(new Set(starts.map(start => start.id)).size, 50)
    })

    it('is not used up by servers that hang: the others stay punctual', () => {
      const { clock, set, starts } = rig(20)
      for (let i = 0; i < 200; i++) set(`hang ${i}`, { after: null }, { interval: 1000, timeout: 900 })
      for (let i = 0; i < 20; i++) set(`fine ${i}`, { after: 10 }, { interval: 1000 })
      clock.wind(30_000)
      const before = starts.length
      clock.wind(10_000)
      const recent = starts.slice(before)
      for (let i = 0; i < 20; i++) {
        const times = timesOf(recent, `fine ${i}`)
        assert.ok(times.length >= 9, `fine ${i} ran ${times.length} times in 10 s`)
      }
    })

    it('leaves servers that hang enough runs to detect their recovery', () => {
      const { clock, set, starts, counts } = rig(8)
      set('hang', { after: null }, { interval: 1000, timeout: 900 })
      for (let i = 0; i < 200; i++) set(`fine ${i}`, { after: 100 }, { interval: 1000 })
      clock.wind(60_000)
      assert.ok(timesOf(starts, 'hang').length > 20, `${timesOf(starts, 'hang').length}`)
      assert.ok(counts.most <= 8)
    })

    it('of one executor does not limit the others', () => {
      const clock = new FakeClock()
      const scheduler = new Scheduler(clock, 10)
      const counts = { few: 0, many: 0 }
      for (const [name, most] of [
        ['few', 3],
        ['many', 10],
      ] as const) {
        const executor = scheduler.executor<null>(
          (_work, _timeout, done) => {
            counts[name]++
            return played({ after: null }, clock, done)
          },
          () => {},
          most,
        )
        for (let i = 0; i < 50; i++) {
          executor.set(`${i}`, null, { interval: 10_000, timeout: 5000, firstIn: 0 })
        }
      }
      clock.wind(1000)
      assert.deepEqual(counts, { few: 3, many: 7 })
    })

    it('of one place serves both executors', () => {
      const { clock, set, starts } = rig(1)
      set('hang', { after: null }, { interval: 300, timeout: 200 })
      set('fine', { after: 20 }, { interval: 300 })
      clock.wind(30_000)
      assert.ok(timesOf(starts, 'hang').length > 40)
      assert.ok(timesOf(starts, 'fine').length > 40)
    })
  })

  it('reports its lateness', () => {
    const { clock, set, scheduler } = rig()
    for (let i = 0; i < 10; i++) set(`${i}`, { after: 5 }, { interval: 500 })
    clock.wind(10_000)
    const { lateness, jobs } = scheduler.stats()
    assert.equal(jobs, 10)
    assert.ok(lateness.p99 < 1)
    clock.wind(7)
    clock.stop(1000)
    assert.ok(scheduler.stats().lateness.max > 700)
    clock.wind(180_000)
    assert.ok(scheduler.stats().lateness.max < 1, 'the recent past is two minutes')
  })

  it('does not count the first starts as late, which wait for places together', () => {
    const { clock, set, scheduler, starts } = rig(2)
    for (let i = 0; i < 20; i++) set(`${i}`, { after: 40 }, { interval: 5000 })
    clock.wind(3000)
    assert.ok(Math.max(...starts.slice(0, 20).map(start => start.at)) > 300)
    assert.equal(scheduler.stats().lateness.max, 0)
  })

  it('keeps its invariants under any order of events', () => {
    const step = fc.oneof(
      fc.record({
        op: fc.constant('set' as const),
        id: fc.nat(5),
        after: fc.option(fc.integer({ min: 1, max: 400 })),
        interval: fc.integer({ min: 20, max: 700 }),
      }),
      fc.record({ op: fc.constant('remove' as const), id: fc.nat(5) }),
      fc.record({ op: fc.constant('soon' as const), id: fc.nat(5), ms: fc.nat(300) }),
      fc.record({ op: fc.constant('wind' as const), ms: fc.nat(900) }),
      fc.record({ op: fc.constant('stop' as const), ms: fc.nat(900) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, cap) => {
        const { clock, set, executor, scheduler, starts, counts } = rig(cap)
        const alive = new Set<number>()
        for (const each of steps) {
          if (each.op === 'set') {
            set(`${each.id}`, { after: each.after }, { interval: each.interval, timeout: 250 })
            alive.add(each.id)
          } else if (each.op === 'remove') {
            executor.remove(`${each.id}`)
            alive.delete(each.id)
          } else if (each.op === 'soon') executor.soon(`${each.id}`, each.ms)
          else clock[each.op](each.ms)
          assert.ok(counts.most <= cap)
          assert.equal(scheduler.stats().running, counts.running)
          assert.equal(scheduler.stats().jobs, alive.size)
        }
        // Whoever is left runs again and again.
        starts.length = 0
        clock.wind(20_000)
        for (const id of alive) assert.ok(timesOf(starts, `${id}`).length >= 2)
      }),
      { numRuns: 150 },
    )
  })
})
