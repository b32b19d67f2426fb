import assert from 'node:assert/strict'
import { byDay, eventText } from '../../../src/web/event-text.js'

type EventRecord = Parameters<typeof eventText>[0]

const time = '2026-01-01T12:00:00.000Z'
const drain = { service: 'web', real: '[::1]:80', effect: 'drain', who: 'root' }
const until = new Date(2026, 0, 3, 7, 35, 6).toISOString()

describe('events by day', () => {
  it('are below the date and the zone of the reader, in their order', () => {
    const at = (day: number, hour: number) => ({ time: new Date(2026, 0, day, hour).toISOString() })
    const events = [at(3, 1), at(2, 23), at(2, 0), at(1, 23)] as EventRecord[]
    const days = byDay(events)
    assert.deepEqual(
      days.map(([day]) => day.slice(0, 12)),
      ['2026-01-03, ', '2026-01-02, ', '2026-01-01, '],
    )
    assert.deepEqual(
      days.flatMap(([, ofDay]) => ofDay),
      events,
    )
    assert.deepEqual(byDay([]), [])
  })
})

describe('the text of an event', () => {
  const cases: [string, object, string][] = [
    [
      'an override, with its end and its reason',
      { event: 'override.begins', ...drain, until, reason: 'disk', msg: 'an operator overrides the checks' },
      'override: drain until 2026-01-03 07:35:06 by root: disk',
    ],
    [
      'an override without both',
      { event: 'override.begins', ...drain, msg: 'an operator overrides the checks' },
      'override: drain by root',
    ],
    [
      'the end of an override',
      { event: 'override.ended', ...drain, msg: 'an override has come to its end' },
      'override ended: drain by root',
    ],
    [
      'an end by an operator',
      { event: 'override.ended-early', ...drain, by: 'anna', msg: 'an operator has ended an override' },
      'anna ended the override: drain by root',
    ],
    [
      'who has done it, once',
      { event: 'token.added', who: 'root', msg: 'root has made the token anna (operate)' },
      'root has made the token anna (operate)',
    ],
    [
      'who has done it, where the message does not say',
      { event: 'role.forced', who: 'root', msg: 'the role is forced' },
      'the role is forced: by root',
    ],
    [
      'a service without its name, and the detail',
      { event: 'service.refused', service: 'web', detail: 'none is up', msg: 'web: clients are refused' },
      'clients are refused: none is up',
    ],
  ]
  for (const [phrase, event, expected] of cases)
    it(`says ${phrase}`, () =>
      assert.equal(eventText({ id: 1, time, level: 'info', ...event } as unknown as EventRecord), expected))
})
