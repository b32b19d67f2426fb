import assert from 'node:assert/strict'
import { defineCheck } from '../../../src/check/check.js'
import { Rechecker } from '../../../src/director/rechecker.js'
import { HealthStore } from '../../../src/health/health-store.js'
import { config, failed, passed, real, service, use } from '../../support/tables.js'

const HTTP = defineCheck({ name: 'http', summary: '', options: () => ({}) })

function rig(count = 2) {
  const reals = Array.from({ length: count }, (_, i) =>
    real(`fd00::${(i + 1).toString(16)}`, { checks: [use('http', {}, { rise: 2, fall: 2 })] }),
  )
  const whole = config([service('web', { reals })])
  const store = new HealthStore()
  store.applyConfig(whole, new Map([['http', HTTP]]), 0)
  const hurried: [string, number][] = []
  const clock = { now: 1000 }
  const rechecker = new Rechecker({
    executors: { soon: (id, ms) => void hurried.push([id, ms]) },
    health: store,
    config: () => whole,
    now: () => clock.now,
  })
  const jobs = [...store.jobs.keys()]
  const result = (i: number, ok: boolean) =>
    store.result(jobs[i] ?? '', ok ? passed('200 OK') : failed(), ++clock.now)
  return { rechecker, hurried, result, jobs }
}

const WEB = [{ service: 'web', real: null }]

describe('rechecker', () => {
  it('brings each check forward, many of them spread', async () => {
    const { rechecker, hurried } = rig(1001)
    const outcome = await rechecker.now({ targets: WEB })
    assert.deepEqual(
      [outcome.trouble, outcome.reals, outcome.checks, outcome.spread],
      [null, 1001, 1001, 2002],
    )
    assert.deepEqual(
      [hurried[0]?.[1], hurried[500]?.[1], hurried[1000]?.[1], hurried.length],
      [0, 1000, 2000, 1001],
    )
    assert.ok(outcome.within > outcome.spread + 1000)
  })

  it('takes one server, and says which target does not exist', async () => {
    const { rechecker, hurried, jobs } = rig()
    const one = { service: 'web', real: '[fd00::2]:80' }
    assert.equal((await rechecker.now({ targets: [one, one] })).reals, 1)
    assert.deepEqual(hurried, [[jobs[1], 0]])
    const { trouble } = await rechecker.now({ targets: [{ service: 'wob', real: null }] })
    assert.equal(trouble, 'there is no service "wob"; did you mean "web"?')
  })

  it('gives the results that came since, and how many more decide', async () => {
    const { rechecker, result } = rig()
    result(0, false)
    const { after } = await rechecker.now({ targets: WEB })
    assert.deepEqual(await rechecker.results({ targets: WEB, after }), [])
    result(0, true)
    const [first, ...others] = await rechecker.results({ targets: WEB, after })
    assert.deepEqual(others, [])
    assert.deepEqual(
      [first?.real, first?.state, first?.isChanging, first?.count],
      ['[fd00::1]:80', 'down', true, 1],
    )
    const [check] = first?.checks ?? []
    assert.deepEqual([check?.kind, check?.result.ok, check?.streak, check?.needed], ['http', true, 1, 2])
    assert.deepEqual(await rechecker.results({ targets: WEB, after: check?.at ?? 0 }), [])
    result(0, true)
    const [second] = await rechecker.results({ targets: WEB, after })
    assert.deepEqual([second?.state, second?.isChanging], ['up', false])
  })
})
