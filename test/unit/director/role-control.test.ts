import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import type { CheckResult, Table } from '../../../src/core/model.js'
import { UNJUDGED_AFTER } from '../../../src/core/unserved.js'
import { type RoleControlParts, roleControl } from '../../../src/director/role-control.js'
import { HealthTracker } from '../../../src/health/health-tracker.js'
import { WallClock } from '../../../src/util/clock.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import {
  config,
  failed,
  passed,
  real,
  service,
  serviceId,
  table,
  tableReal,
  tableService,
  use,
} from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const UNASKED: CheckResult = { ...failed(), ok: null, reason: null, detail: 'no descriptor is left' }
const A = 'fd00:1::a'

/** What `lvsd health web` asks, with a real server whose check says what the test says. */
function stage() {
  const site = config([service('web', { reals: [real(A, { checks: [use('ask')] })] })])
  const { log } = recordingLog()
  const clock = { now: 0 }
  const health = new HealthTracker({
    log,
    events: { emit: () => {}, hears: () => false },
    table: () => kernel.table,
    onDirty: () => {},
    recheck: () => {},
    now: () => clock.now,
  })
  onCleanup(() => health.close())
  const [id = ''] = health.applyConfig(site, new Map([['ask', ask]]), new Map()).added.map(job => job.id)
  health.availability.follow(site.services)
  const kernel = { table: new Map() as Table | null }
  const cluster = { role: 'active', checks: 'on', table: 'reconcile', connectivity: { current: null } }
  const control = roleControl({
    cluster: cluster as unknown as RoleControlParts['cluster'],
    health,
    applier: { config: site },
    reconciler: kernel,
    isReady: () => true,
    dates: new WallClock(),
    log,
  })
  const found = (result: CheckResult, at = clock.now) => {
    clock.now = at
    health.result(id, result)
    health.availability.follow(site.services)
  }
  const reason = () => {
    const answer = control.health(['web'])
    assert.ok(typeof answer === 'object')
    return answer.good ? 'good' : answer.reason
  }
  return { found, reason, kernel, cluster }
}

const REFUSED = 'web has no available real server (its checks have no verdict, and none is in the table)'
const holding = (weight: number) => table(tableService(serviceId('2001:db8::80'), [tableReal(A, { weight })]))

describe('role control: the health of a service', () => {
  it('is good until its checks have had no verdict for ten seconds, and again with a pass', () => {
    const { found, reason } = stage()
    assert.equal(reason(), 'good')
    for (const at of [0, 1000, 2000, UNJUDGED_AFTER - 1]) {
      found(UNASKED, at)
      assert.equal(reason(), 'good', `${at}`)
    }
    found(UNASKED, UNJUDGED_AFTER)
    assert.equal(reason(), REFUSED)
    found(passed())
    assert.equal(reason(), 'good')
  })

  it('is good while the kernel has a server with a weight, whoever has put it there', () => {
    const { found, reason, kernel } = stage()
    for (const at of [0, 1000, UNJUDGED_AFTER]) found(UNASKED, at)
    const seen = [holding(1), holding(0), holding(5), new Map(), null].map(held => {
      kernel.table = held
      return reason()
    })
    assert.deepEqual(seen, ['good', REFUSED, 'good', REFUSED, 'good'])
  })

  it('is good where this director does not write the table, or does not check', () => {
    const { found, reason, cluster } = stage()
    for (const at of [0, 1000, UNJUDGED_AFTER]) found(UNASKED, at)
    const seen = [
      { role: 'standby', checks: 'on', table: 'reconcile' },
      { role: 'standby', checks: 'on', table: 'keep' },
      { role: 'standby', checks: 'on', table: 'empty' },
      { role: 'active', checks: 'off', table: 'keep' },
      { role: 'standby', checks: 'off', table: 'reconcile' },
      { role: 'active', checks: 'off', table: 'reconcile' },
    ].map(parts => {
      Object.assign(cluster, parts)
      return reason()
    })
    assert.deepEqual(seen, [REFUSED, 'good', 'good', 'good', 'good', REFUSED])
  })
})
