/** Actions of operators on a running director, and faults of its disk. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { smtpServer } from '../support/smtp-server.js'
import { pause, until } from '../support/until.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { throughout, within } from './site/namespaces.js'
import { tableBecomes } from './site/site.js'
import { watchTable } from './site/watcher.js'
import { webSite, webTable } from './site/web.js'

const HOLDS = '/run/holds'
const SMALL = '/run/small'

interface Site {
  readonly settings?: string
  readonly service?: string
  readonly weights?: readonly [number, number]
}

const config = ({ settings = '', service = '', weights = [5, 6] }: Site) => `
settings: { resync: 1s, maintenancedir: ${HOLDS}${settings} }
defaults: { check: { kind: http, interval: 1s, timeout: 1s }, scheduler: rr, quiescent: true }
services:
  web:
    virtual: '[fc00::80]:80'
    ${service}
    reals: ['[fc00::11]:80 masq ${weights[0]}', '[fc00::12]:80 masq ${weights[1]}']
`
const table = (one: number, other: number) => webTable({ 11: one, 12: other })

describe('an operator', () => {
  const web = webSite()
  let lvsd: Lvsd

  beforeEach(() => {
    rmSync(HOLDS, { recursive: true, force: true })
    mkdirSync(HOLDS)
  })

  it('drains a server by its weight or a maintenance file, which lasts through reloads, restarts and crashes', async () => {
    writeFileSync(`${HOLDS}/[fc00::12]`, '')
    lvsd = await startLvsd(writeConfig(config({ weights: [0, 6] })))
    await tableBecomes(table(0, 0))
    const watcher = watchTable('director')
    assert.equal((await lvsdCommand('reload')).code, 0)
    await lvsd.stop()
    lvsd = await startLvsd(writeConfig(config({ weights: [0, 6] })))
    await pause(2500)
    await lvsd.kill()
    lvsd = await startLvsd(writeConfig(config({ weights: [0, 6] })))
    await pause(2500)
    assert.deepEqual(watcher.take(), [])
    assert.match(
      (await lvsd.real('web', 'fc00::12')).reason,
      /^held down by the maintenance file \S+\/\[fc00::12\]$/,
    )

    rmSync(`${HOLDS}/[fc00::12]`)
    await tableBecomes(table(0, 6))
    writeConfig(config({}))
    assert.equal((await lvsdCommand('reload')).code, 0)
    await tableBecomes(table(5, 6))
  })

  it('gets a warning about sysctls that keep clients on a failed server', async () => {
    const place = '/proc/sys/net/ipv4/vs/expire_quiescent_template'
    const set = (value: number) => within('director', () => writeFileSync(place, `${value}`))
    const service = 'persistence: 5m'
    set(0)
    lvsd = await startLvsd(writeConfig(config({ service })))
    lvsd.signal('SIGHUP')
    await lvsd.hears('reload: ')
    const told = lvsd.said('expire_quiescent_template=1')
    assert.deepEqual(
      told.map(({ level, services }) => [level, services]),
      [['warn', ['web']]],
    )
    await lvsd.stop()
    set(1)
    lvsd = await startLvsd(writeConfig(config({ service })))
    assert.deepEqual(lvsd.said('expire_quiescent_template'), [])
  })

  it('has a full disk: errors of journal and monitorfile are logged once, and the table is still updated', async () => {
    mkdirSync(SMALL, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'small', SMALL])
    try {
      writeFileSync(`${SMALL}/monitor`, '')
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${SMALL}/filling bs=4k 2>/dev/null; true`])
      const site = { settings: `, state: ${SMALL}/state`, service: `monitorfile: ${SMALL}/monitor` }
      lvsd = await startLvsd(writeConfig(config(site)))
      await tableBecomes(table(5, 6))
      web.servers[0]?.kill()
      await tableBecomes(table(0, 6))
      writeConfig(config({ ...site, weights: [5, 7] }))
      assert.equal((await lvsdCommand('reload')).code, 0)
      await tableBecomes(table(0, 7))
      assert.equal(lvsd.said('the ownership journal cannot be written').length, 1)
      assert.equal(lvsd.said('the monitorfile cannot be written').length, 1)

      rmSync(`${SMALL}/filling`)
      await until(() => readFileSync(`${SMALL}/monitor`, 'utf8').includes('[up] 200'), {
        what: 'the monitorfile',
      })
      lvsd.signal('SIGHUP')
      await lvsd.hears('the ownership journal can be written again')
      assert.ok(existsSync(`${SMALL}/state/lvsd.json`))
      assert.equal(await lvsd.stop(), 0)
    } finally {
      execFileSync('umount', ['-l', SMALL])
    }
  })

  it('gets one mail and one command for each change, and none for reloads, restarts and crashes', async () => {
    const mail = await throughout('director', () => smtpServer())
    // A test that is tried again finds the file of the first try.
    rmSync('/run/told', { force: true })
    const told = () => (existsSync('/run/told') ? readFileSync('/run/told', 'utf8') : '')
    const service = `fallbackcommand: 'echo >>/run/told'
    mail: { to: ops@example.com, repeat: 3s, server: '[::1]:${mail.port}' }`
    /** Waits until there are `count` mails, and returns the subjects of all. */
    const subjects = async (count: number) => {
      await until(() => mail.mails.length >= count, {
        what: () => `${count} mails; there are ${mail.mails.length}`,
      })
      return mail.mails.splice(0).map(({ subject }) => subject.replace(' ([fc00::80]:80)', ''))
    }
    const assertNoMail = async (ms: number) => {
      await pause(ms)
      assert.deepEqual(await subjects(0), [])
    }
    const again = async () => {
      lvsd = await startLvsd(writeConfig(config({ service })))
    }
    await again()
    await tableBecomes(table(5, 6))
    assert.deepEqual((await subjects(2)).sort(), [
      'Added real server: [fc00::11]:80 (Weight set to 5)',
      'Added real server: [fc00::12]:80 (Weight set to 6)',
    ])
    assert.equal((await lvsdCommand('reload')).code, 0)
    await lvsd.stop()
    await again()
    await lvsd.kill()
    await again()
    await assertNoMail(3000)

    web.servers[0]?.kill()
    await tableBecomes(table(0, 6))
    const [first, ...repeated] = await subjects(2)
    assert.equal(first, 'Quiescent real server: [fc00::11]:80 (Weight set to 0)')
    const DOWN = 'Inaccessible real server: [fc00::11]:80'
    assert.deepEqual([...new Set(repeated)], [DOWN])
    await lvsd.stop()
    mail.mails.length = 0
    await again()
    const [repeatedOnce] = await subjects(1)
    assert.equal(repeatedOnce, DOWN)

    writeFileSync(`${HOLDS}/[fc00::11]:80`, '')
    await lvsd.hears('held down for maintenance')
    await pause(2500)
    await subjects(0)
    await assertNoMail(4000)
    web.servers[0]?.revive()
    await pause(1500)
    rmSync(`${HOLDS}/[fc00::11]:80`)
    await tableBecomes(table(5, 6))
    assert.deepEqual(await subjects(1), ['Restored real server: [fc00::11]:80 (Weight set to 5)'])

    assert.equal(told(), '')
    for (const server of web.servers) server.kill()
    await tableBecomes(table(0, 0))
    const line = (word: string) => `${word} [fc00::80]:80 tcp\n`
    await until(() => told() === line('start'), { what: 'the fallbackcommand' })
    await lvsd.kill()
    await again()
    await pause(1500)
    assert.equal(told(), line('start'))
    await lvsd.stop()
    for (const server of web.servers) server.revive()
    await again()
    await tableBecomes(table(5, 6))
    await until(() => told() === line('start') + line('stop'), { what: 'the fallbackcommand' })
  })
})
