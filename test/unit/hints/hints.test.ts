import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BROUGHT_FORWARD, FOLLOW_UP, type Hint } from '../../../src/core/hints.js'
import type { CheckResult } from '../../../src/core/model.js'
import { Hints } from '../../../src/hints/hints.js'
import { FakeClock } from '../../support/fake-clock.js'

const HINT: Hint = { kind: 'sentinel', detail: 'the idle connection to the server was reset after 3.0 s' }

const STRONG: Hint = { kind: 'half-open', detail: '6 connections without an answer', isStrong: true }

/** The result of a run that was started at once. */
function resultOf(ok: boolean, reason: CheckResult['reason'] = ok ? null : 'refused'): CheckResult {
  return { ok, reason, detail: '', phase: 'connect', ms: 1, phases: [], isEarly: true }
}

/** That of a run of the schedule. */
function regular(ok: boolean): CheckResult {
  const { isEarly, ...result } = resultOf(ok)
  return result
}

/** Hints on a fake clock, with executors that only note what they shall start. */
function rig({ fall = 2, here = (): boolean => true } = {}) {
  const clock = new FakeClock()
  const started: { id: string; at: number; isAnew?: boolean }[] = []
  const streaks = new Map<string, number>()
  const strong: { id: string; at: number }[] = []
  const hints = new Hints({
    clock,
    executors: {
      atOnce: (id, isAnew) => void started.push({ id, at: clock.now(), ...(isAnew && { isAnew }) }),
      next: () => (here() ? { in: 1000, isRunning: false } : null),
    },
    isChanging: id => (streaks.get(id) ?? 0) % fall > 0,
    onStrong: id => void strong.push({ id, at: clock.now() }),
  })
  const result = (id: string, given: CheckResult) => {
    const told = hints.explained(id, given)
    streaks.set(id, given.ok ? 0 : (streaks.get(id) ?? 0) + 1)
    hints.judged(id, told)
    return told
  }
  return { clock, hints, started, strong, result }
}

