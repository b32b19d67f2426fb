import assert from 'node:assert/strict'
import type { Conflict } from '../../../src/core/address-conflict.js'
import type { CheckResult } from '../../../src/core/model.js'
import type { Override } from '../../../src/core/override.js'
import { dateTime } from '../../../src/util/time-text.js'
import { address, passed, real, use } from '../../support/tables.js'
import { NOW, type Told, whyReal, whyService } from '../../support/why.js'

/** Times of day are those of this machine's time zone, which is named: a reader may be in another one. */
const at = (ms: number) => dateTime(ms).slice('2026-11-28 '.length)

const A = real('fd00::a', { checks: [use('http', {}, { rise: 2, fall: 3 })] })
const B = real('fd00::b', { checks: [use('http', {}, { rise: 2, fall: 3 })] })
const TWO = real('fd00::a', { checks: [use('http', {}, { rise: 2, fall: 2 }), use('ping', {}, { fall: 3 })] })
const ANY = real('fd00::a', { checks: [use('http'), use('ping')], need: 1 })

const sick: CheckResult = {
  ok: false,
  reason: 'status',
  detail: 'status 503 Busy; expected 200',
  phase: 'headers',
  ms: 1.234,
  phases: [
    { phase: 'connect', ms: 0.4 },
    { phase: 'headers', ms: 1.234 },
  ],
}
const PLAIN = real('fd00::a', { weight: 10, checks: [use('http')] })
const DAMPING = { changes: 2, within: 60_000, hold: 300_000 }
const unrun: CheckResult = { ...sick, ok: null, reason: 'no-verdict', detail: 'no descriptors' }
const ok = passed('200 OK')
const FLAPS = [
  ['http', ok],
  ['http', sick],
  ['http', ok],
] as const

const override = (change: Partial<Override>): Override => ({
  effect: { kind: 'drain' },
  source: 'command',
  who: 'anna',
  reason: 'disk swap',
  since: NOW - 5000,
  until: null,
  ...change,
})

