import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createTask } from 'node-cron'
import type { MaintenanceWindow } from '../../../src/core/model.js'
import {
  isEndedEarly,
  nameOfWindow,
  nextEdge,
  nextWindow,
  overrideOfWindow,
  shortestDistance,
  windowAt,
} from '../../../src/core/window.js'
import { onCleanup } from '../../support/after-each.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

function window(change: Partial<MaintenanceWindow> = {}): MaintenanceWindow {
  return {
    at: '0 2 * * sun',
    zone: 'Europe/Berlin',
    for: 2 * HOUR,
    drain: 0,
    reals: null,
    reason: '',
    ...change,
  }
}

function iso(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16)
}

/** The begins of the next occurrences, in UTC. */
function begins(
  those: Partial<MaintenanceWindow>,
  from: string,
  count: number,
): readonly (string | undefined)[] {
  const found: (string | undefined)[] = []
  let at = Date.parse(from)
  while (found.length < count) {
    const next = nextWindow(window(those), at)
    at = next?.begin ?? Number.POSITIVE_INFINITY
    found.push(iso(next?.begin))
  }
  return found
}

describe('window: the nights on which clocks change', () => {
  for (const [what, those, from, expected] of [
    [
      'a begin at the missing hour',
      { at: '0 2 * * sun' },
      '2026-03-22T12:00Z',
      ['2026-03-29T01:00', '2026-04-05T00:00'],
    ],
    [
      'a begin in the missing hour',
      { at: '30 2 * * *' },
      '2026-03-28T12:00Z',
      ['2026-03-29T01:30', '2026-03-30T00:30'],
    ],
    [
      'a begin in the doubled hour, once',
      { at: '30 2 * * *' },
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30', '2026-10-26T01:30'],
    ],
    [
      'both sides of a missing hour, once',
      { at: '0 2,3 * * *' },
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:00'],
    ],
    [
      'New York in spring',
      { at: '30 2 * * *', zone: 'America/New_York' },
      '2026-03-08T00:00Z',
      ['2026-03-08T07:30', '2026-03-09T06:30'],
    ],
    [
      'New York in autumn',
      { at: '30 1 * * *', zone: 'America/New_York' },
      '2026-11-01T00:00Z',
      ['2026-11-01T05:30', '2026-11-02T06:30'],
    ],
    [
      'Lord Howe, which sets clocks forward by half an hour',
      { at: '15 2 * * *', zone: 'Australia/Lord_Howe' },
      '2026-10-03T00:00Z',
      ['2026-10-03T15:45', '2026-10-04T15:15'],
    ],
    [
      'Lord Howe, which sets clocks back by half an hour',
      { at: '45 1 * * *', zone: 'Australia/Lord_Howe' },
      '2026-04-04T00:00Z',
      ['2026-04-04T14:45', '2026-04-05T15:15'],
    ],
    [
      'a zone of half an hour',
      { at: '0 2 * * *', zone: 'Asia/Kolkata' },
      '2026-11-28T00:00Z',
      ['2026-11-28T20:30'],
    ],
    [
      'midnight that is missing',
      { at: '0 0 * * *', zone: 'Africa/Cairo' },
      '2026-04-23T00:00Z',
      ['2026-04-23T22:00', '2026-04-24T21:00'],
    ],
    [
      'leap day',
      { at: '0 2 29 2 *', zone: 'UTC' },
      '2026-11-28T00:00Z',
      ['2028-02-29T02:00', '2032-02-29T02:00'],
    ],
    [
      'the last day of a month',
      { at: '0 2 L * *', zone: 'UTC' },
      '2028-01-30T00:00Z',
      ['2028-01-31T02:00', '2028-02-29T02:00'],
    ],
  ] as const)
    it(`begin: ${what}`, () => assert.deepEqual(begins(those, from, expected.length), expected))

  it('last as long as `for` says, over the missing hour and the doubled one', () => {
    const spring = window({ at: '0 1 * * *', for: 90 * MINUTE })
    // From 01:00 to where 02:30 would be: 03:30 by the clock.
    assert.equal(iso(nextWindow(spring, Date.parse('2026-03-28T12:00Z'))?.end), '2026-03-29T01:30')
    // From 01:00 to the first 02:30.
    assert.equal(iso(nextWindow(spring, Date.parse('2026-10-24T12:00Z'))?.end), '2026-10-25T00:30')
    const long = window({ at: '0 0 * * *', for: 4 * HOUR })
    assert.equal(iso(nextWindow(long, Date.parse('2026-10-24T12:00Z'))?.end), '2026-10-25T02:00')
  })
})

