import assert from 'node:assert/strict'
import { directorTroubles } from '../../../src/web/director-troubles.js'

type Overview = Parameters<typeof directorTroubles>[0]

const now = '2026-01-01T00:10:00.000Z'
const since = '2026-01-01T00:05:00.000Z'
const well = {
  now,
  config: { keptSince: null },
  lastReload: null,
  reconcile: { errors: [], disputes: [] },
  schedule: { lateness: { p99: 2 } },
  alerts: null,
  isolation: null,
}
const texts = (changed: object) =>
  directorTroubles({ ...well, ...changed } as unknown as Overview).map(({ text }) => text)

describe('the troubles of the director', () => {
  it('are none if all is well', () => assert.deepEqual(texts({}), []))

  const cases: [string, object, string][] = [
    [
      'a refused reload, once',
      {
        lastReload: { ok: false, at: since, message: 'site.yaml has 1 error' },
        config: { keptSince: since },
      },
      'A reload was refused 5 min ago: site.yaml has 1 error.',
    ],
    [
      'a state folder that cannot be written',
      {
        config: { keptSince: null, unkept: { folder: '/var/lib/lvsd', error: 'EACCES: permission denied' } },
      },
      'The state folder /var/lib/lvsd cannot be written (EACCES: permission denied): a later start with a broken file would fail.',
    ],
    [
      'a file that the start refused',
      {
        config: { keptSince: since },
        lastReload: { ok: false, at: since, message: '1 error in the file', isStart: true },
      },
      'The start refused the configuration file 5 min ago: 1 error in the file.',
    ],
    [
      'an invalid file at the start',
      { config: { keptSince: since } },
      'The configuration file is invalid: that of 5 min ago is in force.',
    ],
    [
      'a change that the kernel refuses',
      { reconcile: { errors: ['the kernel has no IPVS'], disputes: [] } },
      'The kernel has no IPVS.',
    ],
    [
      'another program',
      { reconcile: { errors: [], disputes: [{ service: 'tcp [::1]:80', name: 'web', changes: 9, since }] } },
      'Another program keeps changing web (tcp [::1]:80): 9 changes in 5 min.',
    ],
    [
      'another program, at a service without a name',
      { reconcile: { errors: [], disputes: [{ service: 'tcp [::1]:80', name: null, changes: 9, since }] } },
      'Another program keeps changing tcp [::1]:80: 9 changes in 5 min.',
    ],
    [
      'alerts that do not arrive',
      {
        alerts: {
          destinations: [
            { destination: 'chat', kind: 'webhook', isFailing: false },
            {
              ...{ destination: 'pager', kind: 'webhook', isFailing: true },
              ...{ lastError: 'connection refused', waiting: 3, lost: 1 },
            },
          ],
        },
      },
      'Alerts do not reach pager (webhook): connection refused; 3 messages wait, 1 is lost.',
    ],
    [
      'a Redis that is away',
      {
        cluster: {
          trouble: null,
          redis: { state: 'away', since, place: '[::1]:6379', detail: 'it does not answer in time' },
        },
      },
      'Redis at [::1]:6379 is away for 5 min: it does not answer in time.',
    ],
    [
      'a site without an active director',
      { cluster: { trouble: null, activeTrouble: 'no director is active' } },
      'No director is active.',
    ],
    ['late checks', { schedule: { lateness: { p99: 812.4 } } }, 'Checks start late: up to 812 ms (99 %).'],
    [
      'a lost network',
      { cluster: { trouble: null, connectivity: { lost: { since, detail: 'there is no interface eth0' } } } },
      'The network of this director is lost: there is no interface eth0. The table stays.',
    ],
    [
      'isolation',
      { isolation: { detail: 'no route' } },
      'lvsd is isolated: no route. Failed checks do not count.',
    ],
  ]
  for (const [name, changed, text] of cases)
    it(`name ${name}`, () => assert.deepEqual(texts(changed), [text]))
})
