/** Panic and on-down in the configuration. */
import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'

async function serviceOf(own: string, defaults = '') {
  const text = `${defaults}
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: connect
    ${own}
    reals: ['[2001:db8:1::11]:80 masq']
`
  const { config, problems } = await loadConfig('site.yaml', { text })
  const { panic = null, onDown = null, quiescent = null } = config?.services[0] ?? {}
  return { panic, onDown, quiescent, told: problems.map(({ message }) => message) }
}

describe('panic and on-down in the configuration', () => {
  it('are off unless they are given', async () => {
    assert.deepEqual(await serviceOf(''), { panic: null, onDown: null, quiescent: false, told: [] })
  })

  it('are mappings with defaults; panic has a short form', async () => {
    const { panic, onDown, quiescent, told } = await serviceOf('panic: { within: 3s }\n    on-down: {}')
    assert.deepEqual(panic, { share: 50, within: 3000, for: 900_000 })
    assert.deepEqual(onDown, { dead: 'remove', sick: 'quiesce', after: null })
    assert.deepEqual([quiescent, told], [true, []])
    assert.deepEqual((await serviceOf('panic: 30%')).panic, { share: 30, within: 10_000, for: 900_000 })
  })

  it('come from defaults; none, and the nearer of on-down and quiescent, take their place', async () => {
    const defaults = 'defaults: { panic: 40%, on-down: { sick: remove } }'
    const taken = await serviceOf('', defaults)
    assert.deepEqual([taken.panic?.share, taken.onDown?.sick, taken.quiescent], [40, 'remove', false])
    const other = await serviceOf('panic: none\n    quiescent: true', defaults)
    assert.deepEqual(other, { panic: null, onDown: null, quiescent: true, told: [] })
    const nearer = await serviceOf('on-down: { after: 1m }', 'defaults: { quiescent: true }')
    assert.deepEqual(nearer.onDown, { dead: 'remove', sick: 'quiesce', after: 60_000 })
  })

  it('say what is wrong with them', async () => {
    const { told } = await serviceOf('panic: 0%\n    on-down: { dead: drop }')
    assert.deepEqual(told, [
      '"panic" is the text "0%": expected more than 0%',
      '"dead" cannot be "drop"; expected one of remove, quiesce',
    ])
  })
})