describe('window', () => {
  it('is open from its begin until before its end, whoever looked before', () => {
    const begin = Date.parse('2026-11-29T01:00Z')
    const open = { begin, end: begin + 2 * HOUR }
    assert.equal(windowAt(window(), begin - 1), null)
    for (const at of [begin, begin + HOUR, open.end - 1]) assert.deepEqual(windowAt(window(), at), open)
    assert.equal(windowAt(window(), open.end), null)
  })

  it('drains, then disables', () => {
    const open = { begin: 1000 * MINUTE, end: 1120 * MINUTE }
    const at = (minute: number, drain: number) => {
      const { effect, since, until } = overrideOfWindow(window({ drain }), open, minute * MINUTE)
      return [effect.kind, since / MINUTE, (until ?? 0) / MINUTE]
    }
    assert.deepEqual(at(1000, 0), ['disable', 1000, 1120])
    assert.deepEqual(at(1004, 5 * MINUTE), ['drain', 1000, 1005])
    assert.deepEqual(at(1005, 5 * MINUTE), ['disable', 1005, 1120])
    assert.deepEqual(at(1119, 120 * MINUTE), ['drain', 1000, 1120])
  })

  it('says while it drains what comes then', () => {
    const open = { begin: Date.parse('2026-11-29T01:00Z'), end: Date.parse('2026-11-29T03:00Z') }
    const reason = (those: Partial<MaintenanceWindow>, minute: number) =>
      overrideOfWindow(window(those), open, open.begin + minute * MINUTE).reason
    const updates = { drain: 5 * MINUTE, reason: 'updates' }
    assert.equal(reason(updates, 4), 'updates; then disabled until 2026-11-29 04:00 Europe/Berlin')
    assert.equal(reason(updates, 5), 'updates')
    assert.equal(reason({ drain: 5 * MINUTE }, 0), 'then disabled until 2026-11-29 04:00 Europe/Berlin')
    assert.equal(reason({ drain: 120 * MINUTE }, 0), '')
  })

  it('knows the shortest time between two begins', () => {
    for (const [at, hours] of [
      ['0 2 * * sun', 168],
      ['0 2,4 * * *', 2],
      ['*/15 * * * *', 0.25],
      ['0 2 L * *', 672],
      ['0 2 29 2 *', Number.POSITIVE_INFINITY],
    ] as const)
      assert.equal(shortestDistance(at), hours * HOUR, at)
  })

  it('says that it never begins', () => {
    assert.equal(nextWindow(window({ at: '0 2 30 * sat#1' }), Date.parse('2026-11-28T00:00Z')), null)
    assert.equal(iso(nextWindow(window({ at: '0 2 29 2 sun', zone: 'UTC' }), 0)?.begin), '1976-02-29T02:00')
  })
})

// ---------------------------------------------------------------- against a slow search

const walls = new Map<string, Intl.DateTimeFormat>()

/** The wall time of a zone, by another way than src/util/zoned-time.ts. */
function wallOf(instant: number, zone: string): number {
  const format =
    walls.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  walls.set(zone, format)
  return Date.parse(`${format.format(instant).replace(' ', 'T')}Z`)
}

/** All begins between two instants, found by looking at each minute. */
function slowBegins({ at, zone }: MaintenanceWindow, from: number, to: number): readonly number[] {
  const task = createTask(at, () => {}, { timezone: 'UTC' })
  void task.destroy()
  const matches = (wall: number) => task.match(new Date(wall))
  const found = new Set<number>()
  // A wall time that was shown before is shown again for at most some hours after the clocks were set back.
  const shown = new Set<number>()
  for (
    let instant = from - 4 * HOUR, last = wallOf(instant - MINUTE, zone);
    instant <= to;
    instant += MINUTE
  ) {
    const wall = wallOf(instant, zone)
    for (let skipped = last + MINUTE; skipped < wall; skipped += MINUTE)
      if (matches(skipped)) found.add(instant + skipped - last - MINUTE)
    if (!shown.has(wall) && matches(wall)) found.add(instant)
    shown.add(wall)
    last = wall
  }
  return [...found].filter(begin => begin >= from && begin <= to).sort((a, b) => a - b)
}

const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Asia/Kolkata',
  'Pacific/Chatham',
  'Africa/Cairo',
  'America/Santiago',
  'Europe/Dublin',
  'UTC',
]
/** Days around which clocks change in one of the zones. */
const NIGHTS = [
  '2026-03-08',
  '2026-03-29',
  '2026-04-05',
  '2026-04-24',
  '2026-09-06',
  '2026-09-27',
  '2026-10-04',
  '2026-10-25',
  '2026-10-30',
  '2026-11-01',
  '2028-02-29',
]

