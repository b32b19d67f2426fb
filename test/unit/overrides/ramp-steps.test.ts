import assert from 'node:assert/strict'
import type { ResolvedReal, ResolvedService } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import { RampSteps } from '../../../src/overrides/ramp-steps.js'
import { FakeClock } from '../../support/fake-clock.js'
import { real, service, serviceId } from '../../support/tables.js'

const ONE = real('fd00:1::1', { weight: 5 })
const TWO = real('fd00:1::2', { weight: 5 })
const WEB = service('web', { reals: [ONE, TWO] })
const MAIL = service('mail', { id: serviceId('2001:db8::25', 25), reals: [real('fd00:1::3')] })

function stage() {
  const clock = new FakeClock()
  const steps: [number, string][] = []
  const began = clock.now()
  const rampSteps = new RampSteps({
    onStep: services => {
      for (const { name } of services) steps.push([clock.now() - began, name])
    },
    now: clock.now,
    alarm: clock.alarm,
  })
  const follow = (ramps: ReadonlyMap<ResolvedReal, number>, services: ResolvedService[] = [WEB, MAIL]) =>
    rampSteps.follow(services, new Map([...ramps].map(([one, ms]) => [one, drainOver(ms, began)] as const)))
  return { clock, steps, follow, rampSteps }
}

function drainOver(ms: number, since: number): Override {
  const effect = { kind: 'drain', ramp: { since, ms } } as const
  return { effect, source: 'command', who: 'anna', reason: '', since, until: null }
}

describe('ramp-steps', () => {
  it('update the service of the ramp, once for all of its servers, until the last ramp is over', () => {
    const { clock, steps, follow } = stage()
    follow(
      new Map([
        [ONE, 2000],
        [TWO, 3000],
      ]),
    )
    assert.equal(clock.alarms, 1)
    clock.wind(60_000)
    assert.deepEqual(steps, [
      [1000, 'web'],
      [2000, 'web'],
      [3000, 'web'],
    ])
    assert.equal(clock.alarms, 0)
  })

  it('continue after other overrides are set', () => {
    const { clock, steps, follow } = stage()
    follow(new Map([[ONE, 3000]]))
    clock.wind(1500)
    follow(new Map([[ONE, 3000]]))
    clock.wind(60_000)
    assert.deepEqual(
      steps.map(([at]) => at),
      [1000, 2000, 3000],
    )
  })

  it('end with their override, and when lvsd stops', () => {
    const { clock, steps, follow, rampSteps } = stage()
    follow(new Map([[ONE, 3000]]))
    follow(new Map())
    clock.wind(60_000)
    follow(new Map([[ONE, 300_000]]))
    rampSteps.close()
    clock.wind(60_000)
    assert.deepEqual(steps, [])
  })
})
