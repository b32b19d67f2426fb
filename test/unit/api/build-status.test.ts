import assert from 'node:assert/strict'
import { buildOverview } from '../../../src/api/build-overview.js'
import { buildStatus } from '../../../src/api/build-status.js'
import { disputesOf } from '../../../src/api/build-table.js'
import type { Snapshot } from '../../../src/api/snapshot.js'
import { reasonAndDetail } from '../../../src/api/status-reason.js'
import type { OverrideStatus } from '../../../src/api/status-types.js'
import { type Conflict, conflictText } from '../../../src/core/address-conflict.js'
import type { ResolvedService, Table } from '../../../src/core/model.js'
import type { HealthSnapshot } from '../../../src/health/health-snapshot.js'
import { DOWN, realStatus, serviceStatus, statusDocument } from '../../support/cli/documents.js'
import {
  address,
  heldBy,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
} from '../../support/tables.js'

/** The steady clock is the wall clock here. */
const DATES = { at: (ms: number) => ms, iso: (ms: number) => new Date(ms).toISOString() }
const at = (seconds: number) => new Date(seconds * 1000).toISOString()

const WEB = service('web', {
  reals: [real('fd00:1::a', { weight: 5 }), real('fd00:1::b')],
  fallback: real('fd00:1::f'),
})
const [A, B] = WEB.reals.map(one => ({
  real: one,
  state: 'unknown' as const,
  since: null,
  override: null,
  remembered: null,
  rise: null,
  hold: null,
  down: null,
  checks: [],
  passing: 0,
}))
const held = (...hosts: readonly string[]) =>
  table(
    tableService(
      serviceId('2001:db8::80'),
      hosts.map(host => tableReal(host, { weight: 5 })),
    ),
  )

function snapshot(health: Partial<HealthSnapshot> = {}, kernel: Table | null = null): Snapshot {
  assert.ok(A && B)
  return {
    version: '1.2.3',
    pid: 42,
    kernel: 'memory',
    now: 100_000,
    startedAt: 1000,
    reload: {
      file: 'site.yaml',
      loadedAt: 2000,
      warnings: [],
      keptSince: null,
      fromNextStart: [],
      last: null,
    },
    health: {
      services: [{ service: WEB, traffic: null, panic: null, reals: [A, B] }],
      desired: new Map(),
      ...health,
    },
    names: new Map(),
    reconcile: {
      lastResync: 3000,
      reading: { interval: 2000, services: 1000, cost: 2.5 },
      readingCost: 5,
      changesApplied: 7,
      driftRepaired: 1,
      disputes: [{ service: 'web', since: 4000, changes: 9 }],
      errors: [],
      dumpAt: kernel && 99_000,
      dump: kernel && { table: kernel, services: new Map(), reals: new Map() },
    },
    isolation: null,
    cluster: null,
    sources: new Map(),
    schedule: {
      engine: 'native',
      jobs: 3,
      running: 1,
      lateness: { p50: 0.123456, p99: 2, max: 3 },
      stalls: 0,
      stalledFor: 0,
      sinceStall: null,
      noVerdicts: 0,
    },
    alerts: null,
    sysctls: [],
    endedWindows: [],
  }
}

