/** The keys of `cluster.sync`. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.js'
import { temporaryFolder } from '../../support/folder.js'

async function load(sync: string, real = '[2001:db8::1]:80') {
  const file = join(temporaryFolder(), 'site.yaml')
  const service = `services:\n  web: { virtual: '[2001:db8::80]:80', check: on, reals: ['${real}'] }\n`
  writeFileSync(file, `cluster:\n  sync: ${sync}\n${service}`)
  const { config, problems } = await loadConfig(file)
  return {
    sync: config?.cluster?.sync,
    errors: problems.flatMap(({ severity, message }) => (severity === 'error' ? message : [])),
  }
}

describe('cluster.sync', () => {
  it('takes an interface, and the rest is left to the kernel', async () => {
    assert.deepEqual(await load('{ interface: eth1 }'), {
      sync: {
        ...{ interface: 'eth1', id: 0, run: 'role' },
        ...{ group: null, port: null, ttl: null, maxLength: null },
      },
      errors: [],
    })
    const { sync } = await load("{ interface: eth1, group: 'FF02::0:81', max-length: 1400 }")
    assert.deepEqual([sync?.group, sync?.maxLength], ['ff02::81', 1400])
  })

  it('is refused beside real servers of the other family, unless it only shows', async () => {
    const mixed = ['{ interface: eth1 }', '{ interface: eth1, run: none }'].map(sync =>
      load(sync, '192.0.2.1:80 ipip'),
    )
    const [refused, shown] = await Promise.all(mixed)
    assert.deepEqual(
      [refused?.errors, shown?.errors],
      [['the sync daemon excludes real servers of the other family in the kernel: 192.0.2.1 in web'], []],
    )
  })

  it('refuses a group that is no multicast address', async () => {
    const { errors } = await load("{ interface: eth1, group: '2001:db8::81' }")
    assert.match(errors[0] ?? '', /expected a multicast address/)
  })
})
