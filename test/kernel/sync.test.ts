/** The sync daemon of a real kernel: as lvsd asks for it, and as ipvsadm reads it; connections arrive at the other director. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fetchStatus } from '../../src/api/client.js'
import { until } from '../support/until.js'
import { fetchPage } from './site/client.js'
import { startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, ip } from './site/site.js'

const VIP = 'fc00::80'
const SYNC = 'mcast=eth0, syncid=7, maxlen=1200, group=ff02::81, port=8850, ttl=3'

const socketOf = (name: string) => `/run/${name}/lvsd.sock`

function setRole(name: string, role: 'active' | 'standby'): void {
  writeFileSync(`/run/${name}/role`, `${role}\n`)
}

function configOf(name: string): string {
  return writeConfig(
    `
settings: { socket: ${socketOf(name)}, state: /var/lib/${name} }
cluster:
  role: { from: file, path: /run/${name}/role }
  sync: { interface: eth0, id: 7, group: 'ff02::81', port: 8850, ttl: 3, max-length: 1200 }
services:
  web: { virtual: '[${VIP}]:80', check: none, reals: ['[fc00::11]:80 gate'] }
`,
    `${name}.yaml`,
  )
}

const ipvsadm = (name: string, ...words: readonly string[]) =>
  within(name, () => execFileSync('ipvsadm', words, { encoding: 'utf8' }))

/** What ipvsadm says of the daemons: `master sync daemon (mcast=eth0, …)`. */
const daemonsOf = (name: string) => ipvsadm(name, '--list', '--daemon').trim().split('\n')

const become = (name: string, lines: readonly string[]) =>
  until(() => JSON.stringify(daemonsOf(name)) === JSON.stringify(lines), {
    what: () => `${lines} on ${name}; it has ${daemonsOf(name)}`,
  })

const daemon = (state: string) => [`${state} sync daemon (${SYNC})`]

/** The sync daemons of `lvsd status`. */
async function seenBy(name: string) {
  const { cluster } = await fetchStatus(socketOf(name))
  return cluster?.sync?.daemons.map(({ state, interface: link, id }) => [state, link, id])
}

describe('the sync daemon of the kernel', function () {
  this.timeout(120_000)

  before(async () => {
    await buildSite(
      [],
      [
        { name: 'd1', address: 'fc00::1' },
        { name: 'd2', address: 'fc00::2' },
        { name: 'r11', address: 'fc00::11', virtual: [VIP] },
      ],
    )
    for (const name of ['d1', 'd2']) mkdirSync(`/run/${name}`)
  })

  it('runs as the configuration says, by the role, and carries connections to the standby', async () => {
    startRealServer('r11')
    setRole('d1', 'active')
    setRole('d2', 'standby')
    const [d1, d2] = await Promise.all([startLvsd(configOf('d1'), 'd1'), startLvsd(configOf('d2'), 'd2')])
    await become('d1', daemon('master'))
    await become('d2', daemon('backup'))
    assert.deepEqual(
      [await seenBy('d1'), await seenBy('d2')],
      [[['master', 'eth0', 7]], [['backup', 'eth0', 7]]],
    )

    ip('d1', [`addr add ${VIP}/128 dev eth0 nodad`])
    assert.equal((await fetchPage(VIP)).status, 200)
    await until(() => ipvsadm('d2', '-Lnc').includes('fc00::11'), { what: 'the connection at the standby' })

    setRole('d1', 'standby')
    setRole('d2', 'active')
    await become('d1', daemon('backup'))
    await become('d2', daemon('master'))

    // Another program changes it.
    ipvsadm('d2', '--stop-daemon', 'master')
    ipvsadm('d1', '--stop-daemon', 'backup')
    ipvsadm('d1', '--start-daemon', 'backup', '--mcast-interface', 'eth0', '--syncid', '9')
    await become('d1', daemon('backup'))
    await become('d2', daemon('master'))

    await Promise.all([d1.stop(), d2.stop()])
    assert.deepEqual([daemonsOf('d1'), daemonsOf('d2')], [daemon('backup'), daemon('master')])
  })
})
