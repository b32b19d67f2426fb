import assert from 'node:assert/strict'
import { check as connect } from '../../../checks/connect.js'
import type { CheckUse, ResolvedService } from '../../../src/core/model.js'
import { isSameJob, type Job, jobsOf, serverOf, workOf } from '../../../src/health/jobs.js'
import { endpointsOf } from '../../../src/hints/endpoints.js'
import { config, named, real, service, serviceId, use } from '../../support/tables.js'

const PATH: CheckUse = { ...use('connect'), path: 'service' }
const CHECKS = new Map([['connect', connect]])

const jobs = (...services: readonly ResolvedService[]) => jobsOf(config(services), CHECKS)
function jobOf(one: ResolvedService): Job {
  const [job] = jobs(one).jobs.values()
  assert.ok(job)
  return job
}
const web = (checks: readonly CheckUse[] = [PATH], more: Parameters<typeof service>[1] = {}) =>
  service('web', { reals: [real('fd00:1::a', { forwarding: 'gate', checks })], ...more })

describe('jobs: a check through the path of a service', () => {
  it('goes to the virtual address and the port of the service, and is about the real server', () => {
    const job = jobOf(web())
    const { target, path } = job
    assert.deepEqual(
      [target.address.text, target.port, path?.key],
      ['2001:db8::80', 80, 'tcp [2001:db8::80]:80 [fd00:1::a]:80'],
    )
    assert.equal(serverOf(job).text, 'fd00:1::a')
    assert.deepEqual(workOf(job).path, {
      key: path?.key,
      via: target.real.address,
      how: 'gate to [fd00:1::a]:80',
    })
  })

  it('is another one for each server and for each service, and not the one of the server’s own address', () => {
    const two = service('web', {
      reals: ['fd00:1::a', 'fd00:1::b'].map(host => real(host, { checks: [PATH, use('connect')] })),
    })
    const other = service('other', {
      id: serviceId('2001:db8::81'),
      reals: [real('fd00:1::a', { checks: [PATH, use('connect')] })],
    })
    const all = jobs(two, other)
    assert.equal(all.subscribers.length, 6)
    assert.deepEqual(
      [...all.jobs.values()]
        .map(({ target, path }) => `${target.address.text}${path ? ' by path' : ''}`)
        .sort(),
      ['2001:db8::80 by path', '2001:db8::80 by path', '2001:db8::81 by path', 'fd00:1::a', 'fd00:1::b'],
    )
  })

  it('keeps its id when the forwarding changes, and is sent anew', () => {
    const before = jobOf(web())
    const after = jobOf(
      service('web', { reals: [real('fd00:1::a', { forwarding: 'ipip', checks: [PATH] })] }),
    )
    assert.equal(after.id, before.id)
    assert.equal(isSameJob(after, before), false)
    assert.equal(isSameJob(jobOf(web()), before), true)
  })

  it('has no verdict while the virtual address is not known', () => {
    const job = jobOf(web([PATH], named('www.example')))
    assert.deepEqual([job.path, job.answer?.ok], [null, null])
    assert.match(job.answer?.detail ?? '', /virtual address of the service does not resolve/)
  })

  it('is no endpoint for sentinels and knocking', () => {
    const endpoints = (one: ResolvedService) => [...endpointsOf(jobs(one).jobs.values()).keys()]
    assert.deepEqual(endpoints(web()), [])
    assert.deepEqual(endpoints(web([use('connect')])), ['[fd00:1::a]:80'])
  })
})
