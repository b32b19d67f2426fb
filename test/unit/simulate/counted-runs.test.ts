/** A simulation that counts the runs which can change nothing finds what one finds that runs every check. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { loadConfig } from '../../../src/config/load.js'
import { type Change, type Config, keyOfService } from '../../../src/core/model.js'
import { NO_FAILURES } from '../../../src/simulate/failure-spec.js'
import { type SimulatedEvent, type SimulationInput, simulate } from '../../../src/simulate/simulation.js'

const HOUR = 3_600_000
const MINUTE = 60_000

type Site = Pick<SimulationInput, 'config' | 'checks'>

/** Runs with a short interval, and a service whose servers have two checks, with other intervals and rules by time. */
async function site({ interval, fast, fall, rise, timeout, rules, sentinel }: Plan): Promise<Site> {
  const text = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: ${interval}ms, timeout: ${timeout}ms, fastinter: ${fast}ms, fall: ${fall}, rise: ${rise}, sentinel: ${sentinel} }
    weight: 100
    reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80', { address: '[2001:db8:1::13]:80', weight: 0 }]
${rules.map(rule => `    ${rule}\n`).join('')}
  api:
    virtual: '[2001:db8::81]:80'
    fallback: '[2001:db8:1::f]:80'
    checks:
      - { kind: connect, interval: 7s, timeout: 2s, fall: 2 }
      - { kind: https, request: /, interval: ${interval}ms, timeout: ${timeout}ms, fall: ${fall}, rise: ${rise} }
    reals: ['[2001:db8:2::11]:80', '[2001:db8:2::12]:80']
`
  const { config, checks, problems } = await loadConfig('site.yaml', { text })
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  )
  return { config: config as Config, checks }
}

const RULES = [
  'damping: { changes: 4, within: 10m, hold: 5m }',
  'slow-start: 2m',
  'on-down: { dead: remove, sick: quiesce, after: 1m }',
  'panic: 60%',
]

interface Plan {
  readonly interval: number
  readonly timeout: number
  readonly fast: number
  readonly fall: number
  readonly rise: number
  readonly rules: readonly string[]
  readonly sentinel: boolean
}

const plans: fc.Arbitrary<Plan> = fc
  .record({
    interval: fc.constantFrom(1000, 2000, 2025, 5000, 10_000, 90_000),
    share: fc.double({ min: 0.1, max: 0.9, noNaN: true }),
    quick: fc.double({ min: 0.1, max: 1, noNaN: true }),
    fall: fc.integer({ min: 1, max: 3 }),
    rise: fc.integer({ min: 1, max: 3 }),
    rules: fc.subarray(RULES),
    sentinel: fc.boolean(),
  })
  .map(({ interval, share, quick, ...rest }) => ({
    ...rest,
    interval,
    timeout: Math.round(interval * share),
    fast: Math.round(interval * quick),
  }))

const failures = fc.record({
  mttf: fc.constantFrom(HOUR / 4, 2 * HOUR),
  mttr: fc.constantFrom(3000, MINUTE, HOUR / 4),
  flapping: fc.constantFrom(0, 0.2),
  flap: fc.constantFrom(20_000, 2 * MINUTE),
  slow: fc.constantFrom(0, 0.1),
  silent: fc.constantFrom(0, 0.5, 1),
  false: fc.constantFrom(0, 0.001, 0.05),
  latency: fc.constantFrom(1, 2, 30),
  hint: fc.constantFrom(20, 300),
})

/** Returns the report without what depends on how it was made, and all that happened. */
async function all(input: SimulationInput) {
  const events: (readonly [at: number, event: string])[] = []
  const onEvent = (at: number, event: SimulatedEvent) => events.push([at, wordsOf(event)])
  const { run, ...report } = await simulate({ ...input, onEvent })
  // The order of what happens at one time is not defined.
  events.sort(([a, first], [b, second]) => a - b || (first < second ? -1 : 1))
  return { report, events, counted: run.counted }
}

function wordsOf(event: SimulatedEvent): string {
  if ('hold' in event) return `${event.service.name} ${event.real.host} ${event.hold}`
  if ('check' in event) {
    const { service, real, check, from, to, result, state, passing } = event
    return `${service.name} ${real.host} ${check} ${from} ${to} ${state} ${passing} ${JSON.stringify(result)}`
  }
  // Services that change at one time do so in any order.
  const told = isChanges(event) ? event.toSorted(byService) : event
  return JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

function byService({ id: a }: Change, { id: b }: Change): number {
  return keyOfService(a).localeCompare(keyOfService(b))
}

function isChanges(event: SimulatedEvent): event is readonly Change[] {
  return Array.isArray(event)
}

const INPUT = { reals: 20, seed: 1, for: HOUR / 3, within: Number.POSITIVE_INFINITY, cost: 0.09 }

/** A round of the reconciler is asked for less than a millisecond before its time. */
const SOON = {
  plan: { fall: 1, rise: 3, rules: [], sentinel: true, interval: 1000, timeout: 109, fast: 117 },
  failures: {
    mttf: HOUR / 4,
    mttr: 3000,
    flapping: 0.2,
    flap: 2 * MINUTE,
    slow: 0.1,
    silent: 0.5,
    false: 0.05,
    latency: 2,
    hint: 20,
  },
  seed: 1948881444,
  cost: 0,
  measured: 500,
} as const

describe('simulate, with runs counted', () => {
  it('gives the report that every check gives, and, where runs take no time, its transitions and changes of the table', async () => {
    const cases = fc.record({
      plan: plans,
      failures,
      seed: fc.nat(),
      cost: fc.constantFrom(0, 0, 0.09, 1, 7),
      measured: fc.constantFrom(0, 500),
    })
    let counted = 0
    await fc.assert(
      fc.asyncProperty(cases, async ({ plan, failures, seed, cost, measured }) => {
        const input = { ...INPUT, ...(await site(plan)), failures, seed, cost }
        const every = await all({ ...input, measured: Number.POSITIVE_INFINITY })
        const some = await all({ ...input, measured })
        assert.equal(every.counted, 0)
        counted += some.counted
        // Where runs take time, an alarm that is due as they start may ring one run earlier or later.
        if (cost === 0) assert.deepEqual(some.events, every.events)
        assert.deepEqual(some.report, every.report)
      }),
      { numRuns: 8, endOnFailure: true, examples: [[SOON]] },
    )
    assert.ok(counted > 5000, String(counted))
  })

  it('counts nearly all runs where nearly nothing fails', async () => {
    const plan = { interval: 1000, timeout: 900, fast: 1000, fall: 2, rise: 1, rules: [], sentinel: false }
    const given = {
      ...INPUT,
      ...(await site(plan)),
      failures: { ...NO_FAILURES, mttf: 20 * HOUR },
      for: HOUR,
    }
    const { run, runs, counts } = await simulate({ ...given, measured: 0 })
    assert.ok(counts.removals > 0)
    assert.ok(run.counted > 0.97 * runs, `${run.counted} of ${runs}`)
  })
})
