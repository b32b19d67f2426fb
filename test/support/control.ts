/** A daemon as the control socket sees it, for tests of its clients. */
import { Readable } from 'node:stream'
import { buildOverview } from '../../src/api/build-overview.js'
import type { Control } from '../../src/api/control.js'
import { statusDocument } from './cli/documents.js'

const NOW = '2026-11-28T12:00:00.000Z'

type Part = Partial<Omit<Control, 'overrides'>> & { readonly overrides?: Partial<Control['overrides']> }

export function controlOf({ overrides, ...part }: Part = {}): Control {
  const outcome = { ok: true, message: '', ended: 0, isKept: true, reals: [] }
  return {
    status: async () => statusDocument(),
    directors: async () => ({
      schema: 1,
      now: NOW,
      site: null,
      redis: null,
      activeTrouble: null,
      directors: [],
      verdicts: null,
    }),
    isReady: () => true,
    reload: async () => ({ ok: true, at: '', message: '', problems: [] }),
    windows: () => ({ schema: 1, now: NOW, services: [], coming: [], ended: [] }),
    services: async name => statusDocument().services.filter(one => name === null || one.name === name),
    missing: () => null,
    results: async () => ({ reals: [] }),
    table: async () => ({ readAt: NOW, services: [] }),
    drift: async () => ({ readAt: NOW, add: 0, change: 0, remove: 0, changes: [], disputes: [], errors: [] }),
    plan: async (_, assume) => ({
      schema: 1,
      file: null,
      assume,
      add: 0,
      change: 0,
      remove: 0,
      changes: [],
      overrides: [],
      troubles: [],
    }),
    validate: async () => ({ ok: true, services: 0, reals: 0, checks: 0, problems: [] }),
    doctor: async () => ({ schema: 1, file: '', isRoot: false, findings: [] }),
    why: { targets: async () => [], explain: async () => 'there is no such service' },
    recheck: {
      now: async () => ({ trouble: null, reals: 0, checks: 0, spread: 0, within: 0, after: 0 }),
      results: async () => [],
    },
    connections: {
      read: async () => ({
        trouble: null,
        timeouts: { tcpFin: 120, udp: 300 },
        expiresQuiescentTemplates: false,
        services: [],
      }),
    },
    role: {
      read: () => ({ schema: 1, now: NOW, role: 'active', cluster: null }),
      notify: () => ({ outcome: 'not asked', role: 'active' }),
      health: () => ({ schema: 1, good: true, reason: 'this director can serve', role: 'active' }),
    },
    metrics: { text: async () => ({ contentType: 'text/plain', body: Buffer.from('') }) },
    overview: async () => buildOverview(statusDocument(), 'director'),
    listing: async () => null,
    tokens: { list: () => [], add: async () => null, revoke: async () => null },
    streamEvents: async () => Readable.from([]),
    siteEvents: async () => 'no Redis is configured',
    events: { wait: async () => ({ oldest: 0, newest: 0, hasMore: false, events: [] }) },
    ...part,
    overrides: {
      list: () => ({ overrides: [] }),
      give: async () => outcome,
      end: async () => outcome,
      endWindows: async () => outcome,
      ...overrides,
    },
  }
}
