/**
 * Two directors with keepalived (VRRP over IPv6) and lvsd, as deploy/cluster has them. They hang on the bridge of a third
 * machine, so that each can be cut off. Real servers answer by direct routing.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { fetchPage, steadyClient } from './site/client.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, ip } from './site/site.js'
import { plain, readTable } from './site/table.js'

const VIP = 'fc00::80'
const FULL = { [`tcp [${VIP}]:80`]: { '[fc00::11]:80': 'route 1', '[fc00::12]:80': 'route 1' } }
/** Milliseconds until a standby notices that the active one is dead: three intervals of 200 ms, and less than one more. */
const VRRP = 800
/** Milliseconds of a request, so that it fails if its packets went to a dead director. */
const TIMEOUT = 900

const fifo = (name: string) => `/run/${name}/vrrp`

function configOf(name: string): string {
  return writeConfig(
    `
settings: { socket: /run/${name}/lvsd.sock, state: /var/lib/${name} }
cluster:
  site: lab
  role: { from: vrrp, address: '${VIP}', instance: VI_6, fifo: ${fifo(name)} }
services:
  web:
    virtual: '[${VIP}]:80'
    checks: { kind: connect, interval: 500ms, rise: 1, fall: 3 }
    reals: ['[fc00::11]:80 gate', '[fc00::12]:80 gate']
`,
    `${name}.yaml`,
  )
}

/** Starts keepalived with the file of deploy/cluster. */
async function startKeepalived(name: string, priority: number): Promise<ChildProcess> {
  const sample = readFileSync(join(packageRoot, 'deploy/cluster/keepalived-vrrp.conf'), 'utf8')
  const text = sample
    .replace('/run/lvsd/vrrp', fifo(name))
    .replace('priority 100', `priority ${priority}\n    nopreempt`)
    .replace('2001:db8::80/64', `${VIP}/64`)
  const file = `/run/${name}/keepalived.conf`
  writeFileSync(file, text)
  const pids = ['--pid', '--vrrp_pid'].map(option => `${option}=/run/${name}/${option}`)
  const child = within(name, () =>
    spawn('keepalived', ['-P', '-n', '-l', '-f', file, ...pids], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  onCleanup(() => void child.kill('SIGKILL'))
  await until(() => /Entering BACKUP STATE/.test(output), { what: () => `keepalived runs: ${output}` })
  return child
}

/** True if a request is answered. */
const isServed = () =>
  fetchPage(VIP, '/', { timeout: TIMEOUT }).then(
    ({ status }) => status === 200,
    () => false,
  )

const tableOf = (name: string) => plain(readTable(name))

/** What lvsd has said of its role, without the milliseconds. */
const told = (lvsd: Lvsd, from: number) =>
  lvsd.lines
    .slice(from)
    .filter(({ event }) => /^role\./.test(String(event)))
    .map(({ event, changes }) => `${event}${changes === undefined ? '' : ` ${changes}`}`)

describe('two directors with VRRP', function () {
  this.timeout(600_000)

  before(async () => {
    await buildSite(
      [],
      [
        { name: 'd1', address: 'fc00::1' },
        { name: 'd2', address: 'fc00::2' },
        { name: 'r11', address: 'fc00::11', virtual: [VIP] },
        { name: 'r12', address: 'fc00::12', virtual: [VIP] },
      ],
    )
    for (const name of ['d1', 'd2']) mkdirSync(`/run/${name}`)
  })

  it('a director dies: requests fail for the time of VRRP alone, and the other one changes nothing in its table', async () => {
    // It may be down from a first attempt.
    ip(DIRECTOR, ['link set d1 up'])
    for (const name of ['r11', 'r12']) startRealServer(name)
    const directors = await Promise.all(['d1', 'd2'].map(name => startLvsd(configOf(name), name)))
    const [d1, d2] = directors as [Lvsd, Lvsd]
    const k1 = await startKeepalived('d1', 100)
    await d1.hears('this director is active')
    await startKeepalived('d2', 90)
    await until(() => JSON.stringify([tableOf('d1'), tableOf('d2')]) === JSON.stringify([FULL, FULL]), {
      what: 'both tables',
    })
    await until(isServed)

    // The machine of d1 dies.
    const client = steadyClient(VIP, { fetch: () => fetchPage(VIP, '/', { timeout: TIMEOUT }) })
    const before2 = d2.lines.length
    const diedAt = performance.now()
    ip(DIRECTOR, ['link set d1 down'])
    k1.kill('SIGKILL')
    await d1.kill()
    await d2.hears('this director is active')
    const took = performance.now() - diedAt
    await d2.hears('the table follows the role')
    await until(isServed)
    const { sent, failures } = await client.stop()
    const late = failures.filter(({ at }) => at > diedAt + took)
    console.log(
      `      VRRP ${took.toFixed()} ms; ${failures.length} of ${sent} requests failed, ${late.length} of them after the takeover`,
    )
    assert.ok(took > VRRP / 4 && late.length <= 25, JSON.stringify({ took, late }))
    assert.deepEqual(told(d2, before2), ['role.active', 'role.applied 0'])
    assert.deepEqual(tableOf('d2'), FULL)
  })
})
