/** Panic and on-down, with the health tracker, a table in memory and a clock that the test winds. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult, ResolvedService } from '../../../src/core/model.js'
import type { OnDown } from '../../../src/core/on-down.js'
import type { Effect } from '../../../src/core/override.js'
import { healthStage, numberedReals, webAlone } from '../../support/health-stage.js'
import { failed, passed } from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const ping: Check = { ...ask, name: 'ping', testsHost: true }
const CHECKS = new Map([
  ['ask', ask],
  ['ping', ping],
])
const PANIC = { share: 50, within: 10_000, for: 900_000 }
const ON_DOWN: OnDown = { dead: 'remove', sick: 'quiesce', after: 300_000 }
const SICK: CheckResult = { ...failed('status'), phase: 'headers' }
const DEAD: CheckResult = { ...failed('refused'), phase: 'connect' }

interface Site extends Partial<ResolvedService> {
  readonly weights?: readonly number[]
  readonly kind?: string
}

/** A service with real servers 1, 2 and so on. */
function site({ weights = [10, 20, 30, 40], kind = 'ask', ...parts }: Site) {
  return webAlone({ reals: numberedReals(weights, kind), ...parts })
}

function stage(first: Site) {
  const told: string[] = []
  const one = healthStage({
    first,
    site,
    checks: CHECKS,
    memory: health => health.downMemory(),
    emit: (event, ...details) => {
      const [change] = details as unknown as [{ isPanic?: boolean; held?: number; of?: number }]
      if (event === 'panic') told.push(change.isPanic ? `panic ${change.held} of ${change.of}` : 'over')
      if (event === 'removal') told.push('removed')
      if (event === 'traffic') told.push(details[1] ? 'served' : 'not served')
    },
  })
  return Object.assign(one, { told })
}

/** A stage whose servers are up. */
async function running(first: Site) {
  const one = stage(first)
  await one.place()
  for (const n of (first.weights ?? [1, 2, 3, 4]).keys()) await one.result(n + 1, passed())
  one.told.length = 0
  return one
}

