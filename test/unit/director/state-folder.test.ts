/** A director whose state folder has something else in the place of each of its files. */
import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AcceptedConfiguration } from '../../../src/accepted/accepted.js'
import { acceptedPath } from '../../../src/accepted/accepted-path.js'
import { loadConfig } from '../../../src/config/load.js'
import { startDirector } from '../../../src/director/compose.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { THINGS } from '../../support/things.js'
import { until } from '../../support/until.js'

const SITE = `settings: { socket: s.sock, state: state, record: 24h }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: 'on'
    reals: ['[fd00::1]:80']
`

async function started(file: string) {
  const loaded = await loadConfig(file)
  const { config } = loaded
  assert.ok(config)
  const { log, lines } = recordingLog('info')
  const accepted = new AcceptedConfiguration(
    { file, state: null, env: {} },
    { isTrial: true, tell: assert.fail },
  )
  const daemon = await startDirector({
    loaded: { ...loaded, config },
    kept: null,
    keep: next => accepted.keep(next),
    load: () => loadConfig(file),
    table: 'memory',
    isTrial: false,
    log,
    env: {},
  })
  onCleanup(() => daemon.stop())
  await daemon.idle()
  return { daemon, told: () => lines.filter(({ event }) => /^(state|journal|config)\.[dfn]/.test(event)) }
}

describe('a director with something else in the place of its state', () => {
  for (const [thing, put] of THINGS)
    it(`starts, sets aside ${thing}, says so once for each file, and writes its state`, async () => {
      const folder = temporaryFolder()
      const [file, state] = [join(folder, 'site.yaml'), join(folder, 'state')]
      writeFileSync(file, SITE)
      mkdirSync(join(state, 's-events'), { recursive: true })
      const files = ['s.json', 's-overrides.json', 's-health.json', 's-events/00000001.log'].map(name =>
        join(state, name),
      )
      for (const path of [...files, join(state, 's-results'), acceptedPath(state, file)]) put(path)
      const { daemon, told } = await started(file)
      const results = thing === 'a folder' ? [] : [join(state, 's-results')]
      await until(() => told().length >= files.length + results.length)
      assert.deepEqual(
        told()
          .map(({ moved, file: path }) => [path, moved])
          .sort(),
        [...files, ...results].map(path => [path === files[0] ? undefined : path, `${path}.damaged`]).sort(),
      )
      await until(async () => {
        const [real] = (await daemon.status()).services[0]?.reals ?? []
        return real?.state === 'up' && real.weight.kernel === 1
      })
      await daemon.stop()
      for (const path of [...files.slice(0, 3), acceptedPath(state, file)])
        if (path !== files[1]) assert.ok(lstatSync(path).isFile(), path)
      assert.ok(existsSync(join(state, 's-events/00000002.log')))
      assert.ok(readdirSync(join(state, 's-results')).some(name => /log$/.test(name)))
      const again = await started(file)
      await again.daemon.stop()
      assert.deepEqual(again.told(), [])
    })
})
