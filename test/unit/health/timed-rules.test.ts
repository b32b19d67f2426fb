/** Slow start and damping, with the health tracker, a table in memory and a clock that the test winds. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import type { ResolvedService } from '../../../src/core/model.js'
import type { Effect } from '../../../src/core/override.js'
import type { DampingChange } from '../../../src/health/health-changes.js'
import { healthStage, numberedReals, webAlone } from '../../support/health-stage.js'
import { failed, passed, real } from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const CHECKS = new Map([['ask', ask]])
const SLOW = { for: 10_000, from: 10 }
const DAMPING = { changes: 3, within: 60_000, hold: 20_000 }

interface Site extends Partial<ResolvedService> {
  readonly weights?: readonly number[]
}

/** A service with real servers 1, 2 and so on. */
function site({ weights = [100, 100], ...parts }: Site) {
  return webAlone({ reals: numberedReals(weights, 'ask'), ...parts })
}

function stage(first: Site) {
  const told: DampingChange[] = []
  const one = healthStage({
    first,
    site,
    checks: CHECKS,
    memory: health => health.ruleMemory(),
    emit: (event, ...details) => event === 'damping' && told.push(details[0] as DampingChange),
  })
  return Object.assign(one, { told })
}

/** A stage whose servers are up. */
async function running(first: Site) {
  const one = stage(first)
  await one.place()
  for (const n of (first.weights ?? [1, 2]).keys()) await one.result(n + 1, passed())
  return one
}

/** Lets the server fail and pass, by turns, until its state has changed `times` times. */
async function flap(one: Awaited<ReturnType<typeof running>>, n: number, times: number, first = failed()) {
  for (let i = 0; i < times; i++) {
    await one.wind(100)
    await one.result(n, (i % 2 === 0) === (first.ok === false) ? failed() : passed())
  }
}