describe('hints: a hint', () => {
  it('brings the check forward at once, and its result says why', () => {
    const { clock, hints, started, result } = rig()
    hints.give(['a'], HINT)
    assert.deepEqual(started, [{ id: 'a', at: clock.now() }])
    clock.wind(2)
    assert.equal(result('a', resultOf(true)).hint, HINT.detail)
    assert.equal(result('a', resultOf(true)).hint, undefined)
    assert.deepEqual(hints.lastOf('a'), { ...HINT, at: clock.now() - 2 })
  })

  it('of a recovery starts a check anew that waits for its connection', () => {
    const { hints, started, clock } = rig()
    hints.give(['a'], { kind: 'knock', detail: 'it accepts', isRecovery: true })
    assert.deepEqual(started, [{ id: 'a', at: clock.now(), isAnew: true }])
  })

  it('of a recovery starts a check anew that another has brought forward, once', () => {
    const { hints, started, clock, result } = rig()
    const back: Hint = { kind: 'knock', detail: 'it accepts', isRecovery: true }
    hints.give(['a'], HINT)
    for (let i = 0; i < 3; i++) {
      clock.wind(200)
      hints.give(['a'], back)
    }
    assert.deepEqual(
      started.map(({ isAnew }) => isAnew),
      [undefined, true],
    )
    assert.equal(result('a', resultOf(true)).hint, back.detail)
  })

  it('of a recovery repeats a check that fails as unreachable, once: the kernel had asked for the neighbour in vain before', () => {
    for (const [reason, starts] of [
      ['unreachable', 2],
      ['timeout', 1],
    ] as const) {
      // The server is down already, so that no failure decides anything.
      const { clock, hints, started, result } = rig({ fall: 1 })
      hints.give(['a'], { kind: 'link', detail: 'the interface works again', isRecovery: true })
      clock.wind(100)
      hints.give(['a'], { kind: 'neighbour', detail: 'the neighbour does not answer', isStrong: true })
      for (let i = 0; i < 3; i++) {
        result('a', resultOf(false, reason))
        clock.wind(FOLLOW_UP)
      }
      assert.equal(started.length, starts, reason)
    }
    const { clock, hints, started, result } = rig({ fall: 1 })
    hints.give(['a'], HINT)
    result('a', resultOf(false, 'unreachable'))
    clock.wind(1000)
    assert.equal(started.length, 1)
  })

  it('of a recovery repeats such a check although another has followed before, for which the budget has a place', () => {
    const back: Hint = { kind: 'link', detail: 'the interface works again', isRecovery: true }
    const { clock, hints, started, result } = rig({ fall: 2 })
    hints.give(['a'], STRONG)
    result('a', resultOf(false, 'refused'))
    clock.wind(FOLLOW_UP)
    hints.give(['a'], back)
    result('a', resultOf(false, 'unreachable'))
    clock.wind(FOLLOW_UP)
    assert.deepEqual(
      started.map(({ isAnew }) => isAnew),
      [undefined, undefined, true, true],
    )
    const { hints: others, started: begun, clock: time, result: ends } = rig({ fall: 1 })
    const ids = Array.from({ length: BROUGHT_FORWARD.burst }, (_, i) => `${i}`)
    others.give(ids, back)
    for (const id of ids) ends(id, resultOf(false, 'unreachable'))
    time.wind(FOLLOW_UP)
    assert.equal(begun.length, BROUGHT_FORWARD.burst)
    assert.equal(others.counts.dropped, BROUGHT_FORWARD.burst)
  })

  it('that is single brings one check forward, which none follows', () => {
    const { clock, hints, started, result } = rig({ fall: 3 })
    hints.give(['a'], { ...HINT, isSingle: true })
    result('a', resultOf(false, 'unreachable'))
    clock.wind(1000)
    assert.equal(started.length, 1)
  })

  it('that is single does not end the checks that follow for another, and makes way for it', () => {
    const single: Hint = { kind: 'icmp', detail: 'an ICMP error', isSingle: true }
    const { clock, hints, started, result } = rig({ fall: 3 })
    hints.give(['a'], STRONG)
    hints.give(['a'], single)
    for (let i = 0; i < 3; i++) {
      result('a', resultOf(false, 'unreachable'))
      clock.wind(FOLLOW_UP)
    }
    assert.equal(started.length, 3)
    const { hints: others, clock: time } = rig()
    others.give(
      Array.from({ length: BROUGHT_FORWARD.burst }, (_, i) => `${i}`),
      HINT,
    )
    others.give(['late'], single)
    others.give(['late'], HINT)
    time.wind(1000)
    assert.equal(others.lastOf('late')?.detail, HINT.detail)
  })

  it('that is strong says so at each start, and a silent server is asked again at once', () => {
    const { clock, hints, started, strong, result } = rig({ fall: 3 })
    hints.give(['a'], STRONG)
    for (const starts of [1, 2, 3]) {
      assert.deepEqual([started.length, strong.length], [starts, starts])
      clock.wind(300)
      assert.equal(result('a', resultOf(false, 'timeout')).hint, STRONG.detail)
      clock.wind(FOLLOW_UP)
    }
    clock.wind(10_000)
    assert.deepEqual([started, started.length], [strong, 3])
  })

  it('that is strong counts for a check that another has brought forward', () => {
    const { clock, hints, started, strong, result } = rig()
    hints.give(['a'], HINT)
    clock.wind(100)
    hints.give(['a'], STRONG)
    hints.give(['a'], STRONG)
    assert.deepEqual([started.length, strong], [1, [{ id: 'a', at: clock.now() }]])
    assert.equal(result('a', resultOf(false, 'timeout')).hint, `${HINT.detail}; ${STRONG.detail}`)
  })

  it('that comes while a check is on its way brings another forward after it', () => {
    const { hints, started, result } = rig()
    const route: Hint = { kind: 'route', detail: 'the route to the server has changed' }
    hints.give(['a'], STRONG)
    for (let i = 0; i < 3; i++) hints.give(['a'], route)
    assert.equal(started.length, 1)
    assert.equal(result('a', resultOf(true)).hint, STRONG.detail)
    assert.equal(started.length, 2)
    assert.equal(result('a', resultOf(true)).hint, route.detail)
    assert.equal(started.length, 2)
  })

  it('that comes while a check is on its way explains those that follow a failure of it', () => {
    const { clock, hints, started, result } = rig({ fall: 3 })
    const route: Hint = { kind: 'route', detail: 'the route to the server has changed' }
    hints.give(['a'], STRONG)
    hints.give(['a'], route)
    const told = []
    for (let i = 0; i < 3; i++) {
      told.push(result('a', resultOf(false, 'unreachable')).hint)
      clock.wind(FOLLOW_UP)
    }
    assert.deepEqual(told, [STRONG.detail, route.detail, route.detail])
    assert.equal(started.length, 3)
  })

  it('of the same kind, while a check is on its way, brings no other forward', () => {
    const { hints, started, result } = rig()
    hints.give(['a'], HINT)
    hints.give(['a'], { ...HINT, detail: 'once more' })
    result('a', resultOf(true))
    assert.equal(started.length, 1)
  })

  it('is not answered by a run of the schedule', () => {
    const { clock, hints, started, result } = rig()
    hints.give(['a'], HINT)
    assert.equal(result('a', regular(true)).hint, undefined)
    assert.equal(result('a', resultOf(false)).hint, HINT.detail)
    clock.wind(1000)
    assert.equal(started.length, 2)
  })

  it('leaves a run alone that something else has started at once', () => {
    const { result } = rig()
    assert.deepEqual(result('a', resultOf(true)), regular(true))
  })

  it('brings the checks that fall still needs forward, each a moment after the one before, and no more', () => {
    const { clock, hints, started, result } = rig({ fall: 3 })
    hints.give(['a'], HINT)
    const begun = clock.now()
    for (let i = 0; i < 3; i++) {
      clock.wind(1)
      assert.equal(result('a', resultOf(false)).hint, HINT.detail)
      clock.wind(FOLLOW_UP)
    }
    clock.wind(5000)
    assert.deepEqual(
      started.map(({ at }) => Math.round((at - begun) / (FOLLOW_UP + 1))),
      [0, 1, 2],
    )
  })

  it('is over after a check that passes or takes its time', () => {
    for (const given of [resultOf(true), resultOf(false, 'timeout')]) {
      const { clock, hints, started, result } = rig({ fall: 5 })
      hints.give(['a'], HINT)
      result('a', given)
      clock.wind(5000)
      assert.equal(started.length, 1)
    }
  })

  it('does nothing where the check does not run', () => {
    const { hints, started } = rig({ here: () => false })
    hints.give(['a'], HINT)
    assert.deepEqual(started, [])
    assert.equal(hints.counts.broughtForward, 0)
    assert.equal(hints.counts.given.sentinel, 1)
  })

  it('of many servers at once is followed at a bounded pace, and each gets its check', () => {
    const { clock, hints, started } = rig()
    const ids = Array.from({ length: 500 }, (_, i) => `${i}`)
    hints.give(ids, HINT)
    assert.equal(started.length, BROUGHT_FORWARD.burst)
    clock.wind(1000)
    const atOnce = BROUGHT_FORWARD.burst + BROUGHT_FORWARD.perSecond
    assert.ok(Math.abs(started.length - atOnce) <= 2, `${started.length} after a second`)
    clock.wind(4000)
    assert.deepEqual(new Set(started.map(({ id }) => id)), new Set(ids))
    assert.equal(started.length, ids.length)
  })

  it('beyond all bounds is dropped and counted', () => {
    const { clock, hints } = rig()
    hints.give(
      Array.from({ length: 5000 }, (_, i) => `${i}`),
      HINT,
    )
    assert.equal(hints.counts.dropped, 4000)
    clock.wind(60_000)
    assert.equal(hints.counts.broughtForward, 1000)
    hints.close()
  })

  it('brings the check forward again when a reload may have replaced its job', () => {
    const { clock, hints, started, result } = rig()
    hints.give(['a'], HINT)
    hints.give(['b'], HINT)
    result('b', resultOf(true))
    hints.follow(() => true)
    assert.deepEqual(
      started.map(({ id }) => id),
      ['a', 'b', 'a'],
    )
    assert.equal(result('a', resultOf(true)).hint, HINT.detail)
    clock.wind(60_000)
    assert.equal(started.length, 3)
  })

  it('is followed again if the check that was brought forward gave no result, as after another role', () => {
    const { clock, hints, started, result } = rig()
    hints.give(['a'], HINT)
    // The job is replaced, and its run ends without a result.
    result('a', regular(true))
    clock.wind(1000)
    hints.give(['a'], HINT)
    assert.equal(started.length, 1)
    clock.wind(10_000)
    hints.give(['a'], HINT)
    assert.equal(started.length, 2)
  })

  it('of a job that has gone is forgotten', () => {
    const { clock, hints, started } = rig()
    hints.give(
      Array.from({ length: 200 }, (_, i) => `${i}`),
      HINT,
    )
    hints.follow(() => false)
    clock.wind(5000)
    assert.equal(started.length, BROUGHT_FORWARD.burst)
    assert.equal(hints.lastOf('1'), null)
  })

  it('starts no more checks than the budget, under any order of hints and results', () => {
    const steps = fc.array(
      fc.record({
        wait: fc.integer({ min: 0, max: 30 }),
        id: fc.integer({ min: 0, max: 300 }),
        ok: fc.boolean(),
      }),
      { maxLength: 600 },
    )
    fc.assert(
      fc.property(steps, given => {
        const { clock, hints, result } = rig({ fall: 3 })
        const begun = clock.now()
        for (const { wait, id, ok } of given) {
          hints.give([`${id}`, `${id + 1}`], HINT)
          clock.wind(wait)
          result(`${id}`, resultOf(ok))
        }
        const { perSecond, burst } = BROUGHT_FORWARD
        const most = burst + ((clock.now() - begun) * perSecond) / 1000 + 0.01
        assert.ok(hints.counts.broughtForward <= most)
        hints.close()
        assert.equal(clock.alarms, 0)
      }),
      { numRuns: 60 },
    )
  })
})