describe('build-why: the sentence about a real server', () => {
  const start = at(NOW - 60_000)
  const rows: [what: string, one: typeof A, told: Told, expected: RegExp | string][] = [
    [
      'is down',
      A,
      { results: [['http', sick]] },
      `down since ${at(NOW)} because http fails (status 503 Busy; expected 200); 2 passed checks in a row bring it back; the next check runs in 3s`,
    ],
    [
      'is sick, and removed later',
      A,
      {
        results: [
          ['http', ok],
          ['http', sick],
          ['http', sick],
          ['http', sick],
        ],
        service: { onDown: { dead: 'remove', sick: 'quiesce', after: 300_000 }, quiescent: true },
      },
      /; it counts as sick, so it is at weight 0 and is removed in 5m00s; 2 passed checks in a row bring it back; /,
    ],
    [
      'has passed once of twice',
      A,
      {
        results: [
          ['http', sick],
          ['http', ok],
        ],
      },
      /^down since .* because http has passed 1 of 2 times in a row; one passed check brings it back; /,
    ],
    [
      'is up',
      A,
      { results: [['http', ok]] },
      /^up since .* because http passes; 3 failed checks in a row take it out; the next check runs in 3s$/,
    ],
    [
      'has failed twice of three times',
      A,
      {
        results: [
          ['http', ok],
          ['http', sick],
          ['http', sick],
        ],
      },
      /^up since .* because http has failed 2 of 3 times in a row \(status 503 .*\); one failed check takes it out; /,
    ],
    ['has no result', A, {}, /^not judged yet since .* because http has no result yet; the next check /],
    [
      'cannot be checked',
      A,
      {
        results: [
          ['http', ok],
          ['http', unrun],
          ['http', unrun],
          ['http', unrun],
        ],
      },
      /^up since .* because lvsd cannot run http \(no descriptors\); /,
    ],
    [
      'fails one of two checks',
      TWO,
      {
        results: [
          ['http', sick],
          ['ping', ok],
        ],
      },
      /because 1 of 2 checks passes and 2 must: http fails \(.*\); 2 passed checks in a row bring it back; the next of its checks runs in 3s$/,
    ],
    [
      'passes two of two checks',
      TWO,
      {
        results: [
          ['http', ok],
          ['ping', ok],
        ],
      },
      /because all 2 checks pass; 2 failed checks in a row of one of them take it out; /,
    ],
    [
      'needs one of two checks',
      ANY,
      {
        results: [
          ['http', ok],
          ['ping', ok],
        ],
      },
      /because all 2 checks pass; one failed check of each of 2 checks takes it out; /,
    ],
    [
      'is disabled for two hours',
      A,
      {
        results: [['http', ok]],
        overrides: [override({ effect: { kind: 'disable' }, until: NOW + 7_200_000 })],
      },
      /^held down since .* because anna disabled it \(disk swap\); this ends at 20\d\d-.*, or with: lvsd enable 'web\/\[fd00::a\]:80'; then its checks decide: http passes$/,
    ],
    [
      'is drained with its service',
      A,
      { results: [['http', ok]], overrides: [override({})], isOnService: true },
      `up, but without new connections since ${at(NOW - 5000)} because anna drained it (disk swap); this ends with: lvsd undrain web --yes`,
    ],
    [
      'is drained and down',
      A,
      { results: [['http', sick]], overrides: [override({})] },
      /^down since .* because http fails .*; also without new connections since .* because anna drained it \(disk swap\); /,
    ],
    [
      'is held by a file',
      A,
      {
        overrides: [
          override({ effect: { kind: 'force-down' }, source: 'file', who: '/m n/[::1]:80', reason: '' }),
        ],
      },
      /because the maintenance folder has the file \/m n\/\[::1\]:80; this ends when the file is removed: rm '\/m n\/\[::1\]:80'; /,
    ],
    ...(
      [
        [
          'gone',
          /because the maintenance folder \/m n is missing; its last known content has the file web1; this ends when the folder is created again \(mkdir '\/m n'\), or when maintenancedir is removed/,
        ],
        [
          'elsewhere',
          /folder \/m n is empty, on another .*; this ends when any file is put into the folder, or /,
        ],
        [
          'unreadable',
          /folder \/m n cannot be read; .*; this ends when the folder can be read again and does /,
        ],
        ['silent', /folder \/m n does not answer; .*; this ends when the folder can be read again and does /],
      ] as const
    ).map(([trouble, expected]): (typeof rows)[number] => [
      `is held by a file whose folder is ${trouble}`,
      A,
      {
        overrides: [
          override({
            effect: { kind: 'force-down' },
            source: 'file',
            who: 'web1',
            folder: { path: '/m n', trouble },
          }),
        ],
      },
      expected,
    ]),
    [
      'is held by a window',
      A,
      { overrides: [override({ effect: { kind: 'disable' }, source: 'window', until: NOW + 1000 })] },
      /because a maintenance window is open \(disk swap\); this ends at 20/,
    ],
    [
      'is forced up',
      A,
      { results: [['http', sick]], overrides: [override({ effect: { kind: 'force-up' }, reason: '' })] },
      /^held up since .* because anna forced it up; this ends with: lvsd enable .*; then its checks decide: http fails/,
    ],
    [
      'has no checks',
      real('fd00::a', { checks: [] }),
      {},
      /^up since .* because it has no check, so it counts as up; nothing takes it out by itself$/,
    ],
    [
      'flaps and is held down',
      PLAIN,
      { results: FLAPS, service: { damping: DAMPING, fallback: real('fd00::f') } },
      `down since ${at(NOW - 2000)} because it flaps; it is held down until ${at(NOW + 300_000)}; then its checks decide: http passes; to have it back now: lvsd force 'web/[fd00::a]:80' up`,
    ],
    [
      'flaps and is all that serves',
      PLAIN,
      { results: FLAPS, service: { damping: DAMPING } },
      /^up since .* because http passes; it flaps, but is not held down \(until .*\), since no other server would serve; /,
    ],
    [
      'rises slowly',
      PLAIN,
      { results: FLAPS, service: { slowStart: { for: 60_000, from: 20 } } },
      `up since ${at(NOW)} because http passes; its weight is 2, by slow start, and 10 at ${at(NOW + 60_000)}; one failed check takes it out; the next check runs in 3s`,
    ],
    ['has a name without an address', real('app', { checks: [use('http')] }), {}, /its name has no address/],
  ]
  for (const [what, one, told, expected] of rows)
    it(`tells of one that ${what}`, () => {
      const { sentence } = whyReal([one], told)
      if (typeof expected === 'string') assert.equal(sentence, expected)
      else assert.match(sentence, expected)
      assert.ok(start.length > 0)
    })
})

