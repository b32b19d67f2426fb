/** What a scrape of a running director says: the names, the values, the limit, both formats. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { Runnable } from '../../../src/accepted/accepted.js'
import { loadConfig } from '../../../src/config/load.js'
import { METRICS, type MetricName } from '../../../src/core/metrics.js'
import { startDaemon } from '../../../src/director/daemon.js'
import type { DaemonParts } from '../../../src/director/daemon-types.js'
import { memoryKernel } from '../../../src/ipvs/memory.js'
import { memoryJournal } from '../../../src/storage/journal.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { samplesOf } from '../../support/metrics.js'
import { until } from '../../support/until.js'

const SITE = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: 'on', interval: 1s }
    fallback: '[2001:db8::f]:80'
    reals:
      - '[2001:db8::1]:80 masq 3'
      - { address: '[2001:db8::2]:80', check: { kind: 'off', interval: 1s } }
  "odd\\"name":
    fwmark: 7
    family: ipv6
    check: { kind: 'off', interval: 1s }
    reals: ['[2001:db8::3]:80 masq']
`

async function start(text = SITE, alerts?: DaemonParts['alerts']) {
  const folder = temporaryFolder()
  const load = async (site: string) =>
    (await loadConfig(join(folder, 'site.yaml'), { text: site })) as Runnable
  const next = { site: text }
  const { log, lines } = recordingLog('info')
  const loaded = await load(text)
  assert.deepEqual(
    loaded.problems.filter(({ severity }) => severity === 'error'),
    [],
  )
  const settings = { ...loaded.config.settings, socket: join(folder, 'lvsd.sock') }
  const daemon = await startDaemon({
    loaded: { ...loaded, config: { ...loaded.config, settings } },
    kernel: memoryKernel(),
    kernelName: 'memory',
    journal: memoryJournal(),
    log,
    notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
    load: () => load(next.site),
    ...(alerts && { alerts }),
  })
  onCleanup(() => daemon.stop())
  const isJudged = async () => {
    const { totals, services } = await daemon.status()
    return totals.unknown === 0 && services.every(({ state }) => state !== 'unknown')
  }
  await until(isJudged, { what: 'all are judged' })
  await daemon.idle()
  const scrape = async () => samplesOf((await daemon.metrics.text(undefined)).body.toString())
  /** An answer is kept for a while for others who ask. */
  const scrapeUntil = async (name: string, key: string, wanted: number) => {
    let found = await scrape()
    const isFound = async () => {
      found = await scrape()
      return found.value(name, key) === wanted
    }
    await until(isFound, { what: () => `${name}{${key}} ${wanted}, not ${found.value(name, key)}` })
    return found
  }
  return { daemon, scrape, scrapeUntil, lines, next }
}

const ALERT = { receiver: 'am', kind: 'alertmanager', lastSentAt: null, lastError: null } as const
const COUNTS = { sent: 7, failures: 3, lost: 1, waiting: 2, isFailing: true }
const ALERTS: DaemonParts['alerts'] = {
  status: () => ({ firing: 4, destinations: [{ ...ALERT, ...COUNTS, destination: 'am http://am:9093' }] }),
}

const web1 = 'service="web",real="[2001:db8::1]:80"'
const web2 = 'service="web",real="[2001:db8::2]:80"'