describe('build-status', () => {
  it('has the times of a snapshot as dates, and the numbers of the scheduler rounded', () => {
    const { version, pid, now, startedAt, config, reconcile, schedule } = buildStatus(snapshot(), DATES)
    assert.deepEqual([version, pid, now, startedAt], ['1.2.3', 42, at(100), at(1)])
    assert.deepEqual(
      [config.loadedAt, reconcile.lastResync, reconcile.disputes[0]?.since],
      [at(2), at(3), at(4)],
    )
    assert.deepEqual([schedule.jobs, schedule.lateness.p50], [3, 0.12])
  })

  it('has the changed configuration that waits', () => {
    const { reload, ...others } = snapshot()
    const waits = { files: 'mail.yaml', left: 5000 }
    const { config } = buildStatus({ ...others, reload: { ...reload, waits } }, DATES)
    assert.deepEqual(config.waits, { files: 'mail.yaml', until: DATES.iso(105_000) })
    assert.equal('waits' in buildStatus(snapshot(), DATES).config, false)
  })

  it('counts servers, and separates the desired state from the kernel state', () => {
    assert.ok(A && B)
    const reals = [
      { ...A, state: 'up' as const, since: 50_000 },
      { ...B, state: 'down' as const, override: { ...heldBy('fd00:1::b'), since: Date.parse(at(60)) } },
    ]
    const services = [{ service: WEB, traffic: { has: true, since: 50_000 }, panic: null, reals }]
    const status = buildStatus(snapshot({ services, desired: held('fd00:1::a') }, held('fd00:1::b')), DATES)
    const [web] = status.services
    assert.deepEqual(status.totals, { up: 1, down: 1, unknown: 0, noVerdict: 0 })
    assert.deepEqual(
      [web?.state, web?.since, web?.inKernel, web?.fallback?.inUse],
      ['up', at(50), true, false],
    )
    assert.deepEqual(
      web?.reals.map(({ weight, since, override }) => [
        weight.wanted,
        weight.kernel,
        since,
        override && [override.effect, override.source, override.who, override.since],
      ]),
      [
        [5, null, at(50), null],
        [null, 5, at(1), ['force-down', 'file', 'fd00:1::b', at(60)]],
      ],
    )
  })

  it('names the services of disputes as the configuration does, if it has a name for them', () => {
    const key = 'tcp [2001:db8::80]:80'
    const other = 'tcp [2001:db8::99]:80'
    const of = (one: ResolvedService) =>
      disputesOf(
        [key, other].map(service => ({ service, since: 4000, changes: 9 })),
        [one],
        DATES,
      )
    const dispute = { since: at(4), changes: 9 }
    assert.deepEqual(of(WEB), [
      { ...dispute, service: key, name: 'web' },
      { ...dispute, service: other, name: null },
    ])
    assert.equal(of({ ...WEB, name: 'tcp:[2001:db8::80]:80' })[0]?.name, null)
    const snap = snapshot()
    const reconcile = { ...snap.reconcile, disputes: [{ service: key, since: 4000, changes: 9 }] }
    assert.equal(buildStatus({ ...snap, reconcile }, DATES).reconcile.disputes[0]?.name, 'web')
  })

  it('has in the overview how many servers have failed, and how many are up but drained', () => {
    const override = (effect: OverrideStatus['effect'], weight: number | null = null): OverrideStatus => ({
      ...{ effect, weight, source: 'command', who: 'anna', reason: '', since: at(0) },
      ...{ until: null, rampUntil: null },
    })
    const reals = [
      realStatus(),
      realStatus({ override: override('weight', 5) }),
      realStatus({ override: override('force-up') }),
      realStatus({ override: override('drain') }),
      realStatus({ override: override('weight', 0) }),
      realStatus({ state: 'unknown', override: override('drain') }),
      realStatus({ state: 'unknown' }),
      realStatus({ ...DOWN, override: override('disable') }),
      realStatus({ ...DOWN, override: override('force-down') }),
      realStatus({ ...DOWN, override: override('drain') }),
      realStatus(DOWN),
    ]
    const [overview] = buildOverview(statusDocument({ services: [serviceStatus({ reals })] }), 'd1').services
    assert.deepEqual([overview?.drained, overview?.failed], [2, 2])
  })

  it('has the machines that answer for a virtual address of a service, and nothing without one', () => {
    const conflict: Conflict = {
      ...{ address: address('2001:db8::80'), link: 2, interface: 'eth0', hardware: '02:00:00:00:00:11' },
      ...{ who: { real: 'fd00:1::a', address: 'fd00:1::a' }, since: 50_000, isTold: true, misses: 0 },
    }
    const status = buildStatus({ ...snapshot(), conflictsOf: () => [conflict] }, DATES)
    const expected = [
      {
        ...{ address: '2001:db8::80', interface: 'eth0', hardware: '02:00:00:00:00:11' },
        ...{ server: 'fd00:1::a', since: at(50), text: conflictText(conflict) },
      },
    ]
    assert.deepEqual(status.services[0]?.conflicts, expected)
    assert.deepEqual(buildOverview(status, 'd1').services[0]?.conflicts, expected)
    for (const conflictsOf of [undefined, () => []]) {
      const quiet = buildStatus({ ...snapshot(), ...(conflictsOf && { conflictsOf }) }, DATES)
      assert.ok(!Object.hasOwn(quiet.services[0] ?? {}, 'conflicts'))
    }
  })

  it('shows that the fallback is in use if it is desired', () => {
    const [web] = buildStatus(snapshot({ desired: held('fd00:1::f') }), DATES).services
    assert.deepEqual([web?.state, web?.since, web?.fallback?.inUse], ['unknown', null, true])
  })

  it('reports a name without an address, that of the service before that of its fallback', () => {
    assert.ok(WEB.fallback && A)
    const names = new Map<unknown, string>([
      [WEB.fallback, 'sorry does not resolve'],
      [A.real, 'app does not resolve'],
    ])
    const told = () => buildStatus({ ...snapshot(), names: names as Snapshot['names'] }, DATES).services[0]
    assert.equal(told()?.nameTrouble, 'fallback: sorry does not resolve')
    assert.deepEqual(
      told()?.reals.map(({ nameTrouble }) => nameTrouble),
      ['app does not resolve', null],
    )
    names.set(WEB, 'vip does not resolve')
    assert.equal(told()?.nameTrouble, 'vip does not resolve')
  })
})

describe('build-status: the reason of a server that is down', () => {
  for (const [reason, detail, expected] of [
    [
      'status',
      'status 500 Internal Server Error, expected 200-299',
      'status 500 Internal Server Error, expected 200-299',
    ],
    ['status', 'exit 2: CRITICAL', 'status: exit 2: CRITICAL'],
    ['timeout', 'no answer within 3000 ms', 'timeout: no answer within 3000 ms'],
    ['refused', 'refused', 'refused'],
  ] as const)
    it(`${reason}, ${detail}`, () => assert.equal(reasonAndDetail(reason, detail), expected))
})
