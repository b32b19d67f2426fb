/** The metrics of lvsd itself. */
import { createHash } from 'node:crypto'
import type { Share, SharingSnapshot } from '../cluster/verdicts/verdict-types.js'
import type { ReconcileSnapshot } from '../reconcile/reconciler-types.js'
import type { WallClock } from '../util/clock.js'
import { addProcess } from './exposition.js'
import { type Families, sample } from './families.js'
import type { Sources } from './sources.js'
import { OUTCOMES, type Tallies } from './tallies.js'

/** Converts times of the steady clock to dates. */
type Dates = Pick<WallClock, 'at'>

export async function addDirector(
  to: Families,
  sources: Sources,
  tallies: Tallies,
  reconcile: ReconcileSnapshot,
  dates: Dates,
): Promise<void> {
  const { version, kernel } = sources
  to.lvsd_build_info.push(sample(1, { version, kernel }))
  to.lvsd_isolated.push(sample(Number(sources.isIsolated())))
  const cluster = sources.cluster()
  to.lvsd_active.push(sample(Number(cluster?.role.role !== 'standby')))
  const connectivity = cluster?.connectivity
  if (connectivity) {
    to.lvsd_connectivity_lost.push(sample(Number(connectivity.lost !== null)))
    to.lvsd_connectivity_in_doubt.push(sample(Number(connectivity.isInDoubt)))
    for (const [address, answers] of connectivity.answering)
      to.lvsd_connectivity_ping_failing.push(sample(Number(answers === false), { address }))
  }
  to.lvsd_role_source_failing.push(sample(Number((cluster?.trouble ?? null) !== null)))
  if (cluster?.sync) {
    to.lvsd_sync_failing.push(sample(Number(cluster.sync.trouble !== null)))
    for (const { state, interface: link, id } of cluster.sync.daemons)
      to.lvsd_sync_daemon.push(sample(1, { state, interface: link, syncid: String(id) }))
  }
  if (cluster?.redis)
    to.lvsd_directors.push(sample(cluster.directors.filter(({ goneAt }) => goneAt === null).length))
  if (cluster?.verdicts) {
    to.lvsd_checks_shared.push(sample(cluster.verdicts.asked, { by: 'self' }))
    to.lvsd_checks_shared.push(sample(cluster.verdicts.heard, { by: 'others' }))
    to.lvsd_checks_disputed.push(sample(cluster.verdicts.disputed))
    for (const [director, { verdicts, oldest }] of sharesByHost(cluster.verdicts)) {
      to.lvsd_director_verdicts.push(sample(verdicts, { director }))
      if (oldest !== null) to.lvsd_director_verdict_age_seconds.push(sample(oldest / 1000, { director }))
    }
  }
  for (const [director, differs] of differingHosts(cluster))
    to.lvsd_director_differs.push(sample(Number(differs), { director }))
  if (cluster?.redis) to.lvsd_redis_connected.push(sample(Number(cluster.redis.state === 'connected')))
  for (const [event, count] of tallies.events) to.lvsd_events_total.push(sample(count, { event }))
  to.lvsd_state_files_failing.push(sample(tallies.failingFiles.size))
  to.lvsd_names_failing.push(sample(sources.failingNames()))
  addAlerts(to, sources)
  addConfig(to, sources, tallies, dates)
  addSchedule(to, sources)
  addHints(to, sources)
  addReconcile(to, reconcile, tallies, dates)
  for (const [kind, outcomes] of tallies.runs)
    for (const result of OUTCOMES) to.lvsd_check_runs_total.push(sample(outcomes[result], { kind, result }))
  to.lvsd_check_duration_seconds.push(...tallies.runDurations.samples())
  to.lvsd_schedule_delay_seconds.push(...tallies.delays.samples())
  to.lvsd_reconcile_duration_seconds.push(...tallies.rounds.samples())
  await addProcess(to)
}

function addAlerts(to: Families, sources: Sources): void {
  const alerts = sources.alerts()
  if (!alerts) return
  to.lvsd_alerts_firing.push(sample(alerts.firing))
  for (const { destination, sent, failures, lost, waiting, isFailing } of alerts.destinations) {
    for (const [outcome, count] of Object.entries({ accepted: sent, failed: failures, lost }))
      to.lvsd_alert_messages_total.push(sample(count, { destination, outcome }))
    to.lvsd_alert_messages_waiting.push(sample(waiting, { destination }))
    to.lvsd_alert_destination_failing.push(sample(Number(isFailing), { destination }))
  }
}

