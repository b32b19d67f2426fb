/** Several directors that share checks, on a virtual clock: kills, stops, partitions, losses, clocks that are off. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  DECIDED,
  HEARTBEAT,
  INTERVAL,
  SimulatedDirector,
  STEP,
  VerdictSite,
} from '../../../support/verdict-site.js'

/** Milliseconds in which questions have to be taken over: the steps of the simulation and its delay are added. */
const TAKEOVER = INTERVAL + HEARTBEAT + HEARTBEAT / 4 + 4 * STEP

function site(count = 3, parts = {}, random = Math.random) {
  const made = new VerdictSite(random, parts)
  for (let i = 0; i < count; i++) new SimulatedDirector(made, `director-${i}`, i * 3_600_000)
  return made
}

/** How often each server is asked within the next intervals, by interval. */
function counts(made: VerdictSite, intervals: number): readonly number[] {
  const began = made.now
  made.run(intervals * INTERVAL)
  return made.asked.map(all => all.filter(({ at }) => at >= began).length / intervals)
}

function isTrue(made: VerdictSite): void {
  for (const director of made.directors)
    if (director.isRunning && director.hasNetwork)
      for (const [i, { isUp }] of made.servers.entries())
        assert.equal(director.stateOf(i), isUp ? 'up' : 'down', `${director.name} of ${i}`)
}

describe('directors that share checks', () => {
  it('ask each question twice per interval, and follow the servers', () => {
    const made = site()
    made.run(DECIDED)
    assert.deepEqual(new Set(counts(made, 5)), new Set([2]))
    made.set(3, false)
    made.run(DECIDED)
    isTrue(made)
    made.set(3, true)
    made.run(DECIDED)
    isTrue(made)
    assert.deepEqual(new Set(counts(made, 5)), new Set([2]))
  })

  it('take the questions of a dead director over within one interval and one heartbeat', () => {
    const made = site()
    made.run(DECIDED)
    const [dead] = made.directors
    assert.ok(dead)
    dead.isAlive = false
    const began = made.now
    made.run(TAKEOVER)
    for (const all of made.asked) {
      const by = new Set(all.filter(({ at }) => at >= began).map(each => each.by))
      assert.equal(by.size, 2)
    }
    assert.deepEqual(new Set(counts(made, 5)), new Set([2]))
  })

  it('ask everything by themselves within the same time when Redis is gone, and share again afterwards', () => {
    const made = site()
    made.run(DECIDED)
    made.isRedisThere = false
    made.run(HEARTBEAT + HEARTBEAT / 4 + 2 * STEP)
    assert.deepEqual(new Set(counts(made, 1).map(count => count >= 3)), new Set([true]))
    made.set(1, false)
    made.run(DECIDED)
    isTrue(made)
    made.isRedisThere = true
    made.run(DECIDED)
    isTrue(made)
    assert.deepEqual(new Set(counts(made, 5)), new Set([2]))
    assert.deepEqual(made.falseRemovals, [])
  })

  it('ask once more for an operator, whoever asks otherwise', () => {
    const made = site()
    made.run(DECIDED)
    const [director] = made.directors
    assert.ok(director)
    const job = [...director.store.jobs.keys()].find(id => director.shared.planOf(id) === null)
    assert.ok(job)
    director.shared.want(job)
    assert.ok(director.shared.planOf(job))
    made.run(INTERVAL + STEP)
    assert.equal(director.shared.planOf(job), null)
    assert.equal(director.shared.viewOf(job).filter(({ isSelf }) => isSelf).length, 1)
    made.run(DECIDED)
    assert.equal(director.shared.viewOf(job).length, 2)
  })

  it('do not count a director without its network, and one that alone reaches nothing removes no server', () => {
    const made = site()
    made.run(DECIDED)
    const [lost, wrong] = made.directors
    assert.ok(lost && wrong)
    lost.hasNetwork = false
    made.run(DECIDED)
    isTrue(made)
    assert.equal(
      made.asked.flat().some(({ at, by }) => by === lost.name && at > made.now - INTERVAL),
      false,
    )
    lost.hasNetwork = true
    made.run(DECIDED)
    for (const i of made.servers.keys()) wrong.unreachable.add(i)
    made.run(3 * DECIDED)
    isTrue(made)
    assert.deepEqual(wrong.shared.snapshot()?.outliers, [wrong.name])
    // Who takes over while the other observer is gone has to be heard first.
    lost.isAlive = false
    made.run(INTERVAL)
    assert.deepEqual(made.falseRemovals, [])
  })

  it('have the same state in a tie that lasts, whatever each of them knew before', () => {
    const made = site(1)
    made.set(1, false)
    made.run(DECIDED)
    const late = new SimulatedDirector(made, 'late', 0)
    late.unreachable.add(0).add(1)
    made.run(DECIDED)
    // Both have found it down, and then one of them finds it up.
    made.set(1, true)
    made.run(DECIDED)
    for (const server of [0, 1]) {
      const states = made.directors.map(each => each.stateOf(server))
      assert.deepEqual(states, ['up', 'up'], `of ${server}`)
    }
    assert.equal(late.shared.snapshot()?.disputed, 2)
  })

  it('never remove a healthy server, and are right in the end, whatever happens', function () {
    this.timeout(process.env.VERDICT_RUNS ? 0 : 60_000)
    const which = fc.integer({ min: 0, max: 2 })
    const fault = fc.record({
      kind: fc.constantFrom('kill', 'stop', 'part', 'network', 'redis', 'server', 'heal' as const),
      which,
      server: fc.integer({ min: 0, max: 7 }),
      wait: fc.integer({ min: 0, max: 6000 }),
    })
    const runs = Number(process.env.VERDICT_RUNS ?? 25)
    fc.assert(
      fc.property(
        fc.array(fault, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(0, 0.1, 0.5),
        fc.constantFrom(10, 400),
        fc.integer({ min: 1, max: 2 ** 30 }),
        (faults, observers, loss, delay, seed) => {
          const made = new VerdictSite(randomOf(seed), { servers: 8, loss, delay })
          const begin = (i: number) =>
            new SimulatedDirector(made, `director-${i}`, i * 3_600_000, { observers })
          for (let i = 0; i < 3; i++) begin(i)
          made.run(DECIDED)
          for (const { kind, which: i, server, wait } of faults) {
            const director = made.directors.findLast(({ name }) => name === `director-${i}`)
            if (!director) continue
            if (kind === 'kill') {
              director.isAlive = !director.isAlive
              // It begins anew, without what it knew.
              if (director.isAlive) {
                director.isAlive = false
                begin(i)
              }
            } else if (kind === 'stop') director.isStopped = !director.isStopped
            else if (kind === 'part') director.isJoined = !director.isJoined
            else if (kind === 'network') director.hasNetwork = !director.hasNetwork
            else if (kind === 'redis') made.isRedisThere = !made.isRedisThere
            else if (kind === 'server') made.set(server, !made.servers[server]?.isUp)
            made.run(wait)
          }
          made.run(2 * DECIDED)
          assert.deepEqual(made.falseRemovals, [])
          if (made.directors.some(({ isRunning, hasNetwork }) => isRunning && hasNetwork)) isTrue(made)
        },
      ),
      { numRuns: runs },
    )
  })
})

function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 16_807) % 2_147_483_647
    return state / 2_147_483_647
  }
}
