/** The daemon as the API asks it. */
import { hostname } from 'node:os'
import { buildingListing } from '../api/build-listing.js'
import { buildOverview } from '../api/build-overview.js'
import { buildingResults } from '../api/build-results.js'
import { buildingStatus, buildStatus } from '../api/build-status.js'
import { changeDocument, disputesOf, namesByKey, tableServices } from '../api/build-table.js'
import { buildWindows } from '../api/build-windows.js'
import { buildDirectors } from '../api/cluster-status.js'
import type { Control } from '../api/control.js'
import { EventFeed } from '../api/event-feed.js'
import type { SiteEventsRequest } from '../api/event-types.js'
import { ListingChanges } from '../api/listing-changes.js'
import { overrideStatus } from '../api/override-status.js'
import type { OverridesDocument } from '../api/override-types.js'
import type { Snapshot } from '../api/snapshot.js'
import type { DriftDocument, TableDocument } from '../api/table-types.js'
import type { Cluster } from '../cluster/cluster.js'
import type { SiteEvents } from '../cluster/site-events.js'
import { countChanges } from '../core/change-counts.js'
import { diff } from '../core/diff.js'
import type { ResolvedService } from '../core/model.js'
import { withoutMarked } from '../core/service-path.js'
import type { HealthTracker } from '../health/health-tracker.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import type { OverrideSources } from '../overrides/override-sources.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Journal } from '../storage/journal.js'
import { runSliced } from '../util/time-slice.js'
import type { ConfigApplier } from './config-applier.js'
import { missingTarget } from './find-targets.js'
import { Planner } from './planner.js'
import type { Reloader } from './reloader.js'
import { type RoleControlParts, roleControl } from './role-control.js'

export interface ControlParts extends RoleControlParts {
  readonly cluster: RoleControlParts['cluster'] & Pick<Cluster, 'redis'>
  readonly daemon: Pick<
    Control,
    'status' | 'reload' | 'why' | 'recheck' | 'connections' | 'events' | 'metrics'
  > & {
    readonly overrides: Omit<Control['overrides'], 'list'>
    readonly siteEvents: Pick<SiteEvents, 'read'>
  }
  readonly applier: Pick<ConfigApplier, 'config'>
  readonly reloader: Pick<Reloader, 'snapshot'>
  readonly sources: Pick<OverrideSources, 'commands' | 'windows' | 'each'>
  readonly health: RoleControlParts['health'] & Pick<HealthTracker, 'store' | 'desiring'>
  readonly reconciler: Pick<Reconciler, 'table' | 'counters' | 'snapshot' | 'stats'>
  readonly journal: Pick<Journal, 'owned' | 'names' | 'marks'>
  readonly kernelName: 'netlink' | 'memory'
  /** Returns the state of all parts, with the health of these services only. */
  snapshot(services: readonly ResolvedService[]): Promise<Snapshot>
  /** Milliseconds of the wall clock. */
  now(): number
  isReady(): boolean
}

/** Maximum age of a table that is read for an answer, in milliseconds. */
const MAX_AGE = 500

export function controlOf(parts: ControlParts): Omit<Control, 'tokens'> {
  const { daemon, applier, dates, snapshot, isReady } = parts
  const { overrides, why, events, recheck, connections, metrics } = daemon
  const feed = new EventFeed(events)
  const planner = plannerOf(parts)
  const listings = new ListingChanges()
  const named = (name: string | null) =>
    applier.config.services.filter(service => name === null || service.name === name)
  return {
    status: () => daemon.status(),
    overview: async () => buildOverview(await daemon.status(), hostname()),
    directors: async () => buildDirectors(buildStatus(await snapshot([]), dates)),
    reload: isForced => daemon.reload(isForced),
    missing: targets => missingTarget(applier.config, targets),
    services: async name => (await runSliced(buildingStatus(await snapshot(named(name)), dates))).services,
    listing: async (name, after) => {
      const listing = await runSliced(buildingListing(await snapshot(named(name)), dates))
      return listing && listings.answer(listing, after)
    },
    results: async (service, real) => {
      const { health } = await snapshot(named(service))
      return runSliced(buildingResults(health.services, real, dates))
    },
    overrides: {
      list: () => overridesOf(parts),
      give: (request, who) => overrides.give(request, who),
      end: (request, who) => overrides.end(request, who),
      endWindows: (request, who) => overrides.endWindows(request, who),
    },
    windows: count =>
      buildWindows(applier.config.services, parts.sources.windows.endedEarly, { now: parts.now(), count }),
    table: isAll => tableOf(parts, isAll),
    drift: () => driftOf(parts),
    plan: (posted, assume) => planner.plan(posted, assume),
    validate: posted => planner.validate(posted),
    doctor: () => planner.doctor(),
    why,
    events,
    streamEvents: (query, gone) => feed.open(query, gone),
    siteEvents: query => siteEventsOf(parts, query),
    recheck,
    connections,
    metrics,
    role: roleControl(parts),
    isReady,
  }
}

