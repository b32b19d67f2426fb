/**
 * Two directors as processes, with a role from a lease: kill -9 of the active one, and a Redis that is silent. Only with
 * LVSD_CLUSTER_LONG=1.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchDirectors, fetchStatus } from '../../../src/api/client.js'
import { onCleanup } from '../../support/after-each.js'
import { freePort } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { redisProgram, redisServer } from '../../support/redis-server.js'
import { refusedPort } from '../../support/servers.js'
import { until } from '../../support/until.js'

const PATIENCE = { patience: 60_000 }

/** Starts a director with a table in memory. Returns its process and its control socket. */
function start(redis: number, real: number): { readonly child: ChildProcess; readonly socket: string } {
  const folder = temporaryFolder()
  const socket = join(folder, 'lvsd.sock')
  const file = join(folder, 'site.yaml')
  writeFileSync(
    file,
    `settings: { socket: ${socket}, state: ${folder} }
cluster: { site: berlin, redis: 'redis://[::1]:${redis}', role: { from: redis, lease: 2s }, standby: { table: empty } }
services:
  web:
    virtual: '[2001:db8::80]:80'
    check: { kind: connect, interval: 200ms }
    reals: ['[::1]:${real}']
`,
  )
  const child = spawn(process.execPath, [installed('main'), 'run', '--kernel', 'memory', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  onCleanup(() => child.kill('SIGKILL'))
  return { child, socket }
}

const clusterOf = async (socket: string) => (await fetchStatus(socket).catch(() => null))?.cluster ?? null

if (process.env.LVSD_CLUSTER_LONG)
  describe('two directors as processes', function () {
    this.timeout(180_000)

    it('hand the role over at a kill -9, and keep it while Redis is silent, and check on', async function () {
      const file = redisProgram(() => this.skip())
      const redis = await redisServer({ file, port: await freePort() })
      const real = await refusedPort()
      const directors = [start(redis.port, real), start(redis.port, real)]
      const roles = () => Promise.all(directors.map(async ({ socket }) => (await clusterOf(socket))?.role))
      const active = async () => (await roles()).filter(role => role === 'active').length
      await until(
        async () => (await active()) === 1 && (await roles()).every(role => role !== undefined),
        PATIENCE,
      )
      for (const { socket } of directors)
        await until(async () => (await fetchDirectors(socket)).directors.length === 2, PATIENCE)
      const before = await roles()

      redis.signal('SIGSTOP')
      const isAway = async (socket: string) => (await clusterOf(socket))?.redis?.state === 'away'
      for (const { socket } of directors) await until(() => isAway(socket), PATIENCE)
      for (const { socket } of directors) {
        const lastAt = async () => (await fetchStatus(socket)).services[0]?.reals[0]?.checks[0]?.lastAt ?? ''
        const began = await lastAt()
        await until(async () => (await lastAt()) > began, PATIENCE)
      }
      assert.deepEqual(await roles(), before)
      redis.signal('SIGCONT')
      for (const { socket } of directors)
        await until(async () => (await clusterOf(socket))?.redis?.state === 'connected', PATIENCE)
      assert.deepEqual(await roles(), before)

      const i = before.indexOf('active')
      const other = directors[1 - i]
      directors[i]?.child.kill('SIGKILL')
      assert.ok(other)
      await until(async () => (await clusterOf(other.socket))?.role === 'active', PATIENCE)
      const cluster = await clusterOf(other.socket)
      // 3 if the lease of the first ran out while Redis was silent, and it has taken it again.
      assert.match(cluster?.reason ?? '', /it holds the lease of the site \(token [23]\)/)
      assert.equal(cluster?.table, 'reconcile')
      await until(async () => (await fetchDirectors(other.socket)).directors.length === 1, PATIENCE)
    })
  })
