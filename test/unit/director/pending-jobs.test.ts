import assert from 'node:assert/strict'
import type { Check } from '../../../src/check/check.js'
import { PendingJobs } from '../../../src/director/pending-jobs.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { config, passed, real, service, serviceId, use } from '../../support/tables.js'

const ask: Check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
const CHECKS = new Map([['ask', ask]])
const web = (name: string, hosts: readonly string[], id = serviceId('2001:db8::80')) =>
  service(name, { id, reals: hosts.map(host => real(host, { checks: [use('ask')] })) })
const site = (...hosts: readonly string[]) => config([web('web', hosts)])

/** Longer than a time slice, in milliseconds. */
const LONG = 25

/** Executors that need so long for a job: by default that nothing else fits into its slice. */
function stage(long = LONG) {
  const store = new HealthStore()
  const told: string[] = []
  const host = (id: string) => id.split('"')[3]
  const busy = (word: string) => {
    told.push(word)
    for (const end = performance.now() + long; performance.now() < end; );
  }
  const jobs = new PendingJobs({
    set: id => busy(`set ${host(id)}`),
    remove: id => busy(`remove ${host(id)}`),
    soon: id => busy(`soon ${host(id)}`),
  })
  return {
    jobs,
    told,
    pace: (interval: number | null) => jobs.pace(store.jobs, { intervalOf: () => interval }),
    changes: (...hosts: string[]) => store.applyConfig(site(...hosts), CHECKS, 0),
    take: (...hosts: string[]) => jobs.take(store.applyConfig(site(...hosts), CHECKS, 0), {}),
    takeAlso: (hosts: readonly string[], more: ReturnType<typeof web>) =>
      jobs.take(store.applyConfig(config([web('web', hosts), more]), CHECKS, 0), {}),
  }
}

describe('pending jobs', () => {
  it('sets one slice of jobs at once, and the others in further slices', async () => {
    const { jobs, told, take } = stage()
    take('fd00::a', 'fd00::b', 'fd00::c')
    assert.deepEqual(told, ['set fd00::a'])
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a', 'set fd00::b', 'set fd00::c'])
  })

  it('makes the orders of thousands of jobs as it passes them on', async () => {
    const { jobs, told, changes } = stage()
    let made = 0
    const { added, ...others } = changes('fd00::a', 'fd00::b', 'fd00::c')
    const counted = function* () {
      for (const job of added) {
        made++
        yield job
      }
    }
    jobs.take({ ...others, added: { [Symbol.iterator]: counted } as unknown as typeof added }, {})
    assert.deepEqual([told.length, made], [1, 1])
    await jobs.idle()
    assert.deepEqual([told.length, made], [3, 3])
  })

  it('sets a job that comes just after the last one of the configuration before', async () => {
    const { jobs, told, take } = stage(0)
    take('fd00::a')
    take('fd00::a', 'fd00::b')
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a', 'set fd00::b'])
  })

  it('does not set a job that a later configuration does not have any more', async () => {
    const { jobs, told, take } = stage()
    take('fd00::a', 'fd00::b', 'fd00::c')
    take('fd00::a', 'fd00::c', 'fd00::d')
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a', 'remove fd00::b', 'set fd00::c', 'set fd00::d'])
  })

  it('sets a job that waits although another service asks for it meanwhile', async () => {
    const { jobs, told, take, takeAlso } = stage()
    take('fd00::a', 'fd00::b')
    takeAlso(['fd00::a', 'fd00::b'], web('further', ['fd00::b'], serviceId('2001:db8::81')))
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a', 'set fd00::b', 'soon fd00::b'])
  })

  it('gives each job the interval of a new role in slices, with the last role for what waits', async () => {
    const { jobs, told, take, pace } = stage()
    take('fd00::a', 'fd00::b', 'fd00::c')
    await jobs.idle()
    told.length = 0
    pace(10_000)
    assert.deepEqual(told, ['set fd00::a'])
    pace(null)
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a', 'remove fd00::b', 'remove fd00::c', 'remove fd00::a'])
  })

  it('sets nothing any more after the end', async () => {
    const { jobs, told, take } = stage()
    take('fd00::a', 'fd00::b', 'fd00::c')
    jobs.close()
    await jobs.idle()
    assert.deepEqual(told, ['set fd00::a'])
  })
})
