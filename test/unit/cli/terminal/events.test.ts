import assert from 'node:assert/strict'
import { sinceOf } from '../../../../src/cli/since.js'
import { eventLine } from '../../../../src/cli/terminal/events.js'
import type { EventRecord } from '../../../../src/history/event-record.js'
import { shortTime } from '../../../../src/util/time-text.js'

const base = { id: 7, time: '2026-11-28T12:00:00.000Z', msg: 'something happened' } as const
const view = { width: Number.POSITIVE_INFINITY, colour: false, hasDays: true, wrap: (text: string) => text }
const told = (record: Partial<EventRecord>) =>
  eventLine({ ...base, level: 'info', event: 'daemon.started', ...record }, view).replace(/^[\d:]+ /, '')

describe('the line of an event', () => {
  const rows: readonly (readonly [string, Partial<EventRecord>, string])[] = [
    [
      'a server that is down',
      {
        level: 'warn',
        event: 'real.down',
        service: 'web',
        real: '[fd00::1]:80',
        reason: 'timeout',
        detail: 'no answer in 3000 ms',
        phase: 'first byte',
        ms: 3000,
      },
      'warn  web/[fd00::1]:80  down: timeout in first byte: no answer in 3000 ms',
    ],
    [
      'a server that is up',
      { event: 'real.up', service: 'web', real: '[fd00::1]:80', reason: 'passed', detail: '200 OK' },
      'info  web/[fd00::1]:80  up: 200 OK',
    ],
    [
      'a service whose message begins with its name',
      { level: 'error', event: 'service.refused', service: 'web', msg: 'web: clients are refused' },
      'ERROR web: clients are refused',
    ],
    [
      'lvsd itself, with its fields',
      { event: 'daemon.started', msg: 'lvsd runs', services: 2, file: '/etc/x' },
      'info  something'.replace('something', 'lvsd runs (services 2, file /etc/x)'),
    ],
    [
      'a message that names its fields',
      {
        event: 'token.added',
        msg: 'root has made the token anna (operate)',
        ...{ token: 'anna', role: 'operate', who: 'root', until: 'an' },
      },
      'info  root has made the token anna (operate) (until an)',
    ],
    [
      'a message that names its reason',
      { level: 'warn', event: 'role.active', msg: 'this director is active: it leads', reason: 'it leads' },
      'warn  this director is active: it leads',
    ],
    [
      'a network that is back, with what was wrong',
      {
        level: 'warn',
        event: 'director.connectivity-restored',
        ...{ msg: 'the network is there again after 9s', seconds: 9, detail: 'eth0 is down' },
      },
      'warn  the network is there again after 9s; before: eth0 is down',
    ],
    [
      'a fault, with its reason',
      { level: 'error', event: 'state.failed', file: '/x', error: 'ENOSPC', msg: 'cannot be written' },
      'ERROR cannot be written (file /x): ENOSPC',
    ],
    [
      'an override with its end and its reason',
      {
        level: 'warn',
        event: 'override.begins',
        ...{ service: 'web', real: '[fd00::1]:80', effect: 'drain', who: 'anna', reason: 'disk swap' },
        until: '2026-11-30T12:00:00.000Z',
      },
      `warn  web/[fd00::1]:80  override: drain until ${shortTime(Date.parse('2026-11-30T12:00Z'), 0)} by anna: disk swap`,
    ],
    [
      'an override without an end and a reason',
      { event: 'override.ended', service: 'web', real: 'all', effect: 'drain', who: 'anna' },
      'info  web/all  override ended: drain by anna',
    ],
    [
      'control characters of others',
      { event: 'real.up', service: 'w\u001b[2J', real: 'x', detail: 'a\nb\u0007' },
      'info  w·[2J/x  up: a b·',
    ],
  ]
  for (const [what, record, expected] of rows)
    it(`is plain for ${what}`, () => assert.equal(told(record), expected))
})

describe('--since', () => {
  const now = new Date(2026, 10, 28, 12, 0).getTime()
  it('takes a duration, a time of day in the past, and a date', () => {
    assert.equal(sinceOf('2h', now), now - 7_200_000)
    assert.equal(sinceOf('1d', now), now - 86_400_000)
    assert.equal(sinceOf('06:00', now), new Date(2026, 10, 28, 6).getTime())
    assert.equal(sinceOf('13:00', now), new Date(2026, 10, 27, 13).getTime())
    assert.equal(sinceOf('2026-11-01', now), new Date(2026, 10, 1).getTime())
    assert.equal(sinceOf('2026-11-01T06:30', now), new Date(2026, 10, 1, 6, 30).getTime())
    for (const text of ['', 'yesterday', '25:00', '2h ago']) assert.equal(sinceOf(text, now), null)
  })
})
