/** The recipe deploy/cluster/haproxy: each of its programs reads its file. The lab test cluster runs them together. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { loadConfig } from '../../../src/config/load.js'
import { aclLine } from '../../../src/core/redis-commands.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { RECIPE, recipeFile } from '../../support/recipe.js'
import { httpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

/** Returns the lines that a program prints. */
function linesOf(file: string, ...words: readonly string[]): { status: number | null; lines: string[] } {
  const { status, stdout, stderr } = spawnSync(file, words, { encoding: 'utf8' })
  return { status, lines: `${stdout}${stderr}`.split('\n').filter(line => line !== '') }
}

/** haproxy.cfg for a machine without a user haproxy, on ports of ::1. */
function haproxyFile(folder: string, web: number, agent: number, application: number): string {
  const file = join(folder, 'haproxy.cfg')
  const changes = [
    ['    user haproxy\n    group haproxy\n', ''],
    ['/run/haproxy/admin.sock', join(folder, 'admin.sock')],
    ['/etc/haproxy/agent.lua', join(RECIPE, 'agent.lua')],
    ['bind [::]:80', `bind [::1]:${web}`],
    ['bind [::]:9707', `bind [::1]:${agent}`],
    ['bind 0.0.0.0:80', `bind 127.0.0.1:${web}`],
    ['bind 0.0.0.0:9707', `bind 127.0.0.1:${agent}`],
    ['198.51.100.31:8080', `[::1]:${application}`],
    ['198.51.100.32:8080', '127.0.0.1:1'],
  ] as const
  writeFileSync(file, recipeFile('haproxy.cfg', changes))
  return file
}

describe('deploy/cluster/haproxy', function () {
  this.timeout(60_000)

  it('has a README that names each of its files', () => {
    const readme = readFileSync(join(RECIPE, 'README.md'), 'utf8')
    for (const name of readdirSync(RECIPE))
      assert.ok(name === 'README.md' || readme.includes(`](${name})`), name)
    for (const [, path = ''] of readme.matchAll(/\]\(([^)#]+)\)/g))
      assert.ok(existsSync(join(RECIPE, path)), path)
  })

  it('keepalived reads both of its files', function () {
    const keepalived = programOr(() => this.skip(), 'keepalived', 'keepalived')
    for (const name of ['keepalived.conf', 'keepalived-sync-group.conf']) {
      const { lines } = linesOf(keepalived, '-t', '-f', join(RECIPE, name))
      // It complains of interfaces that this machine does not have, and of nothing else.
      assert.deepEqual(
        lines.filter(line => !line.includes('eth0') && !line.startsWith('Non-existent interface')),
        [],
      )
    }
  })

  it('lvsd reads its configuration, and its other form for the sync group', async () => {
    const folder = folderOf({ 'redis.passwd': 'geheim\n' })
    const password = ['/etc/lvsd/redis.passwd', join(folder, 'redis.passwd')] as const
    const group = [
      ['instance: VI_6, fifo', 'group: SITE, fifo'],
      ['  track-file: { path: /run/lvsd/priority, weight: 60 }\n', ''],
    ] as const
    for (const changes of [[], group]) {
      const file = join(folder, 'lvsd.yaml')
      writeFileSync(file, recipeFile('lvsd.yaml', [password, ...changes]))
      const { config, problems } = await loadConfig(file)
      assert.deepEqual(problems, [])
      assert.deepEqual(
        config?.services.map(({ reals }) => reals.length),
        [4],
      )
    }
  })

  it('Redis knows the user of the reference', () => {
    const line = aclLine('lvsd', 'lvsd').replace('PASSWORD', 'PASSWORD-OF-LVSD')
    assert.ok(readFileSync(join(RECIPE, 'users.acl'), 'utf8').split('\n').includes(line))
  })

  it('haproxy reads its file, answers /health, and its agent tells the share of its servers', async function () {
    const haproxy = programOr(() => this.skip(), 'haproxy', 'haproxy')
    let healthy = true
    const application = await httpServer((_, response) => response.writeHead(healthy ? 200 : 500).end('ok'))
    const [web, agent] = [await freePort(), await freePort()]
    const file = haproxyFile(folderOf({}), web, agent, application.port)
    assert.deepEqual(linesOf(haproxy, '-c', '-f', file), {
      status: 0,
      lines: ['Configuration file is valid'],
    })

    await start(haproxy, ['-f', file], [web, agent])
    const asked = () => text(connect(agent, '::1'))
    await until(async () => (await asked()) === '50%\n')
    assert.equal(await (await fetch(`http://[::1]:${web}/`)).text(), 'ok')
    assert.equal((await fetch(`http://[::1]:${web}/health`)).status, 200)
    healthy = false
    await until(async () => (await fetch(`http://[::1]:${web}/health`)).status === 503)
    assert.equal(await asked(), 'up\n')
  })
})
