import assert from 'node:assert/strict'
import { renderSimulation } from '../../../../src/cli/terminal/simulation.js'
import { loadConfig } from '../../../../src/config/load.js'
import type { Config } from '../../../../src/core/model.js'
import { NO_FAILURES } from '../../../../src/simulate/failure-spec.js'
import { simulate } from '../../../../src/simulate/simulation.js'

const HOUR = 3_600_000

async function reportWith(sentinel: boolean) {
  const text = `
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
      /^simulated 15m00s of 1h00m in 15m00s: the time of --within is over; all of it takes about 1h00m$/m,
    )
    const early = { ...cut, simulated: 0 }
    assert.match(renderSimulation(early), /: the time of --within is over$/m)
    assert.doesNotMatch(renderSimulation(report), /--within/)
  })

  it('has a line about hints where checks have sentinels', async () => {
    assert.match(
      renderSimulation(await reportWith(true)),
      /^hints +\d+ from 2 sentinels, \d+ checks brought forward$/m,
    )
    assert.doesNotMatch(renderSimulation(await reportWith(false)), /^hints/m)
  })
})