describe('build-why: a real server', () => {
  it('has the last results of each check, the newest first, with phases, counts and what is expected', () => {
    const { checks } = whyReal([A], {
      results: [
        ['http', ok],
        ['http', sick],
        ['http', sick],
      ],
    })
    assert.equal(checks.length, 1)
    assert.equal(checks[0]?.expects, 'status 200')
    assert.equal(checks[0]?.nextAt, new Date(NOW + 3000).toISOString())
    assert.deepEqual(
      checks[0]?.results.map(({ last, count }) => [last.ok, last.detail, count]),
      [
        [false, sick.detail, 2],
        [true, '200 OK', 1],
      ],
    )
    assert.deepEqual(checks[0]?.results[0]?.last.phases[1], { phase: 'headers', ms: 1.23 })
    const ends = sick.phases.map(({ ms }) => Math.round(ms * 100) / 100)
    const ms = Math.round(sick.ms * 100) / 100
    assert.deepEqual(
      checks[0]?.results[0]?.runs,
      [NOW, NOW - 2000].map(at => ({ at: new Date(at).toISOString(), ms, phases: ends })),
    )
    assert.equal(checks[0]?.results[1]?.runs.length, 1)
  })

  it('says that the table stays while the network of this director is lost', () => {
    const lost = { isLost: true, since: NOW, detail: 'the gateway fe80::1%lan does not answer pings' }
    const cluster = {
      site: 'berlin',
      role: { role: 'active', reason: 'it is always active', since: NOW },
      from: 'always-active',
      standby: { table: 'same', checks: 'on' },
      table: 'keep',
      trouble: null,
      redis: null,
      directors: [],
      connectivity: { lost, isInDoubt: false, answering: new Map(), tracked: null },
    }
    const told = { cluster: cluster as unknown as NonNullable<Told['cluster']> }
    const says =
      /; the network of this director is lost \(the gateway .* pings\), so its table stays as it is$/
    assert.match(whyReal([A], told).sentence, says)
    assert.match(whyService([A], told).sentence, says)
  })

  it('has all overrides, the one that counts first', () => {
    const drain = override({ since: NOW - 1000 })
    const disable = override({ effect: { kind: 'disable' }, who: 'ben' })
    const { overrides } = whyReal([A], { overrides: [drain, disable] })
    assert.deepEqual(
      overrides.map(({ who, counts, on }) => [who, counts, on]),
      [
        ['ben', true, 'real'],
        ['anna', false, 'real'],
      ],
    )
  })

  it('has what lvsd last wrote', () => {
    const written = { at: NOW - 7000, weight: 4, isEarlier: true }
    const { table } = whyReal([A], { part: { written: () => written } })
    assert.deepEqual(table, {
      readAt: new Date(NOW - 1000).toISOString(),
      written: { ...written, at: new Date(NOW - 7000).toISOString() },
    })
  })
})

describe('build-why: a service', () => {
  it('says who else answers for its virtual address', () => {
    const conflict: Conflict = {
      ...{ address: address('192.0.2.80'), link: 2, interface: 'eth0', hardware: '02:00:00:00:00:11' },
      ...{ who: { real: '192.0.2.11', address: '192.0.2.11' }, since: NOW, isTold: true, misses: 0 },
    }
    const { sentence } = whyService([A], { results: [['http', ok]], conflicts: [conflict] })
    assert.match(sentence, /; the real server 192\.0\.2\.11 \(02:.* on eth0\) answers ARP requests for 192/)
  })

  it('ends the last phase of a result with the run, as in those before', () => {
    const result = { ...sick, ms: 1.4 }
    const [check] = whyReal([A], { results: Array(2).fill(['http', result]) }).checks
    const [{ last, runs } = { last: sick, runs: [] }] = check?.results ?? []
    assert.deepEqual(
      last.phases.map(({ ms }) => ms),
      [0.4, 1.4],
    )
    assert.deepEqual(runs?.[1]?.phases, [0.4, 1.4])
  })

  it('says that no check has a verdict, and that clients are refused if no server is in the table', () => {
    const sentenceOf = (service: Told['service'], runs = 3, reals = [A]) =>
      whyService(reals, { results: Array(runs).fill(['http', unrun]), service: service ?? {} }).sentence
    const refused =
      'no check has a verdict, so no real server is in the table and clients are refused: no descriptors'
    assert.equal(
      sentenceOf({}),
      `unknown: 0 of 1 real server get new connections; it has no fallback; ${refused}`,
    )
    assert.doesNotMatch(sentenceOf({}, 2), /refused/)
    assert.doesNotMatch(sentenceOf({}, 3, [A, B]), /refused/)
    assert.match(
      sentenceOf({ fallback: real('fd00::f') }),
      /the fallback \[fd00::f\]:80 stays as it is; no check has a verdict, so no/,
    )
  })

  it('tells of the servers that are not in service as configured, and why the fallback is in', () => {
    const fallback = real('fd00::f')
    const { sentence, reals } = whyService([A, B], { results: [['http', sick]], service: { fallback } })
    assert.match(sentence, /^not judged yet: results are missing; 0 of 2 real servers get new connections; /)
    assert.deepEqual(
      reals.map(one => [one.name, one.sentence.split(' because ')[1]]),
      [
        ['[fd00::a]:80', 'http fails (status 503 Busy; expected 200)'],
        ['[fd00::b]:80', 'http has no result yet'],
      ],
    )
    const down = whyService([A], { results: [['http', sick]], service: { fallback } })
    assert.match(
      down.sentence,
      /^down since .*: the fallback \[fd00::f\]:80 serves because no real server can; /,
    )
    const up = whyService([A], { results: [['http', ok]], service: { fallback } })
    assert.match(
      up.sentence,
      /^up since [0-9:]+ \S+: 1 of 1 real server gets new connections; the fallback .* stays out/,
    )
    assert.deepEqual(up.reals, [])
  })
})
