import assert from 'node:assert/strict'
import fc from 'fast-check'
import { loadConfig } from '../../../src/config/load.js'
import type { CheckPolicy, Config } from '../../../src/core/model.js'
import { NO_FAILURES } from '../../../src/simulate/failure-spec.js'
import { type SimulationInput, simulate } from '../../../src/simulate/simulation.js'

const HOUR = 3_600_000
/** Milliseconds of the scheduler's grid. */
const TICK = 50

async function site(
  policy: Partial<CheckPolicy> = {},
  more = '',
  sentinel = false,
): Promise<Pick<SimulationInput, 'config' | 'checks'>> {
  const all: CheckPolicy = { interval: 10_000, timeout: 3000, fall: 2, rise: 1, fastinter: 10_000, ...policy }
  const { interval, timeout, fastinter, fall, rise } = all
  const text = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: ${interval}ms, timeout: ${timeout}ms, fastinter: ${fastinter}ms, fall: ${fall}, rise: ${rise}, sentinel: ${sentinel} }
    reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80', '[2001:db8:1::13]:80']
${more}
`
  const { config, checks, problems } = await loadConfig('site.yaml', { text })
  assert.deepEqual(problems, [])
  return { config: config as Config, checks }
}

const INPUT = {
  reals: 60,
  failures: NO_FAILURES,
  seed: 1,
  for: HOUR,
  within: Number.POSITIVE_INFINITY,
  cost: 0,
  measured: 0,
}

describe('simulate', () => {
  it('writes nothing while nothing fails, after the start', async () => {
    const report = await simulate({ ...INPUT, ...(await site()) })
    assert.equal(report.ended, 'complete')
    assert.equal(report.simulated, HOUR)
    assert.deepEqual(report.start.changes, { added: 20 + 60, changed: 0, removed: 0 })
    assert.deepEqual(report.changes, { added: 0, changed: 0, removed: 0 })
    assert.equal(report.messages, 0)
    // One start of a job may come earlier than its interval, to be shared with others.
    const runs = (60 * HOUR) / 10_000
    assert.ok(report.runs >= runs && report.runs <= runs + 60, `${report.runs} runs`)
    assert.deepEqual(report.refusals, [])
  })

  it('gives the same report for the same seed, and another one for another', async () => {
    const of = async (seed: number) => {
      const failures = { ...NO_FAILURES, mttf: HOUR, mttr: 60_000, false: 0.001, slow: 0.1 }
      const { run: _, ...report } = await simulate({ ...INPUT, ...(await site()), failures, seed, cost: 0.1 })
      return report
    }
    const [first, again, other] = [await of(3), await of(3), await of(4)]
    assert.deepEqual(first, again)
    assert.notDeepEqual({ ...first, seed: 0 }, { ...other, seed: 0 })
  })

  it('detects each failure within the bounds of interval, time limit and fall', async () => {
    const policies = fc.record({
      interval: fc.integer({ min: 1, max: 20 }).map(s => s * 1000),
      share: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      fast: fc.double({ min: 0.1, max: 1, noNaN: true }),
      fall: fc.integer({ min: 1, max: 4 }),
      seed: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(policies, async ({ interval, share, fast, fall, seed }) => {
        const [timeout, fastinter] = [Math.round(interval * share), Math.round(interval * fast)]
        const failures = { ...NO_FAILURES, mttf: 2 * HOUR, mttr: HOUR / 6 }
        const given = await site({ interval, timeout, fall, fastinter })
        const { detection, counts } = await simulate({ ...INPUT, ...given, failures, seed, reals: 20 })
        // The first failing run begins within the interval. Each run lasts the time limit at most; the next one
        // follows after the fast interval, and the grid delays each start and each deadline by a tick at most.
        const most = interval + TICK + fall * (timeout + TICK) + (fall - 1) * (fastinter + TICK)
        assert.ok(detection.max <= most, `${detection.max} > ${most}`)
        assert.ok(detection.count > 0)
        assert.equal(counts.falseRemovals, 0)
        assert.equal(counts.removals, detection.count)
      }),
      { numRuns: 12 },
    )
  })

  it('counts the changes and the messages to the kernel of removals and returns', async () => {
    const failures = { ...NO_FAILURES, mttf: HOUR, mttr: 60_000 }
    const { counts, changes, messages, recovery } = await simulate({ ...INPUT, ...(await site()), failures })
    assert.ok(counts.removals > 20 && counts.begun >= counts.removals)
    assert.deepEqual(changes, { added: counts.returns, changed: 0, removed: counts.removals })
    assert.equal(messages, counts.removals + counts.returns)
    assert.ok(recovery.count > 0 && recovery.max <= 10_000 + 2 * TICK + 100, String(recovery.max))
  })

  it('counts failures that end before the checks take the server out', async () => {
    const failures = { ...NO_FAILURES, mttf: HOUR, mttr: 2000 }
    const { counts } = await simulate({ ...INPUT, ...(await site({ fall: 3 })), failures })
    assert.ok(counts.unseen > 0.9 * counts.repaired, JSON.stringify(counts))
  })

  it('removes servers falsely where one failure of a check is enough', async () => {
    const failures = { ...NO_FAILURES, false: 0.001 }
    const removalsAt = async (fall: number) => {
      const { counts } = await simulate({ ...INPUT, ...(await site({ fall })), failures })
      assert.equal(counts.falseRemovals, counts.removals)
      return counts.falseRemovals
    }
    const [one, three] = [await removalsAt(1), await removalsAt(3)]
    assert.ok(one > 5, String(one))
    assert.equal(three, 0)
  })

  it('is late, and stalls, where the checks need more than a processor', async () => {
    const given = await site({ interval: 1000, timeout: 900, fastinter: 1000 })
    const at = (cost: number) => simulate({ ...INPUT, ...given, for: 60_000, cost })
    const [small, large] = [await at(1), await at(50)]
    assert.ok(small.lateness.max < 200 && small.stalledFor === 0, JSON.stringify(small.lateness))
    assert.ok(large.lateness.p50 > 400, JSON.stringify(large.lateness))
    assert.ok(large.runs < small.runs)
    assert.equal(large.counts.removals, 0)
  })

  it('brings the checks of servers with a sentinel forward that refuse, and of no silent ones', async () => {
    const failures = { ...NO_FAILURES, mttf: HOUR, mttr: HOUR / 6, hint: 50 }
    const at = async (silent: number) =>
      simulate({ ...INPUT, ...(await site({ fall: 3 }, '', true)), failures: { ...failures, silent } })
    const [quick, silent] = [await at(0), await at(1)]
    assert.ok(quick.detection.count > 20)
    assert.deepEqual(quick.hints, {
      sentinels: 60,
      given: quick.counts.begun,
      broughtForward: quick.counts.begun,
      dropped: 0,
      withoutKnocking: true,
    })
    // The first check comes with the hint, the two others follow at once; a check that was on its way may be one of them.
    assert.ok(quick.detection.p50 < 500, JSON.stringify(quick.detection))
    assert.ok(silent.detection.p50 > 10_000, JSON.stringify(silent.detection))
    assert.equal(silent.hints.given, 0)
    assert.equal(quick.counts.falseRemovals, 0)
    const without = await simulate({
      ...INPUT,
      ...(await site({ fall: 3 })),
      failures: { ...failures, silent: 0 },
    })
    assert.ok(without.detection.p50 > 10_000, JSON.stringify(without.detection))
    assert.equal(without.hints.sentinels, 0)
  })

  it('applies damping', async () => {
    const failures = { ...NO_FAILURES, flapping: 1, flap: 60_000 }
    const given = await site({}, '    damping: { changes: 4, within: 10m, hold: 10m }\n')
    const { counts } = await simulate({ ...INPUT, ...given, failures, reals: 15 })
    const without = await simulate({ ...INPUT, ...(await site()), failures, reals: 15 })
    assert.ok(counts.held > 0)
    assert.equal(without.counts.held, 0)
    assert.ok(counts.removals < without.counts.removals)
  })

  it('ends with what it has when it is interrupted, and when the real time is over', async () => {
    let asked = 0
    const isInterrupted = () => asked++ > 2000
    const report = await simulate({ ...INPUT, ...(await site()), isInterrupted })
    assert.equal(report.ended, 'interrupted')
    assert.ok(report.simulated > 0 && report.simulated < HOUR)
    const none = await simulate({ ...INPUT, ...(await site()), within: -1 })
    assert.deepEqual([none.ended, none.simulated], ['time', 0])
  })

  it('tells what the kernel would refuse', async () => {
    const given = await site()
    const config = {
      ...given.config,
      services: given.config.services.map(one => ({
        ...one,
        attributes: { ...one.attributes, scheduler: 'nonesuch' },
      })),
    }
    const { refusals } = await simulate({ ...INPUT, ...given, config, reals: null, for: 1000 })
    assert.match(refusals.join(), /nonesuch/)
  })
})
