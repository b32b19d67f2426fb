/** Fixed status documents. */
import { hintsStatusOf } from '../../../src/api/build-hints.js'
import type { CheckStatus, RealStatus, ServiceStatus, StatusDocument } from '../../../src/api/status-types.js'
import { NO_HINTS } from '../../../src/hints/snapshot.js'
import { POLICY } from '../tables.js'

export const NOW = Date.parse('2026-11-22T12:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

export function checkStatus(change: Partial<CheckStatus> = {}): CheckStatus {
  return {
    name: 'web/[2001:db8:1::11]:80/http',
    kind: 'http',
    target: '[2001:db8:1::11]:80',
    state: 'up',
    streak: 0,
    since: ago(192),
    policy: POLICY,
    last: { ok: true, reason: null, detail: '200 OK', phase: 'body', ms: 1.23, phases: [] },
    lastAt: ago(1),
    noVerdict: null,
    source: null,
    ...change,
  }
}

export function realStatus(change: Partial<RealStatus> = {}): RealStatus {
  return {
    name: '[2001:db8:1::11]:80',
    remembered: null,
    passing: 1,
    need: 1,
    override: null,
    slowStart: null,
    damping: null,
    down: null,
    host: '2001:db8:1::11',
    address: '[2001:db8:1::11]',
    nameTrouble: null,
    port: 80,
    forwarding: 'masq',
    state: 'up',
    since: ago(192),
    weight: { configured: 10, wanted: 10, kernel: 10 },
    reason: '200 OK',
    checkReason: '200 OK',
    checks: [checkStatus()],
    counters: { ...COUNTERS, active: 3, inactive: 14, persistent: 0 },
    ...change,
  }
}

const COUNTERS = {
  connections: 4711,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
  connectionRate: 0,
  inPacketRate: 0,
  outPacketRate: 0,
  inByteRate: 0,
  outByteRate: 0,
}

export function serviceStatus(change: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name: 'web',
    key: 'tcp [2001:db8::80]:80',
    scheduler: 'wlc',
    nameTrouble: null,
    quiescent: false,
    onDown: null,
    panic: null,
    endedWindows: [],
    inKernel: true,
    state: 'up',
    since: ago(192),
    totals: { up: 1, down: 1, unknown: 0, noVerdict: 0 },
    counters: COUNTERS,
    reals: [realStatus(), DOWN],
    fallback: null,
    ...change,
  }
}

/** A real server that refuses, still in the kernel. */
export const DOWN = realStatus({
  name: '[2001:db8:1::12]:80',
  passing: 0,
  host: '2001:db8:1::12',
  address: '[2001:db8:1::12]',
  state: 'down',
  since: ago(4),
  weight: { configured: 10, wanted: null, kernel: 10 },
  reason: 'refused: nobody listens on [2001:db8:1::12]:80',
  checks: [
    checkStatus({
      state: 'down',
      last: { ok: false, reason: 'refused', detail: 'nobody listens', phase: 'connect', ms: 0.4, phases: [] },
    }),
  ],
})

export function statusDocument(change: Partial<StatusDocument> = {}): StatusDocument {
  return {
    schema: 2,
    now: ago(0),
    version: '0.1.0',
    pid: 4242,
    startedAt: ago(7500),
    kernel: 'netlink',
    config: {
      file: '/etc/lvsd/lvsd.yaml',
      loadedAt: ago(7500),
      warnings: [],
      keptSince: null,
      fromNextStart: [],
    },
    lastReload: null,
    reconcile: {
      lastResync: ago(4),
      countersAt: ago(0),
      readEvery: 1000,
      servicesEvery: 1000,
      readCost: 2.5,
      changesApplied: 3,
      driftRepaired: 0,
      disputes: [],
      errors: [],
    },
    isolation: null,
    cluster: null,
    schedule: {
      engine: 'native',
      jobs: 2,
      running: 0,
      lateness: { p50: 0.4, p99: 2, max: 9 },
      stalls: 0,
      stalledFor: 0,
      sinceStall: null,
      noVerdicts: 0,
    },
    hints: hintsStatusOf(NO_HINTS),
    alerts: null,
    sysctls: [],
    totals: { up: 1, down: 1, unknown: 0, noVerdict: 0 },
    services: [serviceStatus()],
    ...change,
  }
}
