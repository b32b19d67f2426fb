/** The answer to `lvsd why` after some results, for tests. */
import { buildWhy, type WhySnapshot } from '../../src/api/build-why.js'
import type { Snapshot } from '../../src/api/snapshot.js'
import type { WhyAnswer, WhyReal, WhyService } from '../../src/api/why-types.js'
import { defineCheck } from '../../src/check/check.js'
import type { Conflict } from '../../src/core/address-conflict.js'
import type { CheckResult, CheckUse, ResolvedReal, ResolvedService } from '../../src/core/model.js'
import { type Override, strongest } from '../../src/core/override.js'
import { HealthTracker } from '../../src/health/health-tracker.js'
import { config, service } from './tables.js'

/** The steady clock is the wall clock here. */
const DATES = { at: (ms: number) => ms, iso: (ms: number) => new Date(ms).toISOString() }
export const NOW = Date.parse('2026-11-22T12:00:00Z')

const KINDS = ['http', 'ping', 'agent'].map(name =>
  defineCheck({
    name,
    summary: 'a check of this test',
    options: () => ({}),
    expects: () => 'status 200',
    run: async () => ({ ok: true, reason: null, detail: '' }),
  }),
)

export interface Told {
  /** Results in turn, two seconds apart, the last one at `NOW`: the kind of check, and its result. */
  readonly results?: readonly (readonly [kind: CheckUse['kind'], result: CheckResult])[]
  readonly overrides?: readonly Override[]
  readonly isOnService?: boolean
  readonly part?: Partial<WhySnapshot>
  readonly cluster?: Snapshot['cluster']
  readonly conflicts?: readonly Conflict[]
  readonly service?: Partial<ResolvedService>
}

/** Of the first real server; the others have no results. */
export function whyReal(reals: readonly ResolvedReal[], told: Told = {}): WhyReal {
  return why(reals, 0, told) as WhyReal
}

export function whyService(reals: readonly ResolvedReal[], told: Told = {}): WhyService {
  return why(reals, null, told) as WhyService
}

function why(reals: readonly ResolvedReal[], index: number | null, told: Told): WhyAnswer {
  const { results = [], overrides = [], isOnService = false, part = {}, cluster = null } = told
  const { service: more = {}, conflicts = [] } = told
  let now = NOW - 2000 * results.length
  const events = { hears: () => false, emit: () => {} }
  const tracker = new HealthTracker({
    log: { warn: () => {} },
    events,
    table: () => new Map(),
    onDirty: () => {},
    recheck: () => {},
    now: () => now,
  } as ConstructorParameters<typeof HealthTracker>[0])
  const web = service('web', { reals, ...more })
  tracker.applyConfig(config([web]), new Map(KINDS.map(kind => [kind.name, kind])), new Map())
  const deciding = strongest(overrides, NOW)
  const [first] = reals
  if (deciding && first) tracker.override(new Map([[first, deciding]]))
  for (const [kind, result] of results) {
    now += 2000
    const [check] = tracker.store
      .checkStatesOf(first as ResolvedReal)
      .filter(({ subscriber }) => subscriber.use.kind === kind)
    tracker.result(check?.subscriber.jobId ?? '', result)
  }
  tracker.availability.follow([web])
  const snapshot: Snapshot = {
    version: '1',
    pid: 1,
    kernel: 'memory',
    now: NOW,
    startedAt: NOW - 60_000,
    isolation: null,
    cluster,
    sources: new Map(),
    alerts: null,
    conflictsOf: () => conflicts,
    sysctls: [],
    endedWindows: [],
    reload: { file: 'site.yaml', loadedAt: 0, warnings: [], keptSince: null, fromNextStart: [], last: null },
    health: tracker.snapshot([web], new Map()),
    names: new Map(),
    reconcile: {
      lastResync: NOW - 1000,
      reading: { interval: 2000, services: 1000, cost: 2.5 },
      readingCost: 5,
      changesApplied: 0,
      driftRepaired: 0,
      disputes: [],
      errors: [],
      dump: null,
      dumpAt: null,
    },
    schedule: {
      engine: 'native',
      jobs: 1,
      running: 0,
      lateness: { p50: 0, p99: 0, max: 0 },
      stalls: 0,
      stalledFor: 0,
      sinceStall: null,
      noVerdicts: 0,
    },
  }
  tracker.close()
  return buildWhy(
    {
      snapshot,
      index,
      overridesOf: real => (real === first ? overrides : []),
      isOnService: () => isOnService,
      check: kind => KINDS.find(({ name }) => name === kind),
      nextRun: () => ({ in: 3000, isRunning: false }),
      written: () => null,
      ...part,
    } as WhySnapshot,
    DATES,
  )
}
