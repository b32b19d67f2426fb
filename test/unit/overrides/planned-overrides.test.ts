import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Effect } from '../../../src/core/override.js'
import { nameOfWindow } from '../../../src/core/window.js'
import { CommandOverrides, targetOf } from '../../../src/overrides/command-overrides.js'
import { EarlyEnds, earlyEndsPath } from '../../../src/overrides/early-ends.js'
import { plannedOverrides } from '../../../src/overrides/planned-overrides.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { real, service, serviceId } from '../../support/tables.js'

const NOW = 1_000_000
const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const WEB = service('web', { reals: [ONE, TWO] })

async function stored(...given: [target: Parameters<typeof targetOf>, effect: Effect, until?: number][]) {
  const path = join(temporaryFolder(), 'overrides.json')
  const { log } = recordingLog()
  const overrides = new CommandOverrides({ path, log, onChange: () => {}, now: () => NOW })
  await overrides.load()
  for (const [target, effect, until = null] of given)
    await overrides.give([targetOf(...target)], {
      effect,
      source: 'command',
      who: 'anna',
      reason: '',
      since: NOW,
      until,
    })
  await overrides.close(1000)
  return path
}

describe('planned-overrides', () => {
  it('are those that are stored and in force, the strongest for each server', async () => {
    const path = await stored(
      [[WEB, null], { kind: 'weight', weight: 3 }],
      [[WEB, ONE], { kind: 'drain' }],
      [[WEB, TWO], { kind: 'disable' }, NOW + 1000],
    )
    const kinds = async (now: number) => {
      const found = await plannedOverrides([WEB], path, now)
      return [ONE, TWO].map(server => found.get(server)?.effect.kind)
    }
    assert.deepEqual(await kinds(NOW), ['drain', 'disable'])
    assert.deepEqual(await kinds(NOW + 1000), ['drain', 'weight'])
  })

  it('follow a service that the planned configuration renames, and omit services that it does not have', async () => {
    const path = await stored([[WEB, ONE], { kind: 'drain' }], [[WEB, TWO], { kind: 'drain' }])
    const [one] = [real('fd00:1::1')]
    for (const next of [
      service('www', { reals: [one] }),
      service('web', { id: serviceId('2001:db8::81'), reals: [one] }),
    ])
      assert.deepEqual([...(await plannedOverrides([next], path, NOW)).keys()], [one])
  })

  it('leave out a window that an operator has ended early', async () => {
    const path = await stored()
    const window = { at: '* * * * *', zone: 'UTC', for: 30_000, drain: 0, reals: null, reason: '' }
    const web = service('web', { reals: [ONE, TWO], windows: [window] })
    const { log } = recordingLog()
    const ends = new EarlyEnds({ path: earlyEndsPath(path), log, now: () => NOW, alarm: () => () => {} })
    await ends.load()
    const end = { window: nameOfWindow(window), begin: 960_000, end: 990_000, who: 'anna', at: NOW }
    const now = 970_000
    assert.equal((await plannedOverrides([web], path, now)).size, 2)
    await ends.add([{ ...end, target: targetOf(web, ONE) }])
    assert.deepEqual([...(await plannedOverrides([web], path, now)).keys()], [TWO])
  })

  it('are empty if nothing is stored, and reading changes nothing', async () => {
    const none = join(temporaryFolder(), 'overrides.json')
    assert.equal((await plannedOverrides([WEB], none, NOW)).size, 0)
    const path = await stored([[WEB, ONE], { kind: 'drain' }, NOW + 1], [[WEB, TWO], { kind: 'drain' }])
    const damaged = readFileSync(path, 'utf8').replace('fd00:1::2', 'fd00:1::3')
    writeFileSync(path, damaged)
    assert.deepEqual([...(await plannedOverrides([WEB], path, NOW + 5)).keys()], [])
    assert.equal(readFileSync(path, 'utf8'), damaged)
  })
})
