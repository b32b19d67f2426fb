import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FailureModel } from '../../../src/simulate/failure-model.js'
import { DEFAULT_FAILURES, type FailureSpec, NO_FAILURES } from '../../../src/simulate/failure-spec.js'

const HOUR = 3_600_000

/** The failures of `servers` until `end`; the model is asked at the given times too. */
function eventsOf(
  spec: Partial<FailureSpec>,
  { servers = 50, seed = 1, end = 100 * HOUR, asked = [] as readonly number[] } = {},
) {
  const events: [what: 'failed' | 'repaired', server: number, at: number][] = []
  const model = new FailureModel(
    { ...NO_FAILURES, mttf: 10 * HOUR, mttr: HOUR, ...spec },
    {
      servers,
      seed,
      start: 0,
      listener: {
        failed: (server, at) => events.push(['failed', server, at]),
        repaired: (server, at) => events.push(['repaired', server, at]),
      },
    },
  )
  for (let server = 0; server < servers; server++) {
    const answers = model.answersOf(server, server, { interval: 10_000, timeout: 3000 })
    for (const at of asked) model.outcome(server, at, answers)
    model.follow(server, end)
  }
  return events
}

const POLICY = { interval: 10_000, timeout: 3000 }

describe('FailureModel', () => {
  it('gives the same failures however often it is asked', () => {
    const times = fc.array(fc.integer({ min: 0, max: 100 * HOUR })).map(all => all.sort((a, b) => a - b))
    fc.assert(
      fc.property(times, fc.integer(), (asked, seed) => {
        assert.deepEqual(eventsOf({}, { seed, asked, servers: 3 }), eventsOf({}, { seed, servers: 3 }))
      }),
      { numRuns: 30 },
    )
  })

  it('gives other failures for another seed', () => {
    assert.notDeepEqual(eventsOf({}, { seed: 1 }), eventsOf({}, { seed: 2 }))
  })

  it('lets each server fail and be repaired in turn, within the mean times', () => {
    const events = eventsOf({}, { servers: 400 })
    const spans = { failed: [] as number[], repaired: [] as number[] }
    const last = new Map<number, { readonly what: string; readonly at: number }>()
    for (const [what, server, at] of events) {
      const before = last.get(server) ?? { what: 'repaired', at: 0 }
      assert.notEqual(what, before.what)
      assert.ok(at >= before.at)
      spans[what].push(at - before.at)
      last.set(server, { what, at })
    }
    const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length
    assert.ok(Math.abs(mean(spans.failed) / (10 * HOUR) - 1) < 0.1, String(mean(spans.failed)))
    assert.ok(Math.abs(mean(spans.repaired) / HOUR - 1) < 0.1, String(mean(spans.repaired)))
  })

  it('has no failure without failures', () => {
    assert.deepEqual(eventsOf({ mttf: Number.POSITIVE_INFINITY }), [])
  })

  it('answers of a server that is down are refusals or none', () => {
    const find = (silent: number) => {
      const listener = { failed: () => {}, repaired: () => {} }
      const spec = { ...DEFAULT_FAILURES, mttf: 1, mttr: 1000 * HOUR, silent }
      const model = new FailureModel(spec, { servers: 100, seed: 1, start: 0, listener })
      return Array.from({ length: 100 }, (_, server) =>
        model.outcome(server, HOUR, model.answersOf(server, server, POLICY)),
      ).filter(({ isDown }) => isDown)
    }
    assert.ok(find(0).length > 90)
    for (const { answer, after } of find(0)) assert.ok(answer.reason === 'refused' && Number.isFinite(after))
    for (const { after } of find(1)) assert.equal(after, Number.POSITIVE_INFINITY)
  })

  it('fails single checks of servers that are well, with the probability that is set', () => {
    const listener = { failed: () => {}, repaired: () => {} }
    const model = new FailureModel(
      { ...NO_FAILURES, false: 0.1 },
      { servers: 1, seed: 1, start: 0, listener },
    )
    const answers = model.answersOf(0, 0, POLICY)
    const found = Array.from({ length: 5000 }, (_, i) => model.outcome(0, i, answers).answer.ok)
    const failed = found.filter(ok => ok === false).length
    assert.ok(failed > 400 && failed < 600, String(failed))
  })

  it('lets one answer in twenty of a slow server be late', () => {
    const listener = { failed: () => {}, repaired: () => {} }
    const model = new FailureModel({ ...NO_FAILURES, slow: 1 }, { servers: 1, seed: 1, start: 0, listener })
    const answers = model.answersOf(0, 0, POLICY)
    const late = Array.from({ length: 5000 }, (_, i) => model.outcome(0, i, answers)).filter(
      ({ after }) => after > 3000,
    )
    assert.ok(late.length > 190 && late.length < 310, String(late.length))
  })
})
