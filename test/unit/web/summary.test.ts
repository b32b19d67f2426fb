import assert from 'node:assert/strict'
import type { ServiceOverview } from '../../../src/api/overview-types.js'
import { summaryOf } from '../../../src/web/summary.js'

const service = (name: string, change: object = {}) =>
  ({ name, state: 'up', panic: null, fallback: null, failed: 0, drained: 0, ...change }) as ServiceOverview
const summary = (services: readonly ServiceOverview[], hasTrouble = false) =>
  summaryOf(
    { services, totals: { up: 3, down: 1, unknown: 0, noVerdict: 0 }, isolation: null, cluster: null },
    hasTrouble,
  )

const refusing = { state: 'down', failed: 2 }
const spared = { state: 'down', failed: 2, fallback: { name: '[::1]:8080', inUse: true } }
const panic = { panic: { held: [] }, failed: 2 }

describe('the summary of the page', () => {
  it('says that all is well, also with servers in maintenance', () => {
    const { tone, headline, others, counts } = summary([service('web'), service('mail')])
    assert.deepEqual([tone, headline, others], ['good', 'All services are healthy', []])
    assert.equal(counts, '3 of 4 real servers up, 1 in maintenance')
  })

  it('counts each server once: one that is drained is up', () => {
    const totals = { up: 3, down: 2, unknown: 2, noVerdict: 0 }
    const services = [service('web', { drained: 1, failed: 1 }), service('mail')]
    const { counts } = summaryOf({ services, totals, isolation: null, cluster: null }, false)
    assert.equal(counts, '3 of 7 real servers up (1 drained), 1 failed, 2 not judged yet, 1 in maintenance')
  })

  it('does not call a service healthy that is not judged yet', () => {
    const { tone, headline } = summary([service('web'), service('mail', { state: 'unknown' })])
    assert.deepEqual([tone, headline], ['poor', 'mail is not judged yet'])
  })

  it('begins with the worst, and names a service once', () => {
    const services = [
      service('api', { failed: 1 }),
      service('shop', panic),
      service('search', spared),
      service('mail', refusing),
    ]
    const { tone, headline, others, counts } = summary(services)
    assert.deepEqual([tone, headline], ['bad', 'Clients of mail are refused'])
    assert.deepEqual(others, [
      'Only the fallback serves search',
      'shop is in panic',
      'api has failed real servers',
    ])
    assert.equal(counts, '3 of 4 real servers up, 7 failed')
  })

  it('names three services, and counts the others', () => {
    const failed = (count: number) =>
      summary(Array.from({ length: count }, (_, i) => service(`s${i}`, { failed: 1 }))).headline
    assert.equal(failed(2), 's0 and s1 have failed real servers')
    assert.equal(failed(5), 's0, s1, s2 and 2 more have failed real servers')
  })

  it('begins with a network that this director has lost, by its connectivity or by isolation', () => {
    const totals = { up: 3, down: 1, unknown: 0, noVerdict: 0 }
    const lost = { since: '2026-11-29T04:00:00.000Z', detail: 'there is no interface eth0' }
    for (const change of [
      { isolation: { since: lost.since, reason: 'no route' }, cluster: null },
      { isolation: null, cluster: { connectivity: { lost } } },
    ]) {
      const services = [service('mail', refusing)]
      const { tone, headline, others } = summaryOf({ services, totals, ...change } as never, true)
      assert.deepEqual(
        [tone, headline, others],
        ['bad', 'This director has lost its network', ['Clients of mail are refused']],
      )
    }
  })

  it('is not green while something is wrong with the director', () =>
    assert.equal(summary([service('web')], true).tone, 'poor'))
})
