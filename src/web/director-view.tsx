/** The director itself: what it runs, how well, and what doctor finds on its machine. */

import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Finding, OverviewDocument } from './api-types.js'
import type { RequestFailed } from './client.js'
import { usePage } from './context.js'
import { failingAlerts } from './director-troubles.js'
import { useStore } from './store.js'
import { agoText, counted, durationText, fullTime, nameAndKey, tableText } from './text.js'

export function DirectorView() {
  const { live } = usePage()
  const overview = useStore(live.overview)
  if (!overview) return <p class="empty">The director is being asked.</p>
  return (
    <>
      <h1>{overview.host}</h1>
      <Facts overview={overview} />
      <Doctor />
    </>
  )
}

function Facts({ overview }: { overview: OverviewDocument }) {
  const { version, startedAt, kernel, config, lastReload, reconcile, schedule, isolation } = overview
  const { alerts, cluster } = overview
  const lost = cluster?.connectivity?.lost
  const now = Date.parse(overview.now)
  const { lateness } = schedule
  return (
    <dl class="facts">
      <dt>lvsd</dt>
      <dd>
        {version}, runs for {agoText(startedAt, now)}
      </dd>
      <dt>Table</dt>
      <dd>{tableText(kernel)}</dd>
      <dt>Configuration</dt>
      <dd>
        {config.file}, loaded {fullTime(config.loadedAt)}
        {config.keptSince !== null && (
          <Alarm>The file is invalid: the configuration of {fullTime(config.keptSince)} is in force.</Alarm>
        )}
        {config.waits && (
          <Alarm>
            A changed configuration ({config.waits.files}) waits until {fullTime(config.waits.until)}: it has
            fewer real servers or lines, and may be incomplete.
          </Alarm>
        )}
        {config.fromNextStart.length > 0 && (
          <Alarm>From the next start of lvsd: {config.fromNextStart.join(', ')}</Alarm>
        )}
        {config.warnings.length > 0 && ` (${problemCounts(config.warnings)})`}
      </dd>
      <dt>Last reload</dt>
      <dd>
        {lastReload === null ? (
          'none'
        ) : lastReload.ok ? (
          `${fullTime(lastReload.at)}: ${lastReload.message}`
        ) : (
          <Alarm>
            {fullTime(lastReload.at)}
            {lastReload.isStart && ', at the start'}: {lastReload.message}
          </Alarm>
        )}
      </dd>
      <dt>Network</dt>
      <dd>
        {lost ? (
          <Alarm>lost: {lost.detail}</Alarm>
        ) : isolation ? (
          <Alarm>isolated: {isolation.detail}</Alarm>
        ) : (
          'connected'
        )}
      </dd>
      {cluster && (
        <>
          <dt>Role</dt>
          <dd>
            {cluster.role} in the site {cluster.site} since {fullTime(cluster.since)}: {cluster.reason}
            {TABLE_NOTES[cluster.table]}
            {cluster.trouble !== null && <Alarm>{cluster.trouble}</Alarm>}
          </dd>
          {cluster.sync && (
            <>
              <dt>Sync daemon</dt>
              <dd>
                {cluster.sync.daemons
                  .map(({ state, interface: link, id }) => `${state} on ${link}, syncid ${id}`)
                  .join('; ') || 'none'}
                {cluster.sync.trouble !== null && <Alarm>{cluster.sync.trouble}</Alarm>}
              </dd>
            </>
          )}
          {cluster.redis && (
            <>
              <dt>Redis</dt>
              <dd>
                {cluster.redis.version} at {cluster.redis.place}, {cluster.redis.state} since{' '}
                {fullTime(cluster.redis.since)}
                {cluster.redis.detail !== null && <Alarm>{cluster.redis.detail}</Alarm>}
              </dd>
            </>
          )}
        </>
      )}
      <dt>Checks</dt>
      <dd>
        {schedule.jobs}, {schedule.running} in progress, engine {schedule.engine}; starts are late by{' '}
        {lateness.p50} ms (median) and {lateness.p99} ms (99 %)
        {schedule.stalls > 0 && `; lvsd was held up ${durationText(schedule.stalledFor)} in all`}
      </dd>
      <dt>Reconciliation</dt>
      <dd>
        {counted(reconcile.changesApplied, 'change')} applied, {reconcile.driftRepaired} of other programs
        reverted
        {reconcile.lastResync !== null && `; the table was read ${agoText(reconcile.lastResync, now)} ago`}
        {reconcile.errors.map(error => (
          <Alarm key={error}>{error}</Alarm>
        ))}
        {reconcile.disputes.map(({ service, name, changes, since }) => (
          <Alarm key={service}>
            Another program keeps changing {nameAndKey(name, service)}: {changes} changes since{' '}
            {fullTime(since)}
          </Alarm>
        ))}
      </dd>
      <dt>Alerts</dt>
      <dd>
        {alerts === null ? 'no receiver is configured' : `${counted(alerts.firing, 'alert')} firing`}
        {alerts?.destinations.map(each => (
          <Destination key={each.destination} destination={each} now={now} />
        ))}
      </dd>
    </dl>
  )
}

