/** The overrides of operators, and their ends of windows, as those of a site, if there is one. */
import { hostname } from 'node:os'
import type { Cluster } from '../cluster/cluster.js'
import { RedisOverrideStore } from '../cluster/overrides/override-store.js'
import { isEnd, isUnknown, nameOfTarget, type SharedValue } from '../cluster/overrides/shared-value.js'
import { type SiteChange, type SiteOutcome, SiteOverrides } from '../cluster/overrides/site-overrides.js'
import { effectText } from '../core/override.js'
import type { CommandOverrides, Order } from '../overrides/command-overrides.js'
import type { EarlyEnd } from '../overrides/early-ends.js'
import type { WindowOverrides } from '../overrides/window-overrides.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'

export interface SharedOverridesParts {
  readonly log: Log
  readonly cluster: Pick<Cluster, 'redis'>
  readonly sources: { readonly commands: CommandOverrides; readonly windows: WindowOverrides }
  /** File of the overrides of this director; null: they end with the process. */
  readonly path: string | null
  readonly clock: Pick<Clock, 'now' | 'alarm'>
}

export function openSiteOverrides({ cluster, sources, path, ...parts }: SharedOverridesParts): SiteOverrides {
  return new SiteOverrides({
    ...parts,
    commands: sources.commands,
    windows: sources.windows,
    store: new RedisOverrideStore(cluster.redis),
    isOn: () => cluster.redis.status.state !== 'off',
    director: hostname(),
    path: path?.replace(/\.json$/, '-of-site.json') ?? null,
  })
}

export interface Changed {
  /** False: not on the disk, so that a restart would not know it. */
  readonly isKept: boolean
  /** True: the other directors of the site do not have it yet. */
  readonly isLocal?: boolean
}

export interface NotChanged {
  /** A sentence. */
  readonly why: string
  /** True: it may be changed on this director alone. */
  readonly mayBeLocal: boolean
}

/** Gives or ends these overrides, on all directors of a site if there is one. */
export async function changeShared(
  orders: readonly Order[],
  change: SiteChange,
  { commands, site }: { readonly commands: CommandOverrides; readonly site: SiteOverrides | null },
): Promise<Changed | NotChanged> {
  const { endedBy } = change
  if (orders.length === 0) return { isKept: true }
  if (!site?.isOn)
    return { isKept: await (endedBy === null ? commands.put(orders) : commands.remove(orders, endedBy)) }
  return changedOf(await site.change(orders, change))
}

/** Ends these openings of windows, as `changeShared`. */
export async function endShared(
  ends: readonly EarlyEnd[],
  change: Pick<SiteChange, 'isLocal'>,
  { windows, site }: { readonly windows: Pick<WindowOverrides, 'end'>; readonly site: SiteOverrides | null },
): Promise<Changed | NotChanged> {
  if (ends.length === 0) return { isKept: true }
  return site?.isOn ? changedOf(await site.endWindows(ends, change)) : { isKept: await windows.end(ends) }
}

function changedOf(outcome: SiteOutcome): Changed | NotChanged {
  if (outcome.kind === 'done') {
    const { isKept, isLocal } = outcome
    return { isKept, ...(isLocal && { isLocal }) }
  }
  return { why: whyNot(outcome), mayBeLocal: outcome.kind !== 'changed' }
}

function whyNot(outcome: Exclude<SiteOutcome, { kind: 'done' }>): string {
  if (outcome.kind === 'changed')
    return `${outcome.by.map(changeText).join('; ')} meanwhile, on another director: nothing else has changed; look again, and repeat the command if it is still meant`
  return `the Redis of the site cannot be used (${outcome.reason}), so the other directors would not know: nothing has changed. With --local (in the API "local": true) it counts on this director alone, and on the others when Redis is back`
}

function changeText(value: SharedValue): string {
  if (isUnknown(value)) return 'a newer lvsd has written something that this one does not know'
  if (isEnd(value)) {
    const { who, window, target } = value.opening
    return `${who} has ended the ${window} of ${nameOfTarget(target)}`
  }
  const {
    target,
    override: { effect, who },
    endedBy,
  } = value
  const name = nameOfTarget(target)
  return endedBy === null
    ? `${who} has given ${effectText(effect)} to ${name}`
    : `${endedBy} has ended ${effectText(effect)} of ${name}`
}
