/** The keys `cluster: observers` and `agree`. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { temporaryFolder } from '../../support/folder.js'

async function load(cluster: string) {
  const file = join(temporaryFolder(), 'site.yaml')
  const services =
    "services:\n  web: { virtual: '[2001:db8::80]:80', check: on, reals: ['[2001:db8::1]:80'] }\n"
  writeFileSync(file, `cluster: { ${cluster} }\n${services}`)
  const { config, problems } = await loadConfig(file)
  return { cluster: config?.cluster, told: problems.map(({ message }) => message).join('\n') }
}

const REDIS = "redis: 'redis://[::1]:6379'"

describe('cluster: observers', () => {
  it('is absent by default, and any number of directors with Redis', async () => {
    assert.equal((await load(REDIS)).cluster?.observers, null)
    const { cluster, told } = await load(`${REDIS}, observers: 16, agree: all`)
    assert.equal(told, '')
    assert.deepEqual([cluster?.observers, cluster?.agree], [16, 'all'])
    assert.equal((await load(`${REDIS}, observers: 2`)).cluster?.agree, 'majority')
  })

  it('is told where it is 1, since one director alone then removes servers on all', async () => {
    const { cluster, told } = await load(`${REDIS}, observers: 1`)
    assert.equal(cluster?.observers, 1)
    assert.match(told, /a single observer decides for all directors.*better: observers: 2/)
    for (const count of [2, 3]) assert.equal((await load(`${REDIS}, observers: ${count}`)).told, '')
  })

  it('needs Redis, and agree needs it', async () => {
    assert.match((await load('observers: 2')).told, /observers share their results through Redis/)
    assert.match((await load(`${REDIS}, agree: any`)).told, /agree has no meaning without observers/)
  })
})
