import assert from 'node:assert/strict'
import type { GiveRequest } from '../../../src/api/override-types.js'
import type { ResolvedReal } from '../../../src/core/model.js'
import { type Override, strongest } from '../../../src/core/override.js'
import { OverrideControl } from '../../../src/director/override-control.js'
import { CommandOverrides, targetOf } from '../../../src/overrides/command-overrides.js'
import type { WindowOverrides } from '../../../src/overrides/window-overrides.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'
import { config, real, service, serviceId } from '../../support/tables.js'

const ONE = real('fd00:1::1')
const TWO = real('fd00:1::2')
const WEB = service('web', { reals: [ONE, TWO] })
const MAIL = service('mail', { id: serviceId('2001:db8::25', 25), reals: [real('fd00:1::1')] })
const WEB_ONE = { service: 'web', real: '[fd00:1::1]:80' }

function stage() {
  const clock = new FakeClock()
  const { log } = recordingLog()
  const commands = new CommandOverrides({
    path: null,
    log,
    onChange: () => {},
    now: clock.now,
    alarm: clock.alarm,
  })
  const overrideOf = (wanted: ResolvedReal): Override | null => {
    const owner = [WEB, MAIL].find(({ reals }) => reals.includes(wanted))
    return owner ? strongest(commands.of(owner, wanted), clock.now()) : null
  }
  const ended: unknown[] = []
  const windows: Pick<WindowOverrides, 'prepared' | 'end'> = {
    prepared: (targets, who) =>
      targets.map(({ service: one, real: server }) => ({
        target: targetOf(one, server),
        window: 'window 0 2 * * * UTC',
        begin: 0,
        end: 1,
        who,
        at: 0,
      })),
    end: async ends => {
      ended.push(...ends.map(({ target, who }) => `${target.service} ${target.real ?? 'all'}, by ${who}`))
      return true
    },
  }
  const control = new OverrideControl({
    sources: { commands, windows },
    config: () => config([WEB, MAIL]),
    overrideOf,
    now: clock.now,
  })
  const give = (part: Partial<GiveRequest>) =>
    control.give(
      { targets: [WEB_ONE], effect: { kind: 'drain' }, reason: 'disk swap', until: null, ...part },
      'anna',
    )
  return { clock, commands, control, give, ended }
}

describe('override-control', () => {
  it('gives an override, and tells what counts for the server afterwards', async () => {
    const { clock, give } = stage()
    const since = new Date(clock.now()).toISOString()
    assert.deepEqual(await give({ until: clock.now() + 1000 }), {
      ok: true,
      message: '1 override given',
      ended: 0,
      isKept: true,
      reals: [
        {
          ...WEB_ONE,
          override: {
            effect: 'drain',
            weight: null,
            source: 'command',
            who: 'anna',
            reason: 'disk swap',
            since,
            until: new Date(clock.now() + 1000).toISOString(),
            rampUntil: null,
          },
        },
      ],
    })
  })

  it('takes control characters and marks of direction out of a reason', async () => {
    const { give } = stage()
    const { reals } = await give({ reason: ' \u001b[31mdisk\r\n swap\u202e\u200f\u009b ' })
    assert.equal(reals[0]?.override?.reason, '·[31mdisk swap···')
  })

  it('gives one to a whole service, and tells each of its servers', async () => {
    const { give, commands } = stage()
    const { reals, message } = await give({ targets: [{ service: 'web', real: null }] })
    assert.deepEqual(
      [message, commands.orders.length, reals.map(one => one.real)],
      ['1 override given', 1, ['[fd00:1::1]:80', '[fd00:1::2]:80']],
    )
  })

  it('begins a ramp at this moment', async () => {
    const { clock, give } = stage()
    const { reals } = await give({ effect: { kind: 'drain', ramp: 30_000 } })
    assert.equal(reals[0]?.override?.rampUntil, new Date(clock.now() + 30_000).toISOString())
  })

  it('tells the stronger one where another is in force', async () => {
    const { give } = stage()
    await give({ effect: { kind: 'disable' } })
    const { reals } = await give({ effect: { kind: 'weight', weight: 3 } })
    assert.equal(reals[0]?.override?.effect, 'disable')
  })

  it('ends those with the effects on these very targets, and tells what remains', async () => {
    const { give, control, commands } = stage()
    await give({})
    await give({ targets: [{ service: 'web', real: null }] })
    const none = await control.end({ targets: [WEB_ONE], effects: ['disable'] }, 'bob')
    assert.deepEqual([none.ok, none.ended, none.message], [true, 0, 'there was no such override'])
    const one = await control.end({ targets: [WEB_ONE], effects: ['drain', 'disable'] }, 'bob')
    assert.deepEqual([one.ended, one.message], [1, '1 override ended'])
    assert.equal(one.reals[0]?.override?.effect, 'drain')
    assert.equal(commands.orders.length, 1)
  })

  const refusals: [string, Partial<GiveRequest>, string][] = [
    [
      'a service that does not exist',
      { targets: [{ service: 'www', real: null }] },
      'there is no service "www"; there are: web, mail',
    ],
    [
      'a server that is in another service',
      { targets: [{ service: 'mail', real: '[fd00:1::2]:80' }] },
      'the service "mail" has no real server [fd00:1::2]:80; did you mean "[fd00:1::1]:80"?',
    ],
    [
      'the short end of an address, which names the whole',
      { targets: [{ service: 'web', real: '::2' }] },
      'the service "web" has no real server ::2; did you mean "[fd00:1::2]:80"?',
    ],
    [
      'a server like no other, with those that there are',
      { targets: [{ service: 'web', real: 'db.example' }] },
      'the service "web" has no real server db.example; there are: [fd00:1::1]:80, [fd00:1::2]:80',
    ],
    ['an end that is past', { until: 1 }, 'the end of the override is in the past'],
    [
      'all of them where one does not exist',
      { targets: [WEB_ONE, { service: 'www', real: null }] },
      'there is no service "www"; there are: web, mail',
    ],
  ]
  for (const [what, part, message] of refusals)
    it(`refuses ${what}, and changes nothing`, async () => {
      const { give, commands } = stage()
      const outcome = await give(part)
      assert.deepEqual([outcome.ok, outcome.message, outcome.reals], [false, message, []])
      assert.deepEqual(commands.orders, [])
    })

  it('ends the open windows of its targets, and tells what counts for their servers then', async () => {
    const { control, ended } = stage()
    const outcome = await control.endWindows({ targets: [WEB_ONE, { service: 'mail', real: null }] }, 'anna')
    assert.deepEqual(ended, ['web [fd00:1::1]:80, by anna', 'mail all, by anna'])
    assert.deepEqual([outcome.ok, outcome.message], [true, '2 maintenance windows ended'])
    assert.deepEqual(
      outcome.reals.map(({ service: name, override }) => [name, override]),
      [
        ['web', null],
        ['mail', null],
      ],
    )
    const none = await control.endWindows({ targets: [{ service: 'www', real: null }] }, 'anna')
    assert.deepEqual([none.ok, none.message], [false, 'there is no service "www"; there are: web, mail'])
  })

  it('refuses to end what does not exist', async () => {
    const { control } = stage()
    const targets = [{ service: 'www', real: null }]
    const { ok, message } = await control.end({ targets, effects: ['drain'] }, 'bob')
    assert.deepEqual([ok, message], [false, 'there is no service "www"; there are: web, mail'])
  })
})