describe('panic', () => {
  it('keeps the servers of a burst with their weights, reported once, until they are up', async () => {
    const one = await running({ panic: PANIC })
    await one.result(1, failed())
    assert.equal(await one.weights(), '- 20 30 40')
    await one.wind(3000)
    for (const n of [2, 3, 4]) await one.result(n, failed())
    assert.equal(await one.weights(), '10 20 30 40')
    assert.deepEqual(one.told, ['panic 2 of 4'])
    assert.deepEqual(one.snapshot().panic?.held.length, 4)
    assert.equal(one.snapshot().reals[0]?.down?.action, 'held')
    for (const n of [1, 2, 3]) await one.result(n, passed())
    assert.equal(await one.weights(), '10 20 30 -')
    assert.deepEqual(one.told, ['panic 2 of 4', 'over'])
  })

  it('ends after `for`, and the table follows the checks', async () => {
    const one = await running({ panic: PANIC, quiescent: true })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.wind(PANIC.for - 1000)
    assert.equal(await one.weights(), '10 20 30 40')
    await one.wind(1000)
    assert.equal(await one.weights(), '0 0 0 40')
    assert.deepEqual(one.told, ['panic 2 of 4', 'over'])
  })

  it('respects overrides', async () => {
    const one = await running({ panic: PANIC })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.override(1, { kind: 'drain' })
    await one.override(4, { kind: 'disable' })
    assert.equal(await one.weights(), '0 20 30 -')
    await one.override(2, { kind: 'force-down' })
    assert.equal(await one.weights(), '0 - 30 -')
    await one.override(1, null)
    assert.equal(await one.weights(), '10 - 30 -')
  })

  it('keeps the fallback out, and clients count as served', async () => {
    const one = await running({ panic: PANIC })
    for (const n of [1, 2, 3, 4]) await one.result(n, failed())
    await new Promise(setImmediate)
    assert.deepEqual(one.told, ['panic 2 of 4'])
    await one.wind(PANIC.for)
    await new Promise(setImmediate)
    assert.equal(await one.weights(), '- - - -')
    assert.deepEqual(one.told, ['panic 2 of 4', 'over', 'not served'])
  })

  it('does not keep the only server of a service, or one of two', async () => {
    const single = await running({ panic: PANIC, weights: [5] })
    await single.result(1, failed())
    assert.equal(await single.weights(), '-')
    const two = await running({ panic: PANIC, weights: [5, 5] })
    await two.result(1, failed())
    assert.equal(await two.weights(), '- 5')
  })

  it('does not count servers of weight 0, and goes on over a reload and a restart', async () => {
    const one = await running({ panic: PANIC, weights: [10, 20, 30, 0, 0, 0] })
    for (const n of [4, 5, 6]) await one.result(n, failed())
    assert.deepEqual(one.told, [])
    for (const n of [1, 2]) await one.result(n, failed())
    assert.deepEqual(one.told, ['panic 2 of 3'])
    await one.reload({ panic: PANIC, name: 'www', weights: [10, 20, 30] })
    await one.wind(1000)
    assert.equal(await one.weights(), '10 20 30')
    await one.restart({ off: 5000 })
    for (const n of [1, 2]) await one.result(n, failed())
    assert.equal(await one.weights(), '10 20 30')
    await one.wind(PANIC.for - 6000)
    assert.equal(await one.weights(), '- - 30')
    assert.deepEqual(
      one.told.filter(word => word !== 'served'),
      ['panic 2 of 3', 'over'],
    )
  })

  it('begins again after a restart without stored state, from the servers in the kernel table', async () => {
    const one = await running({ panic: PANIC })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.restart({ hasMemory: false })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    assert.equal(await one.weights(), '10 20 30 40')
    assert.deepEqual(one.told.slice(0, 2), ['panic 2 of 4', 'panic 2 of 4'])
  })

  it('is no reason for a slow start of the servers that it held', async () => {
    const one = await running({ panic: PANIC, slowStart: { for: 60_000, from: 10 } })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.wind(1000)
    for (const n of [2, 3]) await one.result(n, passed())
    assert.equal(await one.weights(), '- 20 30 40')
    await one.result(1, passed())
    assert.equal(await one.weights(), '1 20 30 40')
  })

  it('is followed by a slow start of a server that has left the table at its end', async () => {
    const one = await running({ panic: PANIC, slowStart: { for: 60_000, from: 10 } })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    assert.equal(await one.weights(), '10 20 30 40')
    await one.wind(3_600_000)
    assert.equal(await one.weights(), '- - - 40')
    for (const n of [1, 2, 3]) await one.result(n, passed())
    assert.equal(await one.weights(), '1 2 3 40')
  })

  it('holds a server that fell before it began as the others: it need not rise again', async () => {
    const one = await running({ panic: PANIC, slowStart: { for: 60_000, from: 10 } })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.result(1, passed())
    assert.equal(await one.weights(), '10 20 30 40')
  })

  it('ends with a reload that takes its setting away', async () => {
    const one = await running({ panic: PANIC })
    for (const n of [1, 2, 3]) await one.result(n, failed())
    await one.reload({})
    assert.equal(await one.weights(), '- - - 40')
  })
})