const someWindow = fc.record({
  at: fc
    .tuple(
      fc.constantFrom('0', '15', '30', '59', '0,30', '*/20'),
      fc.constantFrom('0', '1', '2', '3', '23', '1-3', '*', '0,2'),
      fc.constantFrom('*', '1-7', 'L', '*/2', '25,29'),
      fc.constantFrom('*', '3,4,10,11'),
      fc.constantFrom('*', 'sun', 'sat-mon', 'sun#1', '7L'),
    )
    .map(fields => fields.join(' ')),
  zone: fc.constantFrom(...ZONES),
  for: fc.integer({ min: 1, max: 20 * 60 }).map(minutes => minutes * MINUTE),
  drain: fc.constant(0),
  reals: fc.constant(null),
  reason: fc.constant(''),
})

const someTime = fc
  .tuple(
    fc.constantFrom(...NIGHTS),
    fc.integer({ min: -24 * 60, max: 36 * 60 }),
    fc.integer({ min: 0, max: 59 }),
  )
  .map(([night, minutes, seconds]) => Date.parse(night) + minutes * MINUTE + seconds * 1000)

describe('window: cost', () => {
  it('asks for the offset of a zone once in a quarter of an hour', () => {
    const { formatToParts } = Intl.DateTimeFormat.prototype
    let calls = 0
    Intl.DateTimeFormat.prototype.formatToParts = function (...date) {
      calls++
      return formatToParts.apply(this, date)
    }
    onCleanup(() => {
      Intl.DateTimeFormat.prototype.formatToParts = formatToParts
    })
    const now = Date.parse('2027-01-05T23:50:30Z')
    const minutely = window({ at: '* * * * *', for: 30_000, zone: 'Asia/Katmandu' })
    for (let i = 0; i < 10; i++) nextEdge(minutely, now + i * MINUTE)
    assert.ok(calls < 1000, `${calls} calls`)
  })
})

describe('window: properties', () => {
  it('agrees with a search minute by minute on what is open and what comes next', () => {
    fc.assert(
      fc.property(someWindow, someTime, (given, now) => {
        const minute = Math.floor(now / MINUTE) * MINUTE
        const slow = slowBegins(given, minute - given.for, minute + DAY)
        const open = slow.find(begin => begin <= now && begin + given.for > now)
        assert.equal(iso(windowAt(given, now)?.begin), iso(open))
        const next = slow.find(begin => begin > now)
        const quick = nextWindow(given, now)?.begin
        assert.equal(quick !== undefined && quick <= minute + DAY ? iso(quick) : undefined, iso(next))
      }),
      { numRuns: Number(process.env.WINDOW_RUNS ?? 40) },
    )
  })

  it('changes at its edges and at no other time, and then is what a start at that time finds', () => {
    fc.assert(
      fc.property(someWindow, someTime, fc.integer({ min: 0, max: 600 }), (given, now, minutes) => {
        const drained = { ...given, drain: Math.min(given.for, minutes * MINUTE) }
        const stateAt = (at: number) => {
          const open = windowAt(drained, at)
          return open && overrideOfWindow(drained, open, at)
        }
        const before = stateAt(now)
        const edge = nextEdge(drained, now)
        if (edge === null) return
        assert.ok(edge > now)
        assert.deepEqual(stateAt(edge - 1), before)
        assert.deepEqual(stateAt(now + (edge - now) / 2), before)
        assert.notDeepEqual(stateAt(edge), before)
        if (before) assert.ok(before.since <= now && (before.until ?? 0) >= edge)
      }),
      { numRuns: 100 },
    )
  })

  it('that is ended early stays ended whatever else of it changes, and no other opening does', () => {
    fc.assert(
      fc.property(someWindow, someTime, fc.integer({ min: 1, max: 600 }), (given, now, minutes) => {
        const open = windowAt(given, now)
        // A configuration may not have windows that overlap themselves.
        if (!open || windowAt(given, open.begin)?.begin !== open.begin) return
        const ended = [{ ...open, window: nameOfWindow(given) }]
        for (let at = open.begin; at < open.end; at += minutes * MINUTE)
          assert.equal(isEndedEarly(given, windowAt(given, at) ?? open, ended), true)
        const changed = { ...given, for: given.for + minutes * MINUTE, reason: 'longer' }
        assert.equal(isEndedEarly(changed, open, ended), true)
        const next = nextWindow(given, open.begin)
        if (next) assert.equal(isEndedEarly(given, next, ended), false)
        assert.equal(isEndedEarly({ ...given, at: '7 7 7 7 *' }, open, ended), false)
        assert.equal(isEndedEarly(given, open, []), false)
      }),
      { numRuns: 100 },
    )
  })
})