async function siteEventsOf({ cluster, daemon }: ControlParts, query: SiteEventsRequest) {
  const { state, fault } = cluster.redis.status
  if (state === 'off') return 'this director shares nothing with others: no Redis is configured'
  try {
    return await daemon.siteEvents.read(query)
  } catch (error) {
    return `the Redis of the site cannot be used: ${fault?.detail ?? (error as Error).message}. "lvsd events" shows the events of one director`
  }
}

function plannerOf({
  cluster,
  applier,
  reloader,
  sources,
  health,
  reconciler,
  journal,
  kernelName,
  now,
}: ControlParts): Planner {
  return new Planner({
    journal,
    kernelName,
    now,
    sources,
    config: () => applier.config,
    stateOf: real => health.store.stateOf(real),
    table: async () => (await reconciler.counters(MAX_AGE))?.table ?? null,
    keptSince: () => reloader.snapshot().keptSince,
    lost: () => cluster.connectivity.current?.detail ?? null,
  })
}

async function tableOf(
  { reconciler, applier, journal, dates }: ControlParts,
  isAll: boolean,
): Promise<TableDocument | null> {
  const { dump, dumpAt } = await reconciler.snapshot(MAX_AGE)
  if (!dump || dumpAt === null) return null
  const names = namesByKey(applier.config.services)
  const paths = new Map([...journal.marks].map(([path, mark]) => [mark, path]))
  const services = tableServices(dump, { names, owned: journal.owned, paths, isAll })
  return { readAt: dates.iso(dumpAt), services }
}

/** Compares with a table that is read for this, so that changes by other programs are seen before the next resync. */
async function driftOf({
  reconciler,
  applier,
  health,
  journal,
  dates,
}: ControlParts): Promise<DriftDocument | null> {
  const { dump, dumpAt, disputes, errors } = await reconciler.snapshot(MAX_AGE)
  if (!dump || dumpAt === null) return null
  const { table, untouched } = await runSliced(health.desiring(dump.table))
  const ours = withoutMarked(journal.owned, journal.marks)
  const owned = new Set([...ours].filter(key => !untouched.has(key)))
  const changes = diff(table, dump.table, owned)
  return {
    readAt: dates.iso(dumpAt),
    ...countChanges(changes),
    changes: changes.map(changeDocument),
    disputes: disputesOf(disputes, applier.config.services, dates),
    errors,
  }
}

/** Those of commands with their targets; those of windows and files with each real server. */
function overridesOf({ applier, sources }: ControlParts): OverridesDocument {
  const { config } = applier
  const each = sources.each(config)
  const given = sources.commands.orders.map(({ target, override, missingSince }) => ({
    service: target.service,
    real: target.real,
    ...overrideStatus(override),
    missingSince: missingSince === null ? null : new Date(missingSince).toISOString(),
  }))
  const others = config.services.flatMap(service =>
    service.reals.flatMap(real =>
      each(service, real)
        .filter(({ source }) => source !== 'command')
        .map(override => ({
          service: service.name,
          real: nameOfReal(real),
          ...overrideStatus(override),
          missingSince: null,
        })),
    ),
  )
  return { overrides: [...given, ...others] }
}