describe('on-down', () => {
  it('removes a dead server at once, and a sick one after a time at weight 0', async () => {
    const one = await running({ onDown: ON_DOWN, quiescent: true })
    await one.result(1, DEAD)
    await one.result(2, SICK)
    assert.equal(await one.weights(), '- 0 30 40')
    await one.wind(48_000)
    const { down } = one.snapshot().reals[1] ?? assert.fail()
    assert.deepEqual([down?.action, down?.cause, down?.left], ['quiesced', 'sick', 252_000])
    await one.wind(252_000)
    assert.equal(await one.weights(), '- - 30 40')
    assert.deepEqual(one.told, ['removed'])
    await one.result(2, passed())
    assert.equal(await one.weights(), '- 20 30 40')
  })

  it('removes a sick server that dies, and does not bring back a dead one that is sick', async () => {
    const one = await running({ onDown: ON_DOWN, quiescent: true })
    await one.result(1, SICK)
    assert.equal(await one.weights(), '0 20 30 40')
    await one.result(1, DEAD)
    assert.equal(await one.weights(), '- 20 30 40')
    await one.result(1, SICK)
    assert.equal(await one.weights(), '- 20 30 40')
  })

  it('treats no answer to a ping, or over UDP, as dead', async () => {
    const silence: CheckResult = { ...failed('timeout'), phase: 'first byte' }
    const pinged = await running({ onDown: ON_DOWN, quiescent: true, kind: 'ping' })
    await pinged.result(1, silence)
    assert.equal(await pinged.weights(), '- 20 30 40')
    const asked = await running({ onDown: ON_DOWN, quiescent: true })
    await asked.result(1, silence)
    assert.equal(await asked.weights(), '0 20 30 40')
  })

  it('continues after a reload and a restart, and treats an override to down as sick', async () => {
    const one = await running({ onDown: ON_DOWN, quiescent: true })
    await one.result(1, SICK)
    await one.override(2, { kind: 'force-down' })
    assert.equal(await one.weights(), '0 0 30 40')
    await one.wind(100_000)
    await one.reload({ onDown: ON_DOWN, quiescent: true, name: 'www' })
    assert.equal(await one.weights(), '0 0 30 40')
    await one.restart({ off: 100_000 })
    await one.result(1, SICK)
    assert.equal(await one.weights(), '0 0 30 40')
    await one.wind(100_000)
    assert.equal(await one.weights(), '- - 30 40')
    await one.override(2, null)
    await one.result(2, passed())
    assert.equal(await one.weights(), '- 20 30 40')
  })

  it('waits for the first result after a restart, also when its time is over', async () => {
    const one = await running({ onDown: ON_DOWN, quiescent: true })
    await one.result(1, SICK)
    await one.restart()
    await one.wind(2 * (ON_DOWN.after ?? 0))
    assert.equal(await one.weights(), '0 20 30 40')
    await one.result(1, SICK)
    assert.equal(await one.weights(), '- 20 30 40')
  })

  it('begins when a panic is over', async () => {
    const one = await running({ onDown: ON_DOWN, quiescent: true, panic: PANIC })
    for (const n of [1, 2, 3]) await one.result(n, SICK)
    await one.wind(PANIC.for)
    assert.equal(await one.weights(), '0 0 0 40')
    await one.wind(ON_DOWN.after ?? 0)
    assert.equal(await one.weights(), '- - - 40')
  })
})

describe('panic and on-down, in any history', () => {
  it('give a table that follows from the state that status shows', async () => {
    const effect = fc.constantFrom<Effect | null>(
      null,
      { kind: 'drain' },
      { kind: 'disable' },
      { kind: 'force-down' },
      { kind: 'force-up' },
    )
    const server = fc.integer({ min: 1, max: 4 })
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ server, result: fc.constantFrom(passed(), SICK, DEAD) }) },
      { weight: 1, arbitrary: fc.record({ server, effect }) },
      { weight: 3, arbitrary: fc.record({ ms: fc.integer({ min: 0, max: 20_000 }) }) },
      { weight: 1, arbitrary: fc.record({ reload: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ restart: fc.boolean() }) },
    )
    const parts = fc.record({
      panic: fc.option(fc.constant({ ...PANIC, for: 30_000 })),
      onDown: fc.option(fc.constant({ ...ON_DOWN, after: 15_000 })),
    })
    await fc.assert(
      fc.asyncProperty(parts, fc.array(step, { maxLength: 40 }), async ({ panic, onDown }, steps) => {
        const given = { panic, onDown, quiescent: onDown !== null }
        const one = await running(given)
        for (const step of steps) {
          if ('result' in step) await one.result(step.server, step.result)
          else if ('effect' in step) await one.override(step.server, step.effect)
          else if ('ms' in step) await one.wind(step.ms)
          else if ('reload' in step) await one.reload({ ...given, panic: step.reload ? panic : null })
          else await one.restart({ hasMemory: step.restart, off: 1000 })
          const weights = (await one.weights()).split(' ')
          for (const [i, { state, override, down, real }] of one.snapshot().reals.entries()) {
            const isDrained = override?.effect.kind === 'drain'
            const whole = isDrained ? '0' : String(real.attributes.weight)
            if (state === 'up') assert.equal(weights[i], whole)
            if (state !== 'down') continue
            const isOut = override?.effect.kind === 'disable' || down?.action === 'removed'
            assert.equal(weights[i], isOut ? '-' : down?.action === 'held' ? whole : '0')
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})
