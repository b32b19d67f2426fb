/**
 * Two directors with a lease in Redis, each in a network namespace: one loses its network, then both. Tables in memory. Only
 * with LVSD_CLUSTER_LONG=1.
 */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onCleanup } from '../../support/after-each.js'
import { needsRoot } from '../../support/as-root.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { redisServer } from '../../support/redis-server.js'
import { until } from '../../support/until.js'

/** Milliseconds; long enough for a machine that stands still for a moment. */
const LEASE = 2000

interface Director {
  /** What lvsd has said of its role and its network, without `role.applied`. */
  told(): readonly string[]
  /** Takes the other end of the cable down, or up again. */
  network(state: 'up' | 'down'): void
  hears(event: string, times: number): Promise<void>
}

/** Its only path to the outside is the interface `wan`; Redis answers on a Unix socket. */
async function startDirector(name: string, redis: string): Promise<Director> {
  const folder = join(temporaryFolder(), name)
  mkdirSync(folder)
  const config = join(folder, 'site.yaml')
  writeFileSync(
    config,
    `settings: { socket: ${folder}/lvsd.sock, state: ${folder}/state }
cluster:
  site: berlin
  redis: 'unix://${redis}'
  role: { from: redis, lease: ${LEASE}ms }
  connectivity: { interfaces: [wan] }
services:
  web: { virtual: '[2001:db8::80]:80', check: none, reals: ['[::1]:80'] }
`,
  )
  const ip = (...words: readonly string[]) => execFileSync('ip', ['-n', name, 'link', ...words])
  const network = (state: 'up' | 'down') => void ip('set', 'far', state)
  ip('add', 'wan', 'type', 'veth', 'peer', 'name', 'far')
  ip('set', 'wan', 'up')
  network('up')
  const words = [
    'netns',
    'exec',
    name,
    process.execPath,
    installed('main'),
    'run',
    '--kernel',
    'memory',
    config,
  ]
  const child = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('close', resolve))
  onCleanup(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  const told = () =>
    [...output.matchAll(/"event":"((?:role|director)\.[a-z-]+)"/g)]
      .map(([, event = '']) => event)
      .filter(event => event !== 'role.applied')
  await until(() => output.includes('"daemon.started"'), { what: () => output })
  return {
    told,
    network,
    hears: (event, times) =>
      until(() => told().filter(each => each === event).length === times, {
        what: () => `${name}: ${event}, ${times} times; it said ${told()}: ${output}`,
      }),
  }
}

if (process.env.LVSD_CLUSTER_LONG)
  describe('the role from a lease, and the network', function () {
    this.timeout(120_000)

    it('leaves a director without its network, and stays where it is while both have none', async function () {
      needsRoot(() => this.skip())
      const file = programOr(() => this.skip(), 'redis-server', 'redis-server')
      const names = ['1', '2'].map(n => `lvsd-lost-${process.pid}-${n}`)
      onCleanup(() => void names.map(name => spawnSync('ip', ['netns', 'del', name])))
      for (const name of names)
        if (spawnSync('ip', ['netns', 'add', name]).status !== 0) {
          console.log('      left out: this machine allows no network namespaces')
          this.skip()
        }
      const path = join(temporaryFolder(), 'redis.sock')
      await redisServer({ file, port: await freePort(), options: ['--unixsocket', path] })
      const [one = '', two = ''] = names
      const d1 = await startDirector(one, path)
      await d1.hears('role.active', 1)
      const d2 = await startDirector(two, path)

      d1.network('down')
      await d1.hears('role.standby', 1)
      await d2.hears('role.active', 1)
      // Nobody could take the lease, so nothing moves.
      d2.network('down')
      await d2.hears('director.connectivity-lost', 1)
      await new Promise(resolve => setTimeout(resolve, LEASE))
      const lost = 'director.connectivity-lost'
      assert.deepEqual(
        [d1.told(), d2.told()],
        [
          ['role.active', lost, 'role.standby'],
          ['role.active', lost],
        ],
      )
      // The first that has its network again takes the role, and the other one leaves it there.
      d1.network('up')
      await d1.hears('role.active', 2)
      await d2.hears('role.standby', 1)
      d2.network('up')
      await d2.hears('director.connectivity-restored', 1)
      await new Promise(resolve => setTimeout(resolve, LEASE))
      assert.deepEqual(
        [d1.told().at(-1), d2.told().at(-1)],
        ['role.active', 'director.connectivity-restored'],
      )
    })
  })
