/** The Debian package under a running systemd, with the kernel's table: an upgrade and a purge. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { DEFAULT_SOCKET, fetchStatus } from '../../src/api/client.js'
import { packageRoot } from '../../src/system/version.js'
import { builtPackages } from '../support/debian-package.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, tableBecomes, tableIs } from './site/site.js'
import { withSystemd } from './site/systemd.js'
import { watchTable } from './site/watcher.js'

const SITE = `
services:
  web:
    virtual: '[fc00::80]:80'
    check: { kind: http, interval: 1s }
    reals: ['[fc00::3]:80 masq', '[fc00::4]:80 masq 2']
`
const TABLE = { 'tcp [fc00::80]:80': { '[fc00::3]:80': 'masq 1', '[fc00::4]:80': 'masq 2' } }

describe('Debian package under systemd', function () {
  // dpkg makes thousands of system calls, which are slow in a guest.
  this.timeout(600_000)

  before(async function () {
    if (process.env.LAB_KIND !== 'uml') this.skip()
    makeInstallable()
    await buildSite(
      ['fc00::80'],
      [3, 4].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })
  const { systemctl, property, run } = withSystemd({})
  const dpkg = async (...words: readonly string[]) => {
    const { code, output } = await run('dpkg', '--force-depends', '--force-unsafe-io', ...words)
    assert.equal(code, 0, `${words.join(' ')}: ${output}`)
  }

  it('is installed, upgraded over a running lvsd and purged without a change of the table', async () => {
    await freshDirector()
    for (const name of ['r3', 'r4']) startRealServer(name)
    // systemd has an empty /tmp, where the clone may be.
    const there = (path: string) => path.replace(packageRoot, '/opt/lvsd')
    const { labFirst, labSecond } = builtPackages()
    await dpkg('--install', there(labFirst))
    assert.equal(await property('lvsd', 'ActiveState'), 'inactive')
    assert.equal(await property('lvsd', 'UnitFileState'), 'disabled')

    writeFileSync('/etc/lvsd/lvsd.yaml', SITE)
    assert.equal((await systemctl('enable', '--now', 'lvsd')).code, 0)
    await tableBecomes(TABLE)
    const watcher = watchTable('director')
    const before = await fetchStatus(DEFAULT_SOCKET)

    await dpkg('--install', there(labSecond))
    assert.equal(await property('lvsd', 'ActiveState'), 'active')
    assert.notEqual((await fetchStatus(DEFAULT_SOCKET)).pid, before.pid)

    // test/programs/deploy/debian.test.ts removes it first, and finds what stays.
    await dpkg('--purge', 'lvsd')
    assert.equal(await property('lvsd', 'ActiveState'), 'inactive')
    const left = ['/etc/lvsd', '/var/lib/lvsd', '/var/lib/private/lvsd', '/run/lvsd', '/usr/lib/lvsd', WANTED]
    assert.deepEqual(left.filter(isThere), [])
    assert.deepEqual(watcher.take(), [])
    tableIs(TABLE)
  })
})

const WANTED = '/etc/systemd/system/multi-user.target.wants/lvsd.service'

const BASE = `Package: base
Status: install ok installed
Maintainer: tests <tests@lvsd.test>
Architecture: all
Version: 1
Description: the folders of every system
`

/** Lays memory over /usr, and puts a data base of dpkg in its place in which another package has the usual folders. */
function makeInstallable(): void {
  execFileSync('modprobe', ['overlay'])
  for (const folder of ['/run/upper', '/run/work', '/var/lib/dpkg/info', '/var/lib/dpkg/updates'])
    mkdirSync(folder, { recursive: true })
  writeFileSync('/var/lib/dpkg/available', '')
  writeFileSync('/var/lib/dpkg/status', BASE)
  // Else a purge removes them as the last owner, and fails: the root of the lab is read-only.
  writeFileSync('/var/lib/dpkg/info/base.list', ['/.', '/etc', '/usr', '/var', '/var/lib', ''].join('\n'))
  const layers = 'lowerdir=/usr,upperdir=/run/upper,workdir=/run/work'
  execFileSync('mount', ['-t', 'overlay', '-o', layers, 'lab', '/usr'])
  // A container may forbid its packages to start and stop services.
  rmSync('/usr/sbin/policy-rc.d', { force: true })
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}
