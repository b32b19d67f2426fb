/**
 * Another machine answers ARP or neighbour solicitations for a virtual address of the director: a real server with direct
 * routing whose arp_ignore is not set, or that has the address on the interface of the network.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Finding } from '../../src/doctor/finding.js'
import { packageRoot } from '../../src/system/version.js'
import { type Lvsd, lvsdCommand, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { runOnDirector } from './site/run.js'
import { buildSite, DIRECTOR, freshDirector, ip, set } from './site/site.js'

const V6 = { virtual: 'fc00::90', real: 'fc00::31' }
const V4 = { virtual: '10.9.0.90', real: '10.9.0.31' }
const BACKUP = 'backup'
const VMAC = '00:00:5e:00:01:05'
const WHO_HAS = join(packageRoot, 'build/test/kernel/site/who-has.js')

const config = (settings: string) => `
settings: { conflict-check: 1s, ${settings} }
defaults: { check: { kind: connect, interval: 1s }, forwarding: gate }
services:
  six: { virtual: '[${V6.virtual}]:80', reals: ['[${V6.real}]:80'] }
  four: { virtual: '${V4.virtual}:80', reals: ['${V4.real}:80'] }
`

const answerArp = (isAnswering: boolean) =>
  within('r31', () => set('ipv4/conf/all/arp_ignore', isAnswering ? 0 : 1))

function hardwareOf(namespace: string, link: string): string {
  const text = execFileSync('ip', ['-n', namespace, '-json', 'link', 'show', link], { encoding: 'utf8' })
  return (JSON.parse(text) as { address: string }[])[0]?.address as string
}

const conflictLines = (lvsd: Lvsd) => lvsd.lines.filter(({ event }) => String(event).startsWith('address.'))

describe('another machine answers for a virtual address', () => {
  before(async () => {
    const machines = [
      { name: 'r31', address: V6.real, virtual: [V6.virtual] },
      { name: BACKUP, address: 'fc00::e', virtual: [V6.virtual] },
    ]
    await buildSite([V6.virtual], machines)
    ip(DIRECTOR, ['addr add 10.9.0.13/24 dev lan', `addr add ${V4.virtual}/32 dev lan`])
    for (const [name, address] of [
      ['r31', V4.real],
      [BACKUP, '10.9.0.14'],
    ] as const) {
      within(name, () => set('ipv4/conf/all/arp_ignore', 1))
      ip(name, [`addr add ${address}/24 dev eth0`, `addr add ${V4.virtual}/32 dev lo`])
    }
  })

  beforeEach(async () => {
    await freshDirector()
    // Also after a test that has failed.
    answerArp(false)
    for (const [name, command] of [
      [DIRECTOR, ['link', 'del', 'second']],
      ['r31', ['addr', 'del', `${V6.virtual}/128`, 'dev', 'eth0']],
      [BACKUP, ['addr', 'del', `${V4.virtual}/32`, 'dev', 'eth0']],
    ] as const)
      spawnSync('ip', ['-n', name, ...command], { stdio: 'ignore' })
    ip(BACKUP, [`addr replace ${V4.virtual}/32 dev lo`])
    startRealServer('r31')
  })

  it('a real server is named, and the end is told; a backup that has the address on lo says nothing', async () => {
    const backup = await startLvsd(
      writeConfig(config('socket: /run/site/backup.sock, state: /run/site/backup'), 'backup.yaml'),
      BACKUP,
    )
    const lvsd = await startLvsd(writeConfig(config('')))

    answerArp(true)
    const begun = await lvsd.hears('answers ARP requests')
    const hardware = hardwareOf('r31', 'eth0')
    const { address, services, interface: link, hardware: heard, server, msg } = begun
    assert.deepEqual(
      { address, services, link, heard, server },
      { address: V4.virtual, services: ['four'], link: 'lan', heard: hardware, server: V4.real },
    )
    assert.match(msg, /the real server 10\.9\.0\.31 .*\.arp_ignore=1/)
    const { services: told } = await lvsd.status()
    assert.deepEqual(
      told.map(({ name, conflicts = [] }) => [name, conflicts.map(one => one.server)]),
      [
        ['six', []],
        ['four', [V4.real]],
      ],
    )
    assert.match(
      (await lvsdCommand('why', 'four')).output.replace(/\s+/g, ' '),
      /the real server 10\.9\.0\.31/,
    )
    assert.deepEqual(await doctorFinds(), [`warning ${V4.real} answers for ${V4.virtual} too, on lan`])
    answerArp(false)
    await lvsd.hears(`${V4.virtual}: no other machine`)
    assert.match((await doctorFinds()).join(), /^ok no other machine answers .*2 asked about/)

    ip('r31', [`addr add ${V6.virtual}/128 dev eth0 nodad`])
    const six = await lvsd.hears('answers neighbour solicitations')
    assert.deepEqual(
      [six.address, six.hardware, six.server, six.interface],
      [V6.virtual, hardware, V6.real, 'lan'],
    )
    ip('r31', [`addr del ${V6.virtual}/128 dev eth0`])
    await lvsd.hears(`${V6.virtual}: no other machine`)

    assert.deepEqual(conflictLines(backup), [])
    // Both directors have the address now: each hears the other one.
    ip(BACKUP, [`addr del ${V4.virtual}/32 dev lo`, `addr add ${V4.virtual}/32 dev eth0`])
    const doubled = await backup.hears('answers ARP requests')
    assert.equal(doubled.hardware, hardwareOf(DIRECTOR, 'lan'))
    assert.match(doubled.msg, /another machine \(/)
    const both = await lvsd.hears('answers ARP requests')
    assert.equal(both.hardware, hardwareOf(BACKUP, 'eth0'))
    ip(BACKUP, [`addr del ${V4.virtual}/32 dev eth0`])
    await backup.hears(`${V4.virtual}: this machine does not have it`)
    await lvsd.hears(`${V4.virtual}: no other machine`)
  })

  it('another interface of the director itself, with a hardware address of VRRP, is no conflict', async () => {
    execFileSync('modprobe', ['macvlan'])
    ip(DIRECTOR, [
      'link add second type veth peer name port',
      'link set port master lan up',
      'link set second up',
      `link add link second name vrrp5 address ${VMAC} type macvlan mode bridge`,
      `addr add ${V4.virtual}/32 dev vrrp5`,
      'link set vrrp5 up',
    ])
    const { output } = await runOnDirector(process.execPath, [WHO_HAS, 'lan', V4.virtual])
    assert.ok(output.split('\n').includes(VMAC), `the machine answers itself: ${output}`)
    const lvsd = await startLvsd(writeConfig(config('')))
    answerArp(true)
    const { server } = await lvsd.hears('answers ARP requests')
    assert.equal(server, V4.real)
    answerArp(false)
    await lvsd.hears('no other machine')
    assert.deepEqual(
      conflictLines(lvsd).map(line => [line.event, line.hardware ?? null]),
      [
        ['address.conflict', hardwareOf('r31', 'eth0')],
        ['address.conflict-over', null],
      ],
    )
    ip(DIRECTOR, ['link del second'])
  })
})

/** What doctor says of conflicts, in its own words. */
async function doctorFinds(): Promise<readonly string[]> {
  const { output } = await lvsdCommand('doctor', '--json')
  const { findings } = JSON.parse(output) as { findings: readonly Finding[] }
  return findings.filter(({ id }) => id === 'address-conflict').map(one => `${one.severity} ${one.title}`)
}
