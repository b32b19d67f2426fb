/** Connects what brings checks forward with the parts of the daemon. */
import { isChanging } from '../core/health.js'
import type { ResolvedService } from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import type { HealthStore } from '../health/health-store.js'
import { EarlyChecks, type EarlyChecksParts } from '../hints/early-checks.js'
import { openPathEvents } from '../netlink/path-events.js'
import type { Paths } from '../netlink/paths.js'
import { descriptorLimit } from '../system/descriptor-limit.js'
import { steadyNow, systemClock } from '../util/clock.js'

export interface EarlyCheckSettings extends Pick<EarlyChecksParts, 'log' | 'executors' | 'sourceOf'> {
  /** Routes and interfaces of this machine; null: they give no hints. */
  readonly paths: Paths | null
  /** Maximum number of checks at a time, which have their descriptors before sentinels. */
  readonly concurrency: number
  store(): HealthStore
}

/** Descriptors for all but checks and sentinels: control socket, clients, workers, files. */
const RESERVE = 256

export function openEarlyChecks({ concurrency, store, paths, ...parts }: EarlyCheckSettings): EarlyChecks {
  return new EarlyChecks({
    ...parts,
    // Its times are shown.
    clock: { ...systemClock, now: steadyNow },
    network: paths && { paths, openEvents: openPathEvents },
    most: Math.max(0, descriptorLimit() - concurrency - RESERVE),
    isChanging: id =>
      store()
        .checksOf(id)
        .some(({ health, own }) => isChanging(own ?? health)),
  })
}

/** Hands each new configuration on, once its jobs are known. */
export function earlyChecksListener(earlyChecks: () => EarlyChecks, store: () => HealthStore): EventListener {
  // Most services of a configuration are the same objects as before.
  const known = new WeakMap<ResolvedService, boolean>()
  const isConcerned = (service: ResolvedService): boolean => {
    const isOne = known.get(service) ?? hasEarlyUse(service)
    known.set(service, isOne)
    return isOne
  }
  return {
    config: ({ settings, services }) => {
      const { jobs } = store()
      // Of services that share a check, one that wants a sentinel suffices.
      const watched = new Set<string>()
      // All of them must want an early time limit.
      const early = new Set<string>()
      const patient = new Set<string>()
      if (services.some(isConcerned))
        for (const { use, jobId } of store().allSubscribers()) {
          if (use.sentinel) watched.add(jobId)
          const kind = use.earlyTimeout ? early : patient
          kind.add(jobId)
        }
      earlyChecks().follow({
        jobs,
        watched,
        isKnocking: settings.knock === true,
        hasEarlyLimit: id => early.has(id) && !patient.has(id),
      })
    },
  }
}

function hasEarlyUse({ reals }: ResolvedService): boolean {
  return reals.some(({ checks }) => checks.some(({ sentinel, earlyTimeout }) => sentinel || earlyTimeout))
}
