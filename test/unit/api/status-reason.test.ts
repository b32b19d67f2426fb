import assert from 'node:assert/strict'
import { reasonOf } from '../../../src/api/status-reason.js'
import type { HealthState } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import type { RealHealth } from '../../../src/health/health-snapshot.js'
import { failed, passed } from '../../support/tables.js'

const fell = { ...failed('status'), detail: 'status 500; expected 200-299' }
const rose = passed('200 OK')

import { heldBy } from '../../support/tables.js'

describe('status-reason: why a server is as it is', () => {
  const rows: [what: string, state: HealthState, streak: number, last: object, expected: string][] = [
    ['is up', 'up', 0, rose, '200 OK'],
    ['is down', 'down', 0, fell, fell.detail],
    ['has failed once of twice', 'up', 1, fell, `still up, failure 1 of 2: ${fell.detail}`],
    ['has passed twice of three times', 'down', 2, rose, 'still down, pass 2 of 3: 200 OK'],
    ['has failed after a start', 'unknown', 1, fell, `not judged yet, failure 1 of 2: ${fell.detail}`],
  ]
  for (const [what, state, streak, last, expected] of rows)
    it(`is told of one that ${what}`, () => {
      const subscriber = { use: { kind: 'http', policy: { rise: 3, fall: 2 } } }
      const checks = [{ health: { state, streak, last, since: 0 }, noVerdicts: null, lastAt: 0, subscriber }]
      const health = { state, override: null, checks, passing: 1 } as unknown as RealHealth
      assert.equal(reasonOf(health, String), expected)
    })

  const CHECK = {
    health: { state: 'up', streak: 0, last: rose, since: 0 },
    noVerdicts: null,
    lastAt: 0,
    subscriber: { use: { kind: 'http', policy: { rise: 1, fall: 1 } } },
  }
  const overridden = (override: Partial<Override>) => {
    const whole = { ...heldBy('web1'), ...override }
    return reasonOf(
      { state: 'up', override: whole, checks: [CHECK], passing: 1 } as unknown as RealHealth,
      String,
    )
  }

  it('is the override, before what the checks say where that counts on', () => {
    const command = { source: 'command', who: 'anna', reason: 'disk swap' } as const
    const until = new Date(2026, 10, 29, 6).getTime()
    assert.match(
      overridden({ ...command, effect: { kind: 'drain' }, until }),
      /^drain until 2026-11-29 06:00:00 \S+ by anna: disk swap; 200 OK$/,
    )
    assert.equal(
      overridden({ ...command, effect: { kind: 'weight', weight: 5 } }),
      'weight 5 by anna: disk swap; 200 OK',
    )
    assert.equal(overridden({ ...command, effect: { kind: 'disable' } }), 'disable by anna: disk swap')
    assert.equal(overridden({ reason: 'Anna' }), 'held down by the maintenance file web1: Anna')
  })

  it('is damping and slow start, before what the checks say', () => {
    const of = (parts: object) =>
      reasonOf(
        { state: 'up', override: null, checks: [CHECK], passing: 1, ...parts } as unknown as RealHealth,
        at => `T${at}`,
      )
    const rise = { share: 0.46, weight: 10, since: 0, until: 60_000, left: 32_000 }
    assert.equal(of({ rise }), 'slow start: 46 % of 10, full in 32s; 200 OK')
    const hold = { since: 0, until: 5, isSpared: false }
    assert.equal(of({ hold, rise, state: 'down' }), 'flaps: held down until T5; 200 OK')
    assert.equal(
      of({ hold: { ...hold, isSpared: true } }),
      'flaps, but no other server would serve: not held down until T5; 200 OK',
    )
    const command = { ...heldBy('anna'), source: 'command' }
    const drain = { ...command, effect: { kind: 'drain' } }
    assert.equal(of({ rise, override: drain }), 'drain by anna; 200 OK')
    const forced = { ...command, effect: { kind: 'force-up' } }
    assert.equal(
      of({ hold, override: forced }),
      'force-up by anna; flaps, would be held down until T5; 200 OK',
    )
  })

  it('is panic and on-down, before what the checks say', () => {
    const of = (down: RealHealth['down']) =>
      reasonOf(
        { state: 'down', override: null, checks: [CHECK], passing: 0, down } as unknown as RealHealth,
        at => `T${at}`,
      )
    const none = { cause: null, removedAt: null, left: null }
    assert.equal(of({ ...none, action: 'removed' }), '200 OK')
    assert.equal(of({ ...none, action: 'held' }), 'held in the table by panic; 200 OK')
    assert.equal(of({ ...none, action: 'removed', cause: 'dead' }), 'dead: removed; 200 OK')
    assert.equal(
      of({ action: 'quiesced', cause: 'sick', removedAt: 9, left: 252_000 }),
      'sick: quiesced, removed in 4m12s; 200 OK',
    )
  })
})
