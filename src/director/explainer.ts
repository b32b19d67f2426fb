/** Answers why a real server or a service is as it is. */
import { buildWhy } from '../api/build-why.js'
import type { TargetName } from '../api/override-types.js'
import type { Snapshot } from '../api/snapshot.js'
import type { WhyAnswer } from '../api/why-types.js'
import type { Check } from '../check/check.js'
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import { type CommandOverrides, nameOfReal } from '../overrides/command-overrides.js'
import type { Named } from '../overrides/targets.js'
import type { WrittenEntries } from '../reconcile/written.js'
import type { Executors } from '../schedule/executors.js'
import type { WallClock } from '../util/clock.js'
import type { ConfigApplier } from './config-applier.js'
import { findTargets } from './find-targets.js'

export interface ExplainerParts {
  readonly applier: Pick<ConfigApplier, 'config' | 'overridesOf'>
  readonly commands: Pick<CommandOverrides, 'orders'>
  readonly executors: Pick<Executors, 'next'>
  readonly written: WrittenEntries
  readonly dates: WallClock
  /** Returns the state of all parts, with the health of these services only. */
  snapshot(services: readonly ResolvedService[]): Promise<Snapshot>
  checks(): ReadonlyMap<string, Check>
}

export class Explainer {
  readonly #parts: ExplainerParts

  constructor(parts: ExplainerParts) {
    this.#parts = parts
  }

  /** Names of all services and real servers. */
  async targets(): Promise<readonly Named[]> {
    const { services } = this.#parts.applier.config
    return services.map(({ name, reals, multihomed }) => ({
      service: name,
      reals: reals.map(nameOfReal),
      ...(multihomed && { multihomed }),
    }))
  }

  /** Returns a sentence if there is no such target. */
  async explain(target: TargetName): Promise<WhyAnswer | string> {
    const { applier, commands, executors, written, dates, snapshot, checks } = this.#parts
    const found = findTargets(applier.config, [target])
    if (typeof found === 'string') return found
    const [{ service, real } = { service: undefined, real: null }] = found
    if (!service) return 'there is no such service'
    const state = await snapshot([service])
    const [current] = state.health.services
    // Another configuration may have come meanwhile.
    const index = real && indexIn(current?.service.reals ?? [], real)
    if (!current || index === -1) return 'it has just left the configuration'
    const why = {
      snapshot: state,
      index,
      overridesOf: (one: ResolvedService['reals'][number]) => applier.overridesOf(service, one),
      isOnService: (override: object) =>
        commands.orders.some(order => order.override === override && order.target.real === null),
      check: (kind: string) => checks().get(kind),
      nextRun: (id: string) => executors.next(id),
      written: (serviceKey: string, realKey: string) => written.of(serviceKey, realKey),
    }
    return buildWhy(why, dates)
  }
}

function indexIn(reals: readonly ResolvedReal[], { host, port }: ResolvedReal): number {
  return reals.findIndex(one => one.host === host && one.port === port)
}
