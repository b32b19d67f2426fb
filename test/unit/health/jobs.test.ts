/** Jobs of checks that are sent to a server with a name. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Check, defineCheck, up } from '../../../src/check/check.js'
import { parseAddress } from '../../../src/core/address.js'
import type { ResolvedCheckUse } from '../../../src/core/model.js'
import { wholeQuestion } from '../../../src/health/job-ids.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { config, real, service, use } from '../../support/tables.js'

const check = defineCheck({
  name: 'fine',
  summary: 'is always up',
  options: () => ({}),
  run: async () => up('fine'),
})

function jobFor(address: string | null, kind: Check = check) {
  const elsewhere: ResolvedCheckUse = {
    ...use('fine'),
    port: 81,
    address: address === null ? null : parseAddress(address),
    host: 'other.example',
  }
  const site = config([service('web', { reals: [real('fd00::1', { checks: [elsewhere] })] })])
  const { jobs, subscribers } = jobsOf(site, new Map([['fine', kind]]))
  const [job] = jobs.values()
  assert.ok(job)
  return { ...job, question: subscribers[0]?.checkKey }
}

describe('jobs: a check that goes to a server with a name', () => {
  it('has no verdict while the name does not resolve', () => {
    const { answer } = jobFor(null)
    assert.deepEqual(
      [answer?.ok, answer?.reason, answer?.detail],
      [null, 'no-verdict', 'the target of this check, other.example, does not resolve'],
    )
  })

  it('asks that server, of which another question is made than of the real server', () => {
    const { answer, target, id } = jobFor('fd00::9')
    assert.deepEqual([answer, target.address.text, target.port], [null, 'fd00::9', 81])
    assert.notEqual(id, jobFor(null).id)
  })
})

describe("jobs: a check of a user's folder", () => {
  const version = (module: string) => jobFor('fd00::9', { ...check, origin: 'user', module })

  it('is another job for the same question when its file has changed', () => {
    const [one, same, other] = [version('file:///a?1'), version('file:///a?1'), version('file:///a?2')]
    assert.equal(one.id, same.id)
    assert.notEqual(one.id, other.id)
    assert.equal(one.question, other.question)
  })
})

describe('jobs: the id of a check', () => {
  const options = () => ({ request: '/', password: 'geheim', receive: 'x'.repeat(500) })
  const subscriberOf = (given: Record<string, unknown>, host = 'fd00::1') => {
    const site = config([service('web', { reals: [real(host, { checks: [use('fine', given)] })] })])
    const [subscriber] = jobsOf(site, new Map([['fine', check]])).subscribers
    assert.ok(subscriber)
    return subscriber
  }

  it('is short, whatever the options are, and does not show them', () => {
    const { jobId, checkKey } = subscriberOf(options())
    assert.ok(jobId.length < 100, jobId)
    assert.doesNotMatch(`${jobId}${checkKey}`, /geheim|xx/)
  })

  it('is the same for equal options of two objects, and another for other options or another server', () => {
    const { jobId } = subscriberOf(options())
    assert.equal(subscriberOf(options()).jobId, jobId)
    for (const other of [
      subscriberOf({ ...options(), password: 'other' }),
      subscriberOf({ ...options(), more: 1 }),
      subscriberOf(options(), 'fd00::2'),
    ])
      assert.notEqual(other.jobId, jobId)
  })

  it('leads to all options, for what outlives a version of lvsd', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), given => {
        const whole = JSON.stringify(['fine', 'fd00::1', 80, given])
        assert.equal(wholeQuestion(subscriberOf(given)), whole)
      }),
    )
  })

  it('writes the options of all servers of a service once', () => {
    let times = 0
    const given = {
      toJSON: () => {
        times++
        return { request: '/' }
      },
    }
    const reals = ['fd00::1', 'fd00::2', 'fd00::3'].map(host => real(host, { checks: [use('fine', given)] }))
    const { jobs } = jobsOf(config([service('web', { reals })]), new Map([['fine', check]]))
    assert.deepEqual([jobs.size, times], [3, 1])
  })
})
