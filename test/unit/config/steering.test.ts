/** Slow start and damping in the configuration. */
import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'

async function serviceOf(own: string, defaults = '') {
  const text = `${defaults}
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    ${own}
    reals: ['[2001:db8:1::11]:80 masq 100']
`
  const { config, problems } = await loadConfig('site.yaml', { text })
  const { slowStart = null, damping = null } = config?.services[0] ?? {}
  return { slowStart, damping, told: problems.map(({ message }) => message) }
}

describe('steering: slow-start and damping', () => {
  it('are off unless they are given', async () => {
    assert.deepEqual(await serviceOf(''), { slowStart: null, damping: null, told: [] })
  })

  it('are mappings with defaults, or their short forms', async () => {
    const whole = await serviceOf('slow-start: { from: 25% }\n    damping: { hold: 1h }')
    assert.deepEqual(whole, {
      slowStart: { for: 60_000, from: 25 },
      damping: { changes: 5, within: 600_000, hold: 3_600_000 },
      told: [],
    })
    const short = await serviceOf('slow-start: 90s\n    damping: 3')
    assert.deepEqual(short, {
      slowStart: { for: 90_000, from: 10 },
      damping: { changes: 3, within: 600_000, hold: 300_000 },
      told: [],
    })
  })

  it('come from defaults, and none takes them away', async () => {
    const defaults = 'defaults: { slow-start: 30s, damping: 4 }'
    const taken = await serviceOf('', defaults)
    assert.deepEqual([taken.slowStart?.for, taken.damping?.changes], [30_000, 4])
    const none = await serviceOf('slow-start: none\n    damping: none', defaults)
    assert.deepEqual(none, { slowStart: null, damping: null, told: [] })
  })

  it('say what is wrong with them', async () => {
    const { told } = await serviceOf('slow-start: { for: soon, from: 120% }\n    damping: { changes: 1 }')
    assert.deepEqual(told, [
      '"for" is the text "soon": expected a duration such as 500ms, 3s, 2m or a number of seconds',
      '"from" is the text "120%": expected a share from 0% to 100%',
      '"changes" is the number 1; the least is 2',
    ])
  })
})
