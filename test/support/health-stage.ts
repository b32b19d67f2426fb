/** lvsd without checks and sockets: the health tracker, a table in memory and a clock that the test winds. */
import assert from 'node:assert/strict'
import type { Check } from '../../src/check/check.js'
import { type CheckResult, keyOfReal, type ResolvedConfig } from '../../src/core/model.js'
import type { Effect, Override } from '../../src/core/override.js'
import type { Events } from '../../src/events/event-bus.js'
import { HealthTracker } from '../../src/health/health-tracker.js'
import { memoryKernel } from '../../src/ipvs/memory.js'
import { Reconciler } from '../../src/reconcile/reconciler.js'
import { memoryJournal } from '../../src/storage/journal.js'
import type { Emitter } from '../../src/util/emitter.js'
import { onCleanup } from './after-each.js'
import { FakeClock } from './fake-clock.js'
import { recordingLog } from './logs.js'
import { config, real, service, serviceId, use } from './tables.js'

/** Real servers `fd00:1::1`, `fd00:1::2` and so on with these weights, each with a check of this kind. */
export function numberedReals(weights: readonly number[], kind: string) {
  return weights.map((weight, i) => real(`fd00:1::${i + 1}`, { weight, checks: [use(kind)] }))
}

/** A configuration with one service, `web`. */
export function webAlone(parts: Parameters<typeof service>[1]): ResolvedConfig {
  return config([service('web', { id: serviceId('fd00:f::1'), ...parts })])
}

export interface StageParts<Site> {
  readonly first: Site
  site(site: Site): ResolvedConfig
  readonly checks: ReadonlyMap<string, Check>
  /** The memory of rules that survives a restart. */
  memory(health: HealthTracker): {
    restore(value: unknown, ageMs: number): void
    snapshot(): Iterable<unknown>
  }
  readonly emit: Emitter<Events>['emit']
}

export function healthStage<Site>({ first, site, checks, memory, emit }: StageParts<Site>) {
  const clock = new FakeClock()
  const kernel = memoryKernel()
  const journal = memoryJournal()
  let now = site(first)
  let writes = 0
  let overrides = new Map<number, Effect>()
  const start = (saved: readonly unknown[], ageMs: number) => {
    const { log } = recordingLog('silent')
    const reconciler: Reconciler = new Reconciler({
      kernel,
      journal,
      log,
      onApplied: changes => {
        writes += changes.length
      },
      desired: (actual, names) => health.desired(actual, names),
    })
    const health: HealthTracker = new HealthTracker({
      log,
      events: { emit, hears: () => false },
      table: () => reconciler.table,
      onDirty: services => reconciler.markDirty(services.map(({ name }) => name)),
      recheck: () => {},
      now: clock.now,
      wall: clock.now,
      alarm: clock.alarm,
    })
    onCleanup(async () => {
      health.close()
      await reconciler.stop()
    })
    for (const value of saved) memory(health).restore(value, ageMs)
    return { health, reconciler }
  }
  let life = start([], 0)
  const override = () => {
    const [web] = now.services
    const given = [...overrides].flatMap(([n, effect]) => {
      const one = web?.reals[n - 1]
      return one ? [[one, overrideOf(effect)] as const] : []
    })
    life.health.override(new Map(given))
  }
  const place = async () => {
    life.health.applyConfig(now, checks, new Map())
    override()
    await life.reconciler.resync()
  }
  const snapshot = () => life.health.snapshot(now.services, new Map()).services[0] ?? assert.fail()
  return {
    clock,
    snapshot,
    place,
    /** Number of changes of the table. */
    get writes() {
      return writes
    },
    get health() {
      return life.health
    },
    status: (n: number) => snapshot().reals[n - 1] ?? assert.fail(),
    async result(n: number, result: CheckResult) {
      const job = [...life.health.store.jobs.values()].find(
        ({ target }) => target.address.text === `fd00:1::${n}`,
      )
      if (job) life.health.result(job.id, result)
      await life.reconciler.idle()
    },
    async wind(ms: number) {
      clock.wind(ms)
      await life.reconciler.idle()
    },
    async reload(next: Site) {
      now = site(next)
      await place()
    },
    async override(n: number, effect: Effect | null) {
      overrides = new Map([...overrides].filter(([one]) => one !== n))
      if (effect) overrides.set(n, effect)
      override()
      await life.reconciler.idle()
    },
    /** The process ends and another one starts, with its memory or without. */
    async restart({ off = 0, hasMemory = true } = {}) {
      const saved = JSON.stringify([...memory(life.health).snapshot()])
      life.health.close()
      await life.reconciler.stop()
      clock.wind(off)
      life = start(hasMemory ? JSON.parse(saved) : [], off)
      await place()
    },
    /** Weights in the table, `-` for none: `10 - 100`. */
    async weights(): Promise<string> {
      const { table } = await kernel.dump()
      const held = table.get('tcp [fd00:f::1]:80') ?? table.get('udp [fd00:f::1]:80')
      return (now.services[0] ?? assert.fail()).reals
        .map(({ address, port }) => address && held?.reals.get(keyOfReal({ address, port }))?.weight)
        .map(weight => weight ?? '-')
        .join(' ')
    },
  }
}

export function overrideOf(effect: Effect): Override {
  return { effect, source: 'command', who: 'anna', reason: '', since: 0, until: null }
}