describe('slow start: a server that comes back', () => {
  it('rises in steps from its share to its weight, one change of the table each', async () => {
    const one = await running({ slowStart: SLOW })
    assert.equal(await one.weights(), '100 100')
    await one.result(2, failed())
    assert.equal(await one.weights(), '100 -')
    await one.result(2, passed())
    const seen = [await one.weights()]
    const before = one.writes
    for (let i = 0; i < 12; i++) {
      await one.wind(1000)
      seen.push(await one.weights())
    }
    const second = [10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100, 100, 100]
    assert.deepEqual(
      seen,
      second.map(weight => `100 ${weight}`),
    )
    assert.equal(one.writes - before, 10)
    assert.equal(one.clock.alarms, 0)
  })

  it('is shown in the status', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.wind(5500)
    const { rise } = one.status(2)
    const at = one.clock.now() - 5500
    assert.deepEqual(rise, { share: 0.55, weight: 100, since: at, until: at + 10_000, left: 4500 })
    await one.wind(5500)
    assert.equal(one.status(2).rise, null)
  })

  it('begins again when it has been down again', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.wind(8000)
    assert.equal(await one.weights(), '100 82')
    await flap(one, 2, 2)
    assert.equal(await one.weights(), '100 10')
  })

  it('scales an advised weight, and applies a change of it at once', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.wind(4000)
    await one.result(2, { ...passed(), advice: { percent: 50 } })
    assert.equal(await one.weights(), '100 23')
    await one.result(2, { ...passed(), advice: { percent: 0 } })
    assert.equal(await one.weights(), '100 0')
    await one.wind(2000)
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 64')
    await one.wind(4000)
    assert.equal(await one.weights(), '100 100')
  })

  it('does not change the weight of an override or a drain, and continues meanwhile', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.override(2, { kind: 'weight', weight: 7 })
    assert.equal(await one.weights(), '100 7')
    await one.override(2, { kind: 'drain' })
    assert.equal(await one.weights(), '100 0')
    await one.wind(5000)
    await one.override(2, null)
    assert.equal(await one.weights(), '100 55')
  })

  it('waits during a drain in steps, which never raises the weight', async () => {
    const one = await running({ slowStart: SLOW })
    await one.result(2, failed())
    await one.result(2, passed())
    await one.wind(2500)
    const seen = [Number((await one.weights()).split(' ')[1])]
    await one.override(2, { kind: 'drain', ramp: { since: one.clock.now(), ms: 20_000 } })
    for (let i = 0; i < 22; i++) {
      await one.wind(1000)
      await one.place()
      seen.push(Number((await one.weights()).split(' ')[1]))
    }
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => b - a),
    )
    assert.equal(seen.at(-1), 0)
    await one.override(2, null)
    assert.equal(await one.weights(), '100 100')
  })

  it('begins when an override no longer holds the server down', async () => {
    const one = await running({ slowStart: SLOW })
    await one.override(2, { kind: 'disable' })
    assert.equal(await one.weights(), '100 -')
    await one.override(2, null)
    assert.equal(await one.weights(), '100 10')
  })

  it('neither begins nor ends with a reload, but ends if the key is removed', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.wind(5000)
    await one.reload({ slowStart: SLOW, damping: DAMPING })
    assert.equal(await one.weights(), '100 55')
    await one.reload({ slowStart: { ...SLOW, for: 20_000 } })
    assert.equal(await one.weights(), '100 28')
    await one.wind(1000)
    assert.equal(await one.weights(), '100 37')
    await one.reload({ slowStart: null })
    assert.equal(await one.weights(), '100 100')
    await one.reload({ slowStart: SLOW })
    assert.equal(await one.weights(), '100 100')
    assert.equal(one.clock.alarms, 0)
  })

  it('continues after a restart, also while the state of the server is unknown', async () => {
    const one = await running({ slowStart: SLOW })
    await flap(one, 2, 2)
    await one.wind(3000)
    assert.equal(await one.weights(), '100 37')
    await one.restart({ off: 2000 })
    assert.equal(await one.weights(), '100 37')
    await one.result(2, passed())
    await one.result(1, passed())
    assert.equal(await one.weights(), '100 55')
    await one.wind(5000)
    assert.equal(await one.weights(), '100 100')
  })

  it('does not begin at a start for servers that the kernel has, nor for a service as a whole', async () => {
    const one = stage({ slowStart: SLOW })
    await one.place()
    await one.result(1, passed())
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 100')
    await one.restart({ hasMemory: false })
    await one.result(1, passed())
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 100')
  })

  it('begins at a start for a server that is not in the kernel while others serve, and for an added server', async () => {
    const one = await running({ slowStart: SLOW })
    await one.result(2, failed())
    await one.restart({ hasMemory: false })
    await one.result(1, passed())
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 10')
    await one.reload({ slowStart: SLOW, weights: [100, 100, 100] })
    await one.result(3, passed())
    assert.equal(await one.weights(), '100 10 10')
  })

  it('needs no change of the table and no timer for a weight of 1', async () => {
    const one = await running({ slowStart: SLOW, weights: [1, 1, 0] })
    await flap(one, 2, 2)
    await flap(one, 3, 2)
    assert.equal(await one.weights(), '1 1 0')
    const before = one.writes
    await one.wind(20_000)
    assert.equal(one.writes, before)
  })

  it('is quiescent at weight 0 while down', async () => {
    const one = await running({ slowStart: SLOW, quiescent: true })
    await flap(one, 2, 1)
    assert.equal(await one.weights(), '100 0')
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 10')
  })
})