type AlertDestination = NonNullable<OverviewDocument['alerts']>['destinations'][number]

function Destination({ destination: each, now }: { destination: AlertDestination; now: number }) {
  const { destination, kind, sent, lost, waiting, lastSentAt, isFailing } = each
  if (isFailing) return <Alarm>{failingAlerts(each)}</Alarm>
  return (
    <p>
      {destination} ({kind}): {counted(sent, 'message')} accepted
      {lastSentAt !== null && `, the last one ${agoText(lastSentAt, now)} ago`}
      {waiting > 0 && `, ${waiting} waiting`}
      {lost > 0 && `, ${lost} lost`}
    </p>
  )
}

function Alarm({ children }: { children: ComponentChildren }) {
  return <p class="note alarm">{children}</p>
}

function Doctor() {
  const { client } = usePage()
  const [findings, setFindings] = useState<readonly Finding[] | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const examine = () => {
    setFindings(null)
    setFailed(null)
    client.get<{ findings: readonly Finding[] }>('v1/doctor').then(
      ({ findings }) => setFindings(findings),
      (error: RequestFailed) => setFailed(error.message),
    )
  }
  useEffect(examine, [])
  const shown = findings?.filter(({ severity }) => severity !== 'ok') ?? []
  return (
    <section>
      <h2>Doctor</h2>
      <div class="actions">
        <button type="button" onClick={examine}>
          Examine again
        </button>
      </div>
      {failed && <p class="note alarm">{failed}</p>}
      {findings === null && !failed && <p class="empty">The machine is being examined.</p>}
      {findings && (
        <p>
          {counted(findings.length, 'finding')}: {shown.length} to read, {findings.length - shown.length} in
          order.
        </p>
      )}
      <ul class="findings">
        {shown.map(finding => (
          <li key={finding.id} class={`card ${finding.severity.replace(' ', '-')}`}>
            <h3>
              <span class={`level ${finding.severity.replace(' ', '-')}`}>{finding.severity}</span>{' '}
              {finding.title}
            </h3>
            {finding.text && <p>{finding.text}</p>}
            {finding.commands.length > 0 && <pre>{finding.commands.join('\n')}</pre>}
          </li>
        ))}
      </ul>
    </section>
  )
}

const TABLE_NOTES = {
  reconcile: '',
  keep: '; the table is not changed',
  empty: '; the services of lvsd are not in the table',
}

/** `1 warning, 2 notes`. */
function problemCounts(problems: OverviewDocument['config']['warnings']): string {
  return (['warning', 'note'] as const)
    .map(severity => [severity, problems.filter(problem => problem.severity === severity).length] as const)
    .flatMap(([severity, count]) => (count > 0 ? [counted(count, severity)] : []))
    .join(', ')
}
