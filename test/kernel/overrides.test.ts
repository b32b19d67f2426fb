/** Overrides that operators give by commands, with traffic, through reloads, crashes and a full disk. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { pause, until } from '../support/until.js'
import { beginDownload, steadyClient } from './site/client.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { DOWNLOAD, type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'

const WEB = 'tcp [fc00::80]:80'
const STORED = '/var/lib/lvsd/lvsd-overrides.json'
const SMALL = '/run/small-overrides'

const config = ({ name = 'web', settings = '', reals = [11, 12], scheduler = 'rr' } = {}) => `
settings: { resync: 1s${settings} }
defaults: { check: { kind: http, interval: 1s, timeout: 1s, fall: 2 }, scheduler: ${scheduler} }
services:
  ${name}:
    virtual: '[fc00::80]:80'
    reals: [${reals.map(n => `'[fc00::${n}]:80 masq 5'`).join(', ')}]
`
const table = (weights: Readonly<Record<number, number>>) => ({
  [WEB]: Object.fromEntries(
    Object.entries(weights).map(([n, weight]) => [`[fc00::${n}]:80`, `masq ${weight}`]),
  ),
})

async function asked(...words: readonly string[]): Promise<string> {
  const { code, output } = await lvsdCommand(...words)
  assert.equal(code, 0, output)
  return output
}

describe('overrides: an operator', () => {
  let lvsd: Lvsd
  let servers: RealServer[]

  before(async () => {
    await buildSite(
      ['fc00::80'],
      [11, 12].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })

  beforeEach(async () => {
    await freshDirector()
    servers = [11, 12].map(n => startRealServer(`r${n}`))
  })

  it('drains a server that serves: no request fails, a download goes on to its end', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    const downloads = await Promise.all([1, 2].map(() => beginDownload('fc00::80', DOWNLOAD)))
    const client = steadyClient('fc00::80', { limit: 500 })
    await pause(2000)
    assert.match(await asked('drain', 'web/::12', '--reason', 'disk swap'), /drain, by root: disk swap/)
    await tableBecomes(table({ 11: 5, 12: 0 }))
    await pause(2000)
    assert.match((await lvsd.real('web', 'fc00::12')).reason, /^drain by root: disk swap; 200/)
    for (const download of downloads) assert.ok((await download.whole) > 0)
    const { failures } = await client.stop()
    assert.deepEqual(failures, [])
  })

  it('keeps it through reload, rename of the service, stop, kill -9, and ends it', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await asked('drain', 'web/::12')
    await asked('weight', 'web/::11', '7')
    await tableBecomes(table({ 11: 7, 12: 0 }))
    const watcher = watchTable('director')
    writeConfig(config({ name: 'www' }))
    await asked('reload')
    await lvsd.stop()
    lvsd = await startLvsd(writeConfig(config({ name: 'www' })))
    await pause(2500)
    await lvsd.kill()
    lvsd = await startLvsd(writeConfig(config({ name: 'www' })))
    await pause(2500)
    assert.deepEqual(watcher.take(), [])
    assert.match((await lvsd.real('www', 'fc00::12')).reason, /^drain by root; 200/)
    await asked('enable', 'www/::12')
    await tableBecomes(table({ 11: 7, 12: 5 }))
    await asked('enable', 'www', '--yes')
    assert.match((await lvsd.real('www', 'fc00::11')).reason, /^weight 7 by root; 200/)
    await asked('enable', 'www/::11')
    await tableBecomes(table({ 11: 5, 12: 5 }))
  })

  it('disables and forces, whatever the checks say', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await asked('disable', 'web/::11')
    await tableBecomes(table({ 12: 5 }))
    servers[1]?.kill()
    await tableBecomes({ [WEB]: {} })
    await asked('force', 'web/::12', 'up')
    await tableBecomes(table({ 12: 5 }))
    await asked('force', 'web', 'down', '--yes')
    await tableBecomes({ [WEB]: {} })
    await asked('enable', 'web', '--yes')
    await asked('enable', 'web/::11')
    await tableBecomes(table({ 11: 5, 12: 5 }))
  })

  it('sees an override end by itself, also while lvsd does not run', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await asked('drain', 'web/::11', '--for', '4s')
    await tableBecomes(table({ 11: 0, 12: 5 }))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await asked('drain', 'web/::11', '--for', '3s')
    await tableBecomes(table({ 11: 0, 12: 5 }))
    await lvsd.stop()
    await pause(3000)
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    assert.equal(readFileSync(STORED, 'utf8').split('\n').length, 2)
  })

  it('is told that the configuration lacks the server, and finds the override again', async () => {
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(table({ 11: 5, 12: 5 }))
    await asked('drain', 'web/::12')
    await tableBecomes(table({ 11: 5, 12: 0 }))
    writeConfig(config({ reals: [11] }))
    await asked('reload', '--force')
    await tableBecomes(table({ 11: 5 }))
    assert.equal(lvsd.lines.filter(({ event }) => event === 'override.unmatched').length, 1)
    writeConfig(config())
    await asked('reload')
    await tableBecomes(table({ 11: 5, 12: 0 }))
  })

  it('has it at a full disk too, is told so, and it is written once there is space', async () => {
    mkdirSync(SMALL, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', SMALL])
    try {
      lvsd = await startLvsd(writeConfig(config({ settings: `, state: ${SMALL}/state` })))
      await tableBecomes(table({ 11: 5, 12: 5 }))
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${SMALL}/filling bs=4k 2>/dev/null; true`])
      assert.match(await asked('drain', 'web/::12'), /a restart would not know it/)
      await tableBecomes(table({ 11: 5, 12: 0 }))
      rmSync(`${SMALL}/filling`)
      const stored = `${SMALL}/state/lvsd-overrides.json`
      await until(() => existsSync(stored) && readFileSync(stored, 'utf8').includes('drain'), {
        what: 'the file',
      })
      await lvsd.kill()
      lvsd = await startLvsd(writeConfig(config({ settings: `, state: ${SMALL}/state` })))
      await pause(2500)
      await tableBecomes(table({ 11: 5, 12: 0 }))
    } finally {
      await lvsd.stop()
      execFileSync('umount', ['-l', SMALL])
    }
  })
})
