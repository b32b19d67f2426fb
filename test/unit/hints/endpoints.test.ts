import assert from 'node:assert/strict'
import { defineCheck } from '../../../src/check/check.js'
import type { Job } from '../../../src/health/jobs.js'
import { endpointsOf, lazyEndpoints } from '../../../src/hints/endpoints.js'
import { address } from '../../support/tables.js'

const kind = (name: string, more = {}) =>
  defineCheck({
    name,
    summary: '',
    options: () => ({}),
    run: async () => ({ ok: true, reason: null, detail: '' }),
    ...more,
  })

let used = 0

function jobOf(
  id: string,
  host: string,
  port: number,
  more: { check?: unknown; source?: string; answer?: object; path?: object } = {},
) {
  const { source, ...others } = more
  const use = { options: {}, ...(source !== undefined && { source: address(source) }) }
  const job = { id, check: kind('http'), target: { address: address(host), port }, answer: null, ...others }
  return Object.defineProperty(job, 'use', {
    get() {
      used++
      return use
    },
  }) as unknown as Job
}

const JOBS = [
  jobOf('a', '2001:db8::1', 80),
  jobOf('b', '2001:db8::1', 80),
  jobOf('c', '2001:db8::1', 80, { source: '2001:db8::99' }),
  jobOf('d', '2001:db8::1', 443),
  jobOf('e', '2001:db8::2', 80),
  jobOf('udp', '2001:db8::1', 80, { check: kind('udp', { connects: false }) }),
  jobOf('no port', '2001:db8::1', 0),
  jobOf('another', '2001:db8::1', 80, { answer: {} }),
  jobOf('path', '2001:db8::1', 80, { path: {} }),
]
const byId = (jobs: readonly Job[]) => new Map(jobs.map(job => [job.id, job]))

describe('endpoints', () => {
  it('are the same, whether all are made at once or each when it is asked for', () => {
    const all = [...endpointsOf(JOBS).values()]
    const lazy = lazyEndpoints(byId(JOBS))
    for (const { id } of JOBS)
      assert.deepEqual(
        lazy.of(id),
        all.find(({ ids }) => ids.includes(id)),
        id,
      )
    assert.deepEqual(
      all.map(({ ids }) => ids),
      [['a', 'b'], ['c'], ['d'], ['e']],
    )
    assert.equal(lazy.of('a'), lazy.of('b'))
    assert.equal(lazy.of('unknown'), undefined)
  })

  it('are found by their place in the next configuration', () => {
    const before = lazyEndpoints(byId(JOBS))
    const [a, c, d] = ['a', 'c', 'd'].map(id => before.of(id))
    assert.ok(a && c && d)
    const next = lazyEndpoints(byId([jobOf('new', '2001:db8::1', 80), jobOf('d', '2001:db8::1', 444)]))
    assert.deepEqual(next.like(a)?.ids, ['new'])
    assert.equal(next.like(a), next.of('new'))
    assert.equal(next.like(c), undefined)
    assert.equal(next.like(d), undefined)
  })

  it('are made of the jobs of one place alone', () => {
    const many = Array.from({ length: 1000 }, (_, i) => jobOf(`${i}`, '2001:db8::1', i + 1))
    const lazy = lazyEndpoints(byId(many))
    used = 0
    assert.deepEqual(lazy.of('500')?.ids, ['500'])
    assert.ok(used < 10, `${used}`)
  })
})