describe('damping: a server that flaps', () => {
  const holds = ({ told }: { told: DampingChange[] }) => told.splice(0).map(({ hold }) => hold)

  it('is held down while its checks continue, and they decide again at the end', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 3)
    assert.equal(await one.weights(), '100 -')
    const [change] = one.told
    assert.deepEqual([change?.hold, change?.state, change?.changes], ['held', 'down', 3])
    const heldAt = one.clock.now()
    assert.deepEqual(one.status(2).hold, { since: heldAt, until: heldAt + 20_000, isSpared: false })
    await one.result(2, passed())
    assert.deepEqual([await one.weights(), one.status(2).state], ['100 -', 'down'])
    await one.wind(19_999)
    assert.equal(await one.weights(), '100 -')
    await one.wind(1)
    assert.equal(await one.weights(), '100 100')
    assert.deepEqual([one.status(2).state, one.status(2).since], ['up', heldAt + 20_000])
    assert.deepEqual(holds(one), ['held', 'free'])
  })

  it('is not added to the table if the last change would set it up', async () => {
    const one = await running({ damping: { ...DAMPING, changes: 2 } })
    await flap(one, 2, 2)
    assert.equal(await one.weights(), '100 -')
    assert.deepEqual(holds(one), ['held'])
  })

  it('is held again at its next change while it still flaps', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 3)
    for (let i = 0; i < 15; i++) {
      await one.result(2, i % 2 ? failed() : passed())
      await one.wind(1000)
    }
    await one.wind(6000)
    assert.deepEqual([holds(one), await one.weights()], [['held', 'free'], '100 100'])
    await one.result(2, failed())
    assert.deepEqual([holds(one), await one.weights()], [['held'], '100 -'])
  })

  it('rises slowly after its hold', async () => {
    const one = await running({ damping: DAMPING, slowStart: SLOW })
    await flap(one, 2, 4)
    await one.wind(20_000)
    assert.equal(await one.weights(), '100 10')
    await one.wind(10_000)
    assert.equal(await one.weights(), '100 100')
  })

  it('serves if an operator forces it up, and is held again after that until the end of its hold', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 3)
    await one.override(2, { kind: 'force-up' })
    assert.equal(await one.weights(), '100 100')
    await one.override(2, null)
    assert.equal(await one.weights(), '100 -')
  })

  it('is not held because of changes while an operator disables it', async () => {
    const one = await running({ damping: DAMPING })
    await one.override(2, { kind: 'disable' })
    await flap(one, 2, 6)
    await one.override(2, null)
    assert.deepEqual([holds(one), await one.weights()], [[], '100 100'])
  })

  it('is spared while no other would serve and there is no fallback', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    assert.deepEqual([holds(one), await one.weights()], [['held'], '100 -'])
    await one.result(1, failed())
    assert.deepEqual([holds(one), await one.weights()], [['spared'], '- 100'])
    assert.deepEqual([one.status(2).state, one.status(2).hold?.isSpared], ['up', true])
    await one.result(1, passed())
    assert.deepEqual([holds(one), await one.weights()], [['held'], '100 -'])
  })

  it('is spared together with the others that flap, so that their states do not depend on each other', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    await flap(one, 1, 3)
    assert.deepEqual([holds(one).at(-1), await one.weights()], ['spared', '- 100'])
    await flap(one, 1, 4, passed())
    assert.equal(await one.weights(), '- 100')
    await one.result(1, passed())
    assert.equal(await one.weights(), '100 100')
  })

  it('is spared if the others are drained or disabled', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    await one.override(1, { kind: 'drain' })
    assert.equal(await one.weights(), '0 100')
    await one.override(1, { kind: 'disable' })
    assert.equal(await one.weights(), '- 100')
    await one.override(1, null)
    assert.equal(await one.weights(), '100 -')
  })

  it('is held if a fallback serves', async () => {
    const one = await running({ damping: DAMPING, fallback: real('fd00:1::f') })
    await flap(one, 1, 4)
    await flap(one, 2, 4)
    assert.deepEqual([holds(one), await one.weights()], [['held', 'held'], '- -'])
  })

  it('stays held over a reload and a restart until its end, with the changes that count', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    await one.wind(5000)
    await one.reload({ damping: DAMPING, slowStart: SLOW })
    assert.equal(await one.weights(), '100 -')
    await one.restart({ off: 5000 })
    await one.result(1, passed())
    await one.result(2, passed())
    assert.equal(await one.weights(), '100 -')
    await one.wind(9899)
    assert.equal(await one.weights(), '100 -')
    await one.wind(1)
    assert.equal(await one.weights(), '100 10')
    await one.result(2, failed())
    assert.deepEqual(holds(one), ['held', 'free', 'held'])
  })

  it('stays spared over a restart: no gap for clients', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    await one.result(1, failed())
    assert.equal(await one.weights(), '- 100')
    await one.restart()
    assert.equal(await one.weights(), '- 100')
    await one.result(1, failed())
    await one.result(2, passed())
    assert.equal(await one.weights(), '- 100')
  })

  it('is released if the key is removed', async () => {
    const one = await running({ damping: DAMPING })
    await flap(one, 2, 4)
    await one.reload({})
    assert.deepEqual([holds(one), await one.weights()], [['held', 'free'], '100 100'])
    assert.equal(one.clock.alarms, 0)
  })

  it('has no changes that count if the key is removed and set again, whether it was held or not', async () => {
    const reals = ['fd00:1::1', 'fd00:1::2'].map(host => real(host, { checks: [] }))
    for (const times of [0, 4]) {
      const one = await running({ damping: DAMPING })
      await flap(one, 2, times)
      await one.result(2, failed())
      assert.equal(one.status(2).hold !== null, times > 0)
      await one.reload({})
      // Up without checks: the state changes with the reload itself.
      await one.reload({ damping: DAMPING, reals })
      assert.deepEqual([...one.health.ruleMemory().snapshot()], [])
    }
  })
})

