import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { renderSimulation } from '../../../../src/cli/terminal/simulation.js'
import { loadConfig } from '../../../../src/config/load.js'
import type { Config } from '../../../../src/core/model.js'
import { DEFAULT_FAILURES, NO_FAILURES } from '../../../../src/simulate/failure-spec.js'
import { simulate } from '../../../../src/simulate/simulation.js'

const HOUR = 3_600_000

async function reportWith(sentinel: boolean, knock = true) {
  const text = `
settings: { knock: ${knock} }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: 10s, timeout: 3s, sentinel: ${sentinel} }
    reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80']
`
  const { config, checks } = await loadConfig('site.yaml', { text })
  const failures = { ...NO_FAILURES, mttf: HOUR / 10, mttr: 60_000, silent: 0 }
  const limits = { for: HOUR, within: Number.POSITIVE_INFINITY, cost: 0, measured: 0 }
  return simulate({ ...limits, config: config as Config, checks, reals: 2, failures, seed: 1 })
}

describe('terminal/simulation: the report of a simulation', () => {
  it('says that --within has cut it short, and how long all of it takes', async () => {
    const report = await reportWith(false)
    const cut = {
      ...report,
      ended: 'time' as const,
      simulated: HOUR / 4,
      run: { ...report.run, seconds: 900 },
    }
    assert.match(
      renderSimulation(cut),
      /^simulated 15m of 1h in 15m: the time of --within is over; all of it takes about 1h$/m,
    )
    const early = { ...cut, simulated: 0 }
    assert.match(renderSimulation(early), /: the time of --within is over$/m)
    assert.doesNotMatch(renderSimulation(report), /--within/)
  })

  it('tells times, counts and rates in one way', async () => {
    const report = await reportWith(false)
    const failures = { ...DEFAULT_FAILURES, latency: 2 }
    const run = { ...report.run, seconds: 7.23, measured: { runs: 1080, microsecondsEach: 12 } }
    const text = renderSimulation({ ...report, failures, checks: 1080, runs: 1080, run })
    assert.match(text, /^failures: mttf 30d, mttr 10m, flapping 0\.1% \(5m\), .*, latency 2ms; seed 1$/m)
    assert.match(text, /^simulated 1h in 7\.2s$/m)
    assert.match(text, /, 1,080 checks\n/)
    assert.match(text, /^checks +1,080, 0\.3 per second/m)
    assert.match(text, / for each of 1,080 checks$/m)
    assert.doesNotMatch(text, /1080|00m|00s|00h/)
  })

  it('tells the time of hints where checks have sentinels', async () => {
    const withHint = async (sentinel: boolean) => {
      const report = await reportWith(sentinel)
      return renderSimulation({ ...report, failures: { ...report.failures, hint: 20_000 } })
    }
    assert.match(await withHint(true), /^failures: .*, latency 2ms, hint 20s; seed/m)
    assert.doesNotMatch(await withHint(false), /hint/)
  })

  it('says where servers would return earlier, because lvsd would knock', async () => {
    assert.match(renderSimulation(await reportWith(false)), /^return, without knocking +\d/m)
    assert.match(renderSimulation(await reportWith(false, false)), /^return +\d/m)
    assert.match(readFileSync('README.md', 'utf8'), /the report, which says `return, without knocking`/)
  })

  it('has a line about hints where checks have sentinels', async () => {
    assert.match(
      renderSimulation(await reportWith(true)),
      /^hints +\d+ from 2 sentinels, \d+ checks brought forward$/m,
    )
    assert.doesNotMatch(renderSimulation(await reportWith(false)), /^hints/m)
  })
})
