import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { MaintenanceWindow, ResolvedConfig } from '../../../src/core/model.js'
import { EarlyEnds } from '../../../src/overrides/early-ends.js'
import { WindowOverrides } from '../../../src/overrides/window-overrides.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service, serviceId } from '../../support/tables.js'

const MINUTE = 60_000
const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const HOURLY: MaintenanceWindow = {
  at: '0 * * * *',
  zone: 'UTC',
  for: 20 * MINUTE,
  drain: 5 * MINUTE,
  reals: ['[fd00:1::1]:80'],
  reason: 'updates',
}

function site(...windows: readonly MaintenanceWindow[]): ResolvedConfig {
  return config([
    service('web', { reals: [ONE, TWO], windows }),
    service('mail', { id: serviceId('2001:db8::25', 25), reals: [ONE] }),
  ])
}

/** The early ends of this file, at this minute. */
async function stored(path: string, minute: number) {
  const ends = new EarlyEnds({
    path,
    log: recordingLog().log,
    now: () => minute * MINUTE,
    alarm: () => () => {},
  })
  await ends.load()
  return ends
}

/** The windows at this minute of an hour. */
function stage(minute: number, followed = site(HOURLY), ends?: EarlyEnds) {
  const { log, lines } = recordingLog()
  const clock = new FakeClock()
  const shift = { ms: minute * MINUTE - clock.now() }
  const state = { changes: 0 }
  const windows = new WindowOverrides({
    log,
    ...(ends && { ends }),
    onChange: () => state.changes++,
    now: () => clock.now() + shift.ms,
    alarm: clock.alarm,
  })
  windows.follow(followed)
  /** What a server of a service is under, and until when. */
  const of = (index: number, one = ONE) => {
    const found = followed.services[index]
    assert.ok(found)
    return windows.of(found, one).map(({ effect, until }) => `${effect.kind} ${(until ?? 0) / MINUTE}`)
  }
  const told = () => lines.splice(0).map(({ event, until }) => `${event} ${until}`)
  return { windows, clock, state, of, told, shift }
}

describe('WindowOverrides', () => {
  it('apply only to the servers of the window in its service, or to all of it', () => {
    const { of } = stage(0)
    assert.deepEqual(of(0), ['drain 5'])
    assert.deepEqual(of(0, TWO), [])
    assert.deepEqual(of(1), [])
    assert.deepEqual(stage(0, site({ ...HOURLY, reals: null })).of(0, TWO), ['drain 5'])
  })

  it('begin, disable and end by one timer, and are logged', () => {
    const { of, clock, state, told } = stage(-10)
    assert.deepEqual([of(0), told(), clock.alarms], [[], [], 1])
    clock.wind(10 * MINUTE)
    assert.deepEqual(
      [of(0), told(), state.changes],
      [['drain 5'], ['window.begun 1970-01-01T00:20:00.000Z'], 1],
    )
    clock.wind(5 * MINUTE)
    assert.deepEqual([of(0), told(), state.changes], [['disable 20'], [], 2])
    clock.wind(15 * MINUTE)
    assert.deepEqual([of(0), told(), state.changes], [[], ['window.ended 1970-01-01T00:20:00.000Z'], 3])
    assert.equal(clock.alarms, 1)
  })

  it('are in force in a window that began before the start', () => {
    const { of, told } = stage(10)
    assert.deepEqual([of(0), told()], [['disable 20'], ['window.begun 1970-01-01T00:20:00.000Z']])
  })

  it('continue after a reload, also if it renames the service, and end if it removes the window', () => {
    const { windows, told, of } = stage(10)
    told()
    const { services } = site(HOURLY)
    windows.follow({ services: services.map(one => ({ ...one, name: `${one.name}2` })) })
    assert.deepEqual([of(0), told()], [['disable 20'], []])
    windows.follow(site())
    assert.deepEqual([of(0), told()], [[], ['window.ended 1970-01-01T00:20:00.000Z']])
  })

  it('follow a change of the wall clock within a minute', () => {
    const { of, clock, shift } = stage(30)
    shift.ms += 40 * MINUTE
    clock.wind(MINUTE)
    assert.deepEqual(of(0), ['disable 80'])
    shift.ms -= 40 * MINUTE
    clock.wind(MINUTE)
    assert.deepEqual(of(0), [])
    shift.ms -= 30 * MINUTE
    clock.wind(MINUTE)
    assert.deepEqual(of(0), ['drain 5'])
  })

  it('leave no timer when closed', () => {
    const { windows, clock } = stage(0)
    windows.close()
    assert.equal(clock.alarms, 0)
  })
})

