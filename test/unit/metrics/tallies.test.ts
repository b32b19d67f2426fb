/** What is counted between two scrapes, and what is forgotten. */
import assert from 'node:assert/strict'
import type { Transition } from '../../../src/health/health-changes.js'
import type { Subscriber } from '../../../src/health/jobs.js'
import { Tallies } from '../../../src/metrics/tallies.js'
import { config, failed, passed, real, service } from '../../support/tables.js'

const A = real('2001:db8::1')
const web = service('web', { reals: [A] })
const mail = service('mail', { reals: [A] })

function subscriber(of: typeof web): Subscriber {
  return { service: of, real: A, use: A.checks[0] } as unknown as Subscriber
}

function transition(of: typeof web, to: 'up' | 'down', hasMovedServer = true): Transition {
  return { service: of, real: A, to, hasMovedServer } as unknown as Transition
}

describe('Tallies', () => {
  it('count a run once, and its result for each service that uses it', () => {
    const { listener, runs, services } = new Tallies()
    listener.result?.([subscriber(web), subscriber(mail)], { ...passed(), ms: 500 })
    listener.result?.([subscriber(web)], { ...failed(), ms: 250 })
    listener.result?.([subscriber(web)], { ...failed(), ok: null })
    assert.deepEqual(runs.get('on'), { passed: 1, failed: 1, none: 1 })
    assert.deepEqual(services.get('web')?.results, { passed: 1, failed: 1, none: 1 })
    assert.deepEqual(services.get('mail')?.results, { passed: 1, failed: 0, none: 0 })
    assert.equal(services.get('web')?.seconds, 0.75)
  })

  it('count changes of servers, not of single checks, and forget what a configuration no longer has', async () => {
    const tallies = new Tallies()
    const { listener, services, reals } = tallies
    listener.config?.(config([web, mail]))
    for (const to of ['up', 'down', 'up'] as const) listener.transition?.(transition(web, to))
    listener.transition?.(transition(web, 'down', false))
    listener.transition?.(transition(mail, 'up'))
    assert.deepEqual(services.get('web')?.transitions, { up: 2, down: 1, unknown: 0 })
    assert.deepEqual(Object.fromEntries(reals), { 'web [2001:db8::1]:80': 3, 'mail [2001:db8::1]:80': 1 })
    listener.config?.(config([web]))
    assert.deepEqual([...services.keys()], ['web'])
    await tallies.idle()
    assert.deepEqual([...reals.keys()], ['web [2001:db8::1]:80'])
  })

  it('know which files cannot be written, by the events that begin and end that', () => {
    const tallies = new Tallies()
    tallies.event('state.failed', { file: '/var/lib/lvsd/health.json' })
    tallies.event('state.failed', { file: '/var/lib/lvsd/health.json' })
    tallies.event('journal.failed', {})
    assert.equal(tallies.failingFiles.size, 2)
    tallies.event('state.works', { file: '/var/lib/lvsd/health.json' })
    assert.deepEqual([...tallies.failingFiles], ['journal'])
    tallies.event('journal.works', {})
    assert.equal(tallies.failingFiles.size, 0)
    assert.equal(tallies.events.get('state.failed'), 2)
    assert.equal(tallies.events.get('daemon.stopped'), 0)
  })
})