describe('the metrics', () => {
  it('say how services and real servers are', async () => {
    const { scrape } = await start()
    const { value } = await scrape()
    assert.equal(value('lvsd_service_up', 'service="web"'), 1)
    assert.equal(value('lvsd_service_up', 'service="odd\\"name"'), 0)
    assert.equal(value('lvsd_real_up', web1), 1)
    assert.equal(value('lvsd_real_up', web2), 0)
    assert.equal(value('lvsd_real_state', `state="down",${web2}`), 1)
    assert.equal(value('lvsd_real_state', `state="up",${web2}`), undefined)
    assert.equal(value('lvsd_real_configured_weight', web1), 3)
    assert.equal(value('lvsd_real_wanted_weight', web1), 3)
    assert.equal(value('lvsd_real_kernel_weight', web1), 3)
    assert.equal(value('lvsd_real_kernel_weight', web2), undefined)
    assert.equal(value('lvsd_service_reals', 'state="down",service="web"'), 1)
    assert.equal(value('lvsd_service_configured_weight', 'service="web"'), 4)
    assert.equal(value('lvsd_service_kernel_weight', 'service="web"'), 3)
    assert.equal(value('lvsd_service_fallback_active', 'service="web"'), 0)
    assert.equal(value('lvsd_service_fallback_active', 'service="odd\\"name"'), undefined)
    assert.equal(
      value('lvsd_service_info', 'virtual="fwmark 7 ipv6",scheduler="wlc",service="odd\\"name"'),
      1,
    )
    assert.equal(value('lvsd_real_connections_total', web1), 0)
    assert.equal(value('lvsd_real_current_connections', `state="active",${web1}`), 0)
    assert.equal(value('lvsd_metrics_reals_left_out', ''), 0)
  })

  it('say what becomes of alerts', async () => {
    const { scrape } = await start(SITE, ALERTS)
    const { value } = await scrape()
    const to = 'destination="am http://am:9093"'
    assert.equal(value('lvsd_alerts_firing', ''), 4)
    assert.equal(value('lvsd_alert_messages_total', `${to},outcome="accepted"`), 7)
    assert.equal(value('lvsd_alert_messages_total', `${to},outcome="failed"`), 3)
    assert.equal(value('lvsd_alert_messages_total', `${to},outcome="lost"`), 1)
    assert.equal(value('lvsd_alert_messages_waiting', to), 2)
    assert.equal(value('lvsd_alert_destination_failing', to), 1)
  })

  it('count results, transitions, changes and events', async () => {
    const { scrape } = await start()
    const { value } = await scrape()
    assert.equal(value('lvsd_real_transitions_total', web1), 1)
    assert.equal(value('lvsd_service_transitions_total', 'to="down",service="web"'), 1)
    assert.ok((value('lvsd_check_runs_total', 'kind="on",result="passed"') ?? 0) >= 1)
    assert.ok((value('lvsd_check_duration_seconds_count', 'kind="off"') ?? 0) >= 2)
    assert.ok((value('lvsd_service_check_results_total', 'result="failed",service="web"') ?? 0) >= 1)
    assert.equal(value('lvsd_reconcile_changes_total', 'op="add-service"'), 2)
    assert.equal(value('lvsd_events_total', 'event="service.refused"'), 1)
    assert.equal(value('lvsd_events_total', 'event="service.panic"'), 0)
    assert.ok((value('lvsd_reconcile_duration_seconds_count', 'scope="whole"') ?? 0) >= 1)
  })

  it('show the overrides, their beginnings and their ends', async () => {
    const { daemon, scrape } = await start()
    const target = { service: 'web', real: '[2001:db8::1]:80' }
    await daemon.overrides.give(
      { targets: [target], effect: { kind: 'drain' }, reason: 'disk', until: Date.now() + 600_000 },
      'anna',
    )
    await daemon.idle()
    const { value } = await scrape()
    const labels = `effect="drain",source="command",${web1}`
    assert.equal(value('lvsd_overrides', 'effect="drain",source="command"'), 1)
    assert.equal(value('lvsd_overrides', 'effect="disable",source="window"'), 0)
    assert.equal(value('lvsd_real_override', labels), 1)
    assert.equal(value('lvsd_service_overrides', 'service="web"'), 1)
    const [begun = 0, ends = 0] = ['start', 'end'].map(edge =>
      value(`lvsd_real_override_${edge}_timestamp_seconds`, labels),
    )
    assert.ok(Math.abs(Date.now() / 1000 - begun) < 30, String(begun))
    assert.ok(Math.abs(ends - begun - 600) < 5, String(ends))
    assert.equal(value('lvsd_real_wanted_weight', web1), 0)
  })

  it('have the connections of a server whose service has got another address', async () => {
    const { daemon, scrape, scrapeUntil, next } = await start()
    const { value } = await scrape()
    assert.equal(value('lvsd_real_connections_total', web1), 0)
    next.site = SITE.replace(']:80', ']:81')
    await daemon.reload(true)
    await daemon.idle()
    const info = 'virtual="tcp [2001:db8::80]:81",scheduler="wlc",service="web"'
    const after = await scrapeUntil('lvsd_service_info', info, 1)
    assert.equal(after.value('lvsd_real_connections_total', web1), 0)
  })

  it('tell of a reload that is refused, and of the configuration', async () => {
    const { daemon, scrape, scrapeUntil, next } = await start()
    const before = await scrape()
    next.site = SITE.replace('masq 3', 'masq -3')
    await daemon.reload(false)
    const refused = await scrapeUntil('lvsd_config_last_reload_successful', '', 0)
    assert.equal(refused.value('lvsd_config_last_reload_successful', ''), 0)
    assert.equal(refused.value('lvsd_config_reloads_total', 'outcome="refused"'), 1)
    assert.equal(refused.value('lvsd_config_hash', ''), before.value('lvsd_config_hash', ''))
    next.site = SITE.replace('masq 3', 'masq 4')
    await daemon.reload(false)
    const accepted = await scrapeUntil('lvsd_config_last_reload_successful', '', 1)
    assert.notEqual(accepted.value('lvsd_config_hash', ''), before.value('lvsd_config_hash', ''))
  })

  it('tell that Redis is away, as the status does, and lvsd stops nevertheless', async () => {
    const { daemon, scrape, lines } = await start(`cluster: { redis: 'redis://[::1]:1' }\n${SITE}`)
    await until(() => lines.some(({ event }) => event === 'redis.away'))
    assert.equal((await scrape()).value('lvsd_redis_connected', ''), 0)
    const { cluster } = await daemon.status()
    assert.equal(cluster?.redis?.reason, 'refused')
    assert.equal(cluster?.redis?.place, '[::1]:1')
  })

  it('leave out real servers beyond the limit, with one line in the log', async () => {
    const { scrape, lines } = await start(`settings: { metrics-reals: 1 }\n${SITE}`)
    for (let i = 0; i < 2; i++) {
      const { value, samples } = await scrape()
      assert.equal(value('lvsd_metrics_reals_left_out', ''), 2)
      assert.equal(samples.filter(({ name }) => name === 'lvsd_real_up').length, 1)
      assert.equal(value('lvsd_service_reals', 'state="down",service="web"'), 1)
    }
    assert.equal(lines.filter(({ event }) => event === 'metrics.limited').length, 1)
  })

  it('have the names, types and labels that are described, and each has a sample or is rare', async () => {
    const { daemon, scrape } = await start(
      `cluster: { observers: 2, redis: 'redis://[::1]:1' }\n${SITE}`,
      ALERTS,
    )
    const { samples, types } = await scrape()
    for (const [name, type] of types) assert.equal(METRICS[name as MetricName]?.type, type, name)
    for (const { base, labels } of samples) {
      const { labels: described, type } = METRICS[base as MetricName]
      const own = Object.keys(labels).filter(label => !(label === 'le' && type === 'histogram'))
      assert.deepEqual(own.sort(), [...described].sort(), base)
    }
    const missing = (Object.keys(METRICS) as MetricName[]).filter(name => !types.has(name))
    assert.deepEqual(
      missing.filter(
        name =>
          !/^lvsd_(real_(override|condition)|service_address|director_differs|connectivity_|sync_)/.test(
            name,
          ),
      ),
      [],
    )
    assert.ok(daemon)
  })

  it('are the same in OpenMetrics, which is asked for by Accept', async () => {
    const { daemon } = await start()
    const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
    const [plain, open] = await Promise.all([daemon.metrics.text('*/*'), daemon.metrics.text(accept)])
    assert.match(plain.contentType, /^text\/plain; version=0\.0\.4/)
    assert.match(open.contentType, /^application\/openmetrics-text; version=1\.0\.0/)
    assert.match(String(open.body), /\n# EOF\n$/)
    assert.match(String(open.body), /^# TYPE lvsd_reconcile_drift counter\nlvsd_reconcile_drift_total 0$/m)
    assert.match(
      String(plain.body),
      /^# TYPE lvsd_reconcile_drift_total counter\nlvsd_reconcile_drift_total 0$/m,
    )
    const names = (text: string) => new Set(samplesOf(text).samples.map(({ name }) => name))
    assert.deepEqual(names(String(open.body)), names(String(plain.body)))
  })

  it('are read once for all who ask at the same time', async () => {
    const { daemon } = await start()
    const answers = await Promise.all(Array.from({ length: 50 }, () => daemon.metrics.text(undefined)))
    assert.equal(new Set(answers).size, 1)
  })
})
