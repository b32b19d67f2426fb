/** Mails over any history of results, maintenance and reloads: health store, table and mails as in the daemon, on a fake clock. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Check } from '../../../../src/check/check.js'
import type { MailPolicy } from '../../../../src/config/schema/model-keys.js'
import { applied, diff } from '../../../../src/core/diff.js'
import {
  keyOfService,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from '../../../../src/core/model.js'
import { desiredTable } from '../../../../src/health/desired-table.js'
import { HealthStore } from '../../../../src/health/health-store.js'
import { MailAlerts } from '../../../../src/notify/mail/mail-alerts.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { config, failed, heldBy, passed, real, service, serviceId, use } from '../../../support/tables.js'

const MINUTE = 60_000
const HOSTS = ['fd00::a', 'fd00::b'] as const
const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const MAIL: MailPolicy = {
  to: ['ops@example.com'],
  from: null,
  repeat: 10 * MINUTE,
  during: ['starting', 'running', 'reloading', 'stopping'],
  server: null,
}

const site = (quiescent: boolean): ResolvedService =>
  service('web', {
    id: serviceId('2001:db8::1'),
    mail: MAIL,
    quiescent,
    fallback: real('fd00::f'),
    reals: HOSTS.map(host => real(host, { checks: [use('ask')] })),
  })

/** The daemon's part: what it tells its observers, in its order. */
function director(quiescent: boolean) {
  const clock = new FakeClock()
  const healthStore = new HealthStore()
  const subjects: string[] = []
  const queue = {
    enqueue: ({ subject }: { subject: string }) => void subjects.push(subject),
    close: async () => {},
  }
  const observer = new MailAlerts({ clock, host: 'lab', queue, wallClock: () => 0 })
  const held = new Set<string>()
  let image: Table = new Map()
  let now = site(quiescent)
  const realOf = (host: string) => now.reals.find(each => each.host === host) as ResolvedReal
  const reconcile = () => {
    const wanted = desiredTable(healthStore, [now], image)
    const changes = diff(wanted, image, new Set([keyOfService(serviceId('2001:db8::1'))]))
    observer.applied?.(changes)
    image = applied(image, changes)
    // News of one moment go together, and so do more than ten a minute: each is looked at on its own here.
    clock.wind(20_000)
  }
  const hold = () => {
    const holds = new Map([...held].map(host => [realOf(host), heldBy(host)]))
    for (const each of healthStore.override(holds, 0)) observer.override?.(each)
  }
  const place = () => {
    now = site(quiescent)
    healthStore.applyConfig(config([now]), new Map([['ask', ask]]), 0)
    observer.config?.(config([now]))
    hold()
    reconcile()
  }
  observer.phase?.('starting')
  place()
  observer.phase?.('running')
  return {
    clock,
    subjects,
    held,
    isServing: (host: string) =>
      [...image.values()].some(({ reals }) => (reals.get(`[${host}]:80`)?.weight ?? 0) > 0),
    result(host: string, ok: boolean) {
      const [cell] = healthStore.checkStatesOf(realOf(host))
      const { transitions } = healthStore.result(cell?.subscriber.jobId ?? '', ok ? passed() : failed(), 0)
      for (const transition of transitions) observer.transition?.(transition)
      reconcile()
    },
    hold(host: string, isHeld: boolean) {
      if (isHeld) held.add(host)
      else held.delete(host)
      hold()
      reconcile()
    },
    reload() {
      observer.phase?.('reloading')
      place()
      observer.phase?.('running')
    },
  }
}

const host = fc.constantFrom(...HOSTS)
const anyEvent = fc.oneof(
  { weight: 5, arbitrary: fc.record({ host, ok: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ host, isHeld: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ reload: true }) },
  { weight: 1, arbitrary: fc.record({ minutes: fc.integer({ min: 1, max: 15 }) }) },
)

describe('mail-history: mails over any history', () => {
  it('end with the current state of each server, and repeat only servers that are down and not in maintenance', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(anyEvent, { maxLength: 25 }), (quiescent, events) => {
        const daemon = director(quiescent)
        const { clock, subjects, held } = daemon
        const found = new Map<string, boolean>()
        for (const event of events) {
          if ('ok' in event) {
            daemon.result(event.host, event.ok)
            found.set(event.host, event.ok)
          } else if ('isHeld' in event) daemon.hold(event.host, event.isHeld)
          else if ('reload' in event) daemon.reload()
          else clock.wind(event.minutes * MINUTE)
        }
        clock.wind(MINUTE)
        const news = subjects.splice(0)
        for (const each of HOSTS) {
          const last = news.filter(subject => subject.includes(`real server: [${each}]`)).at(-1) ?? 'nothing'
          const isUp = /^(Added|Restored)/.test(last)
          assert.equal(isUp, daemon.isServing(each), `${each}: ${last}`)
        }
        clock.wind(10 * MINUTE)
        const repeated = subjects
          .splice(0)
          .map(subject => /^Inaccessible real server: \[(.*?)\]/.exec(subject)?.[1])
        const down = HOSTS.filter(each => found.get(each) === false && !held.has(each))
        assert.deepEqual(repeated.sort(), down)
      }),
      { numRuns: 300 },
    )
  })
})