describe('timed rules: any history of results, overrides, reloads, restarts and time', () => {
  type Event =
    | { kind: 'result'; n: number; ok: boolean }
    | { kind: 'override'; n: number; effect: Effect | null }
    | { kind: 'wind'; ms: number }
    | { kind: 'reload'; isSlow: boolean; isDamped: boolean; hasFallback: boolean }
    | { kind: 'restart'; hasMemory: boolean }
  const anyEvent: fc.Arbitrary<Event> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('result' as const),
        n: fc.integer({ min: 1, max: 3 }),
        ok: fc.boolean(),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('wind' as const), ms: fc.integer({ min: 1, max: 9000 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('override' as const),
        n: fc.integer({ min: 1, max: 3 }),
        effect: fc.constantFrom<Effect | null>(
          null,
          { kind: 'drain' },
          { kind: 'disable' },
          { kind: 'force-up' },
          { kind: 'weight', weight: 7 },
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('reload' as const),
        isSlow: fc.boolean(),
        isDamped: fc.boolean(),
        hasFallback: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), hasMemory: fc.boolean() }) },
  )

  it('keeps each weight between 1 and the target, leaves no service empty for a hold, and settles', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { maxLength: 40 }), async events => {
        let now: Site = { weights: [100, 10, 1], slowStart: SLOW, damping: DAMPING }
        const one = await running(now)
        const ups = [true, true, true]
        const overrides = new Map<number, Effect>()
        for (const event of events) {
          if (event.kind === 'result') {
            await one.result(event.n, event.ok ? passed() : failed())
            ups[event.n - 1] = event.ok
          }
          if (event.kind === 'override') {
            await one.override(event.n, event.effect)
            overrides.delete(event.n)
            if (event.effect) overrides.set(event.n, event.effect)
          }
          if (event.kind === 'wind') await one.wind(event.ms)
          if (event.kind === 'reload') {
            const { isSlow, isDamped, hasFallback } = event
            now = {
              ...now,
              slowStart: isSlow ? SLOW : null,
              damping: isDamped ? DAMPING : null,
              fallback: hasFallback ? real('fd00:1::f') : null,
            }
            await one.reload(now)
          }
          if (event.kind === 'restart') {
            await one.restart({ hasMemory: event.hasMemory })
            for (const [i, ok] of ups.entries()) await one.result(i + 1, ok ? passed() : failed())
          }
          const weights = (await one.weights()).split(' ')
          const targets = [100, 10, 1]
          const wouldServe: boolean[] = []
          for (const [i, weight] of weights.entries()) {
            const effect = overrides.get(i + 1)
            const { state, hold, rise } = one.status(i + 1)
            const isUp = effect?.kind === 'force-up' || (ups[i] === true && effect?.kind !== 'disable')
            wouldServe.push(isUp && effect?.kind !== 'drain')
            assert.equal(weight === '-', state !== 'up', `${state} has ${weight}`)
            if (state === 'up') assert.ok(isUp)
            else if (isUp) assert.ok(hold && !hold.isSpared, 'only a hold keeps out what would serve')
            if (weight === '-') continue
            if (effect?.kind === 'weight') assert.equal(weight, '7')
            else if (effect?.kind === 'drain') assert.equal(weight, '0')
            else assert.ok(Number(weight) >= 1 && Number(weight) <= (targets[i] ?? 0), weight)
            if (!rise && !effect) assert.equal(Number(weight), targets[i])
          }
          const isServed = weights.some(weight => Number(weight) > 0)
          if (wouldServe.includes(true) && !now.fallback) assert.ok(isServed, 'somebody serves')
        }
        await one.wind(DAMPING.hold + SLOW.for)
        const settled = ups.map((ok, i) => {
          const effect = overrides.get(i + 1)
          if (effect?.kind === 'disable' || (!ok && effect?.kind !== 'force-up')) return '-'
          if (effect?.kind === 'drain') return '0'
          return effect?.kind === 'weight' ? '7' : String([100, 10, 1][i])
        })
        assert.deepEqual((await one.weights()).split(' '), settled)
        assert.equal(one.clock.alarms, 0)
      }),
      { numRuns: 50 },
    )
  })
})
