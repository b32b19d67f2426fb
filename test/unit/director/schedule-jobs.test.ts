import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import { scheduleJobs } from '../../../src/director/schedule-jobs.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { config, named, passed, real, service, use } from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const CHECKS = new Map([['ask', ask]])
const site = (interval: number, ...hosts: readonly string[]) =>
  config([
    service('web', { reals: hosts.map(host => real(host, { checks: [use('ask', {}, { interval })] })) }),
  ])

function stage() {
  const store = new HealthStore()
  const told: string[] = []
  const host = (id: string) => id.split('"')[3]
  const executors = {
    set: (id: string, _: unknown, { interval, firstIn }: { interval: number; firstIn: number }) =>
      told.push(`set ${host(id)} ${interval} in ${firstIn}`),
    remove: (id: string) => told.push(`remove ${host(id)}`),
    soon: (id: string, ms: number) => told.push(`soon ${host(id)} in ${ms}`),
  }
  const apply = (next: ReturnType<typeof config>) => {
    scheduleJobs(executors, store.applyConfig(next, CHECKS, 0), { random: () => 0.5 })
    return told.splice(0)
  }
  return { store, apply }
}

describe('scheduleJobs', () => {
  it('starts new jobs at once, removes others, and lets alone what goes on', () => {
    const { apply } = stage()
    assert.deepEqual(apply(site(1000, 'fd00::a', 'fd00::b')), [
      'set fd00::a 1000 in 0',
      'set fd00::b 1000 in 0',
    ])
    assert.deepEqual(apply(site(1000, 'fd00::b', 'fd00::c')), ['remove fd00::a', 'set fd00::c 1000 in 0'])
  })

  it('starts a job that has been answered, and has another interval, somewhere in that', () => {
    const { store, apply } = stage()
    apply(site(1000, 'fd00::a'))
    for (const id of store.jobs.keys()) store.result(id, passed(), 0)
    assert.deepEqual(apply(site(3000, 'fd00::a')), ['remove fd00::a', 'set fd00::a 3000 in 1500'])
  })

  it('gives jobs with the same timing one object, and each timing its own', () => {
    const timings: unknown[] = []
    const executors = {
      set: (_: string, __: unknown, timing: unknown) => void timings.push(timing),
      ...{ remove: () => {}, soon: () => {} },
    }
    for (const interval of [1000, 3000])
      scheduleJobs(executors, new HealthStore().applyConfig(site(interval, 'fd00::a', 'fd00::b'), CHECKS, 0))
    assert.deepEqual(
      timings.map(one => (one as { interval: number }).interval),
      [1000, 1000, 3000, 3000],
    )
    assert.equal(timings[0], timings[1])
    assert.equal(timings[2], timings[3])
  })

  it('hurries a job that goes on for a server that waits for its first answer', () => {
    const { apply } = stage()
    const one = site(1000, 'fd00::a')
    apply(one)
    const [web] = one.services
    assert.ok(web)
    assert.deepEqual(apply({ ...one, services: [web, { ...web, ...named('x'), name: 'web2' }] }), [
      'soon fd00::a in 0',
    ])
  })
})
