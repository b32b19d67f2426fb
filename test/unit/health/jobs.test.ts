/** Jobs of checks that are sent to a server with a name. */
import assert from 'node:assert/strict'
import { type Check, defineCheck, up } from '../../../src/check/check.js'
import { parseAddress } from '../../../src/core/address.js'
import type { ResolvedCheckUse } from '../../../src/core/model.js'
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
