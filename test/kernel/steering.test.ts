/** Slow start and damping: the weights as the kernel held them. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { until } from '../support/until.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'
import { webTable as table, webSite } from './site/web.js'

const STORED = '/var/lib/lvsd/lvsd-health.json'

const config = (keys: string) => `
settings: { resync: 1s }
defaults: { check: { kind: http, interval: 300ms, timeout: 2s, fall: 1 }, scheduler: wrr, ${keys} }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: ['[fc00::11]:80 masq 100', '[fc00::12]:80 masq 100']
`

describe('slow start and damping', () => {
  const web = webSite()

  it('raise the weight of a server that is back, and go on after kill -9', async () => {
    const path = writeConfig(config('slow-start: 40s'))
    const lvsd = await startLvsd(path)
    await tableBecomes(table({ 11: 100, 12: 100 }))
    web.servers[1]?.kill()
    await tableBecomes(table({ 11: 100 }))
    const watcher = watchTable('director')
    web.servers[1]?.revive()
    const now = () => lvsd.real('web', 'fc00::12')
    await until(async () => (await now()).slowStart?.weight === 100, { what: 'the slow start' })
    assert.match((await now()).reason, /^slow start: \d+ % of 100, full in \d+s; 200/)
    await until(() => existsSync(STORED) && /fc00::12[^\n]*"rising":\d/.test(readFileSync(STORED, 'utf8')), {
      what: 'the clock in the file',
    })
    await lvsd.kill()
    const before = watcher.take()
    await startLvsd(path)
    await until(() => watcher.seen.length > before.length, { what: 'a step after the crash' })
    const weights = watcher.seen.map(({ change }) => Number(/masq (\d+)$/.exec(change)?.[1]))
    assert.equal(weights[0], 10)
    for (const [i, weight] of weights.entries())
      assert.ok(weight > (weights[i - 1] ?? 0) && weight < 100, weights.join(' '))
  })

  it('hold a server that flaps, and let it go', async () => {
    const lvsd = await startLvsd(writeConfig(config('damping: { changes: 3, within: 1m, hold: 2s }')))
    await tableBecomes(table({ 11: 100, 12: 100 }))
    for (const gone of [true, false, true]) {
      if (gone) web.servers[1]?.kill()
      else web.servers[1]?.revive()
      await tableBecomes(gone ? table({ 11: 100 }) : table({ 11: 100, 12: 100 }))
    }
    await lvsd.hears('real server flaps')
    web.servers[1]?.revive()
    await until(async () => (await lvsd.real('web', 'fc00::12')).checks[0]?.state === 'up', {
      what: 'a check that passes',
    })
    const { state, reason, damping } = await lvsd.real('web', 'fc00::12')
    assert.deepEqual([state, damping?.isSpared], ['down', false])
    assert.match(reason, /^flaps: held down until .*; 200/)
    web.servers[0]?.kill()
    await tableBecomes(table({ 12: 100 }))
    web.servers[0]?.revive()
    await tableBecomes(table({ 11: 100 }))
    await tableBecomes(table({ 11: 100, 12: 100 }))
    assert.deepEqual(
      lvsd.lines.flatMap(({ event }) =>
        /^real\.(damped|spared|released)$/.test(String(event)) ? [event] : [],
      ),
      ['real.damped', 'real.spared', 'real.damped', 'real.released'],
    )
  })
})