function addConfig(to: Families, sources: Sources, { events }: Tallies, dates: Dates): void {
  const { last, loadedAt, keptSince } = sources.reload()
  to.lvsd_config_last_reload_successful.push(sample(Number(last?.ok ?? true)))
  to.lvsd_config_last_reload_success_timestamp_seconds.push(sample(dates.at(loadedAt) / 1000))
  to.lvsd_config_kept.push(sample(Number(keptSince !== null)))
  to.lvsd_config_hash.push(sample(hashOf(sources.loaded())))
  for (const outcome of ['accepted', 'refused'] as const)
    to.lvsd_config_reloads_total.push(sample(events.get(`reload.${outcome}`) ?? 0, { outcome }))
}

function addSchedule(to: Families, sources: Sources): void {
  const { jobs, running, waiting, stalls, stalledFor } = sources.schedule()
  to.lvsd_schedule_jobs.push(sample(jobs))
  to.lvsd_schedule_running.push(sample(running))
  to.lvsd_schedule_overdue.push(sample(waiting))
  to.lvsd_schedule_stalls_total.push(sample(stalls))
  to.lvsd_schedule_stalled_seconds_total.push(sample(stalledFor / 1000))
}

function addHints(to: Families, sources: Sources): void {
  const { given, broughtForward, dropped, sentinels, knocking } = sources.hints()
  for (const [kind, count] of Object.entries(given)) to.lvsd_hints_total.push(sample(count, { kind }))
  to.lvsd_checks_brought_forward_total.push(sample(broughtForward))
  to.lvsd_hints_dropped_total.push(sample(dropped))
  for (const [state, count] of Object.entries(sentinels)) to.lvsd_sentinels.push(sample(count, { state }))
  to.lvsd_servers_knocked.push(sample(knocking))
}

function addReconcile(
  to: Families,
  { driftRepaired, disputes, errors, lastResync, reading, readingCost }: ReconcileSnapshot,
  { changes }: Tallies,
  dates: Dates,
): void {
  for (const [op, count] of Object.entries(changes))
    to.lvsd_reconcile_changes_total.push(sample(count, { op }))
  to.lvsd_reconcile_drift_total.push(sample(driftRepaired))
  to.lvsd_reconcile_disputes.push(sample(disputes.length))
  to.lvsd_kernel_errors.push(sample(errors.length))
  if (reading) to.lvsd_reconcile_read_interval_seconds.push(sample(reading.interval / 1000))
  to.lvsd_reconcile_read_seconds_total.push(sample(readingCost / 1000))
  if (lastResync !== null)
    to.lvsd_reconcile_last_resync_timestamp_seconds.push(sample(dates.at(lastResync) / 1000))
}

/** The other directors by their hosts: several of one host, for trials, have one sample. */
function differingHosts(cluster: ReturnType<Sources['cluster']>): ReadonlyMap<string, boolean> {
  const hosts = new Map<string, boolean>()
  for (const { host, isSelf, differs, goneAt } of cluster?.directors ?? [])
    if (!isSelf && goneAt === null) hosts.set(host, differs !== null || hosts.get(host) === true)
  return hosts
}

type Figures = Pick<Share, 'verdicts' | 'oldest'>

/** What the directors say by their hosts: several of one host, for trials, have one sample. */
function sharesByHost({ shares }: SharingSnapshot): ReadonlyMap<string, Figures> {
  const hosts = new Map<string, Figures>()
  for (const { host, verdicts, oldest } of shares) {
    const before = hosts.get(host)
    const ages = [before?.oldest ?? null, oldest].filter(age => age !== null)
    const age = ages.length === 0 ? null : Math.max(...ages)
    hosts.set(host, { verdicts: (before?.verdicts ?? 0) + verdicts, oldest: age })
  }
  return hosts
}

const hashes = new WeakMap<object, number>()

/** Returns 48 bits of a hash, which a floating-point number holds exactly. */
function hashOf(loaded: ReturnType<Sources['loaded']>): number {
  const known = hashes.get(loaded)
  if (known !== undefined) return known
  const { text, included = [] } = loaded
  const texts = JSON.stringify([text, ...included.map(each => each.text)])
  const hash = createHash('sha256').update(texts).digest().readUIntBE(0, 6)
  hashes.set(loaded, hash)
  return hash
}