describe('WindowOverrides: ended early by an operator', () => {
  const ALL = { ...HOURLY, reals: null }

  it('end for one server, for this opening only, and the other servers stay in the window', async () => {
    const followed = site(ALL)
    const { windows, of, clock, state, told } = stage(1, followed)
    const [web] = followed.services
    assert.ok(web)
    told()
    const ends = windows.prepared([{ service: web, real: ONE }], 'anna')
    assert.deepEqual([ends.length, await windows.end(ends), state.changes], [1, true, 1])
    assert.deepEqual([of(0), of(0, TWO)], [[], ['drain 5']])
    assert.deepEqual(told(), ['window.ended-early 1970-01-01T00:20:00.000Z'])
    assert.deepEqual(
      windows.endedEarly.map(({ target, who, at, end }) => [target.real, who, at / MINUTE, end / MINUTE]),
      [['[fd00:1::1]:80', 'anna', 1, 20]],
    )
    clock.wind(5 * MINUTE)
    assert.deepEqual([of(0), of(0, TWO)], [[], ['disable 20']])
    clock.wind(20 * MINUTE)
    assert.deepEqual(windows.endedEarly, [])
    clock.wind(40 * MINUTE)
    assert.deepEqual([of(0), of(0, TWO)], [['disable 80'], ['disable 80']])
  })

  it('end for a service once; another end, or an end without an open window, changes nothing', () => {
    const followed = site(ALL)
    const { windows, of, state } = stage(1, followed)
    const [web, mail] = followed.services
    assert.ok(web && mail)
    assert.equal(windows.prepared([{ service: mail, real: null }], 'anna').length, 0)
    const ends = windows.prepared([{ service: web, real: null }], 'anna')
    assert.equal(ends.length, 1)
    void windows.end(ends)
    assert.equal(windows.prepared([{ service: web, real: null }], 'bob').length, 0)
    assert.equal(windows.prepared([{ service: web, real: TWO }], 'bob').length, 0)
    // As another director has it.
    void windows.end(ends.map(end => ({ ...end, who: 'bob' })))
    assert.deepEqual([of(0), of(0, TWO), state.changes], [[], [], 1])
  })

  it('end by another director, whose name of the service may differ; those that are past are not told', () => {
    const followed = site(ALL)
    const { windows, of, told } = stage(1, followed)
    told()
    const key = 'tcp [2001:db8::80]:80'
    const end = { window: 'window 0 * * * * UTC', who: 'anna', at: 0, end: 20 * MINUTE, begin: 0 }
    void windows.end([
      { ...end, target: { service: 'www', key, real: null } },
      { ...end, target: { service: 'www', key, real: null }, begin: -60 * MINUTE, end: -40 * MINUTE },
    ])
    assert.deepEqual([of(0), of(0, TWO)], [[], []])
    assert.deepEqual(told(), ['window.ended-early 1970-01-01T00:20:00.000Z'])
  })

  it('stay ended after a restart, a rename and a reload that makes the window longer', async () => {
    const path = join(temporaryFolder(), 'windows.json')
    const before = stage(1, site(ALL), await stored(path, 1))
    const [web] = site(ALL).services
    assert.ok(web)
    assert.equal(
      await before.windows.end(before.windows.prepared([{ service: web, real: null }], 'anna')),
      true,
    )
    before.windows.close()
    const { services } = site({ ...ALL, for: 40 * MINUTE })
    const renamed = { ...site(), services: services.map(one => ({ ...one, name: `${one.name}2` })) }
    const after = stage(2, renamed, await stored(path, 2))
    assert.deepEqual([after.of(0), after.told()], [[], []])
    after.clock.wind(28 * MINUTE)
    assert.deepEqual(after.of(0), [])
    assert.equal(after.windows.endedEarly.length, 1)
    after.clock.wind(31 * MINUTE)
    assert.deepEqual(after.of(0), ['drain 65'])
  })
})
