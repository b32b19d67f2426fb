/** Directors as processes with a real Redis, which share checks: what each of them then says. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { DirectorProcess } from '../../support/director-process.js'
import { temporaryFolder } from '../../support/folder.js'
import { aclServer, type RedisServer, redisProgram } from '../../support/redis-server.js'
import { until } from '../../support/until.js'

/** An address that nobody else uses: another program must not take the port of a closed server. */
const HOST = '127.77.0.2'

describe('directors that share checks through Redis', function () {
  this.timeout(120_000)
  const patience = 60_000
  let file = ''
  let redis: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
    // Not within the time of the first test.
    installed('main')
  })
  beforeEach(async () => {
    redis = await aclServer(file)
  })

  /** Directors for which a server is down while their own folder has a file of its name. */
  function blinkers() {
    const script = join(temporaryFolder(), 'check.sh')
    writeFileSync(script, '#!/bin/sh\ntest ! -e "$BLIND/$LVSD_REALPORT"\n', { mode: 0o755 })
    const services = `web:
  virtual: '[2001:db8::80]:80'
  check:
    { kind: external, checkcommand: ${script}, environment: [BLIND], interval: 1s, timeout: 900ms, rise: 1, fall: 2, fastinter: 300ms }
  reals: ['[::1]:8001', '[::1]:8002']
`
    return (...blind: readonly number[]) => {
      const folder = temporaryFolder()
      const isDown = (port: number, down: boolean) =>
        down ? writeFileSync(join(folder, `${port}`), '') : rmSync(join(folder, `${port}`))
      for (const port of blind) isDown(port, true)
      const cluster = 'observers: 2\nheartbeat: 1s\n'
      const director = new DirectorProcess({
        ...{ redis: redis.port, cluster, services, env: { BLIND: folder } },
      })
      return { director: director.start(), isDown }
    }
  }

  it('stay in the site of each other, though one has a heartbeat 15 times as long', async () => {
    const reals = Array.from({ length: 24 }, (_, i) => `'[::1]:${8001 + i}'`)
    const services = `web:
  virtual: '[2001:db8::80]:80'
  check: { kind: connect, interval: 2s }
  reals: [${reals.join(', ')}]
`
    const begin = (heartbeat: string) =>
      new DirectorProcess({
        ...{ redis: redis.port, services, cluster: `observers: 1\nheartbeat: ${heartbeat}\n` },
      }).start()
    const [fast, slow] = [begin('400ms'), begin('6s')]
    const both = async () => (await fast.sharing())?.directors.length === 2
    await until(async () => (await both()) && ((await fast.sharing())?.heard ?? 0) > 0, { patience })
    const ends = performance.now() + 4000
    while (performance.now() < ends) assert.ok(await both(), 'the slow one is forgotten')
    // The longest time until the slow one writes its next heartbeat.
    const keys = async () => (await redis.tell(['KEYS', '*:member:*']))[0] as readonly string[]
    const lasts = async () =>
      Math.max(...(await redis.tell(...(await keys()).map(key => ['PTTL', key]))).map(Number))
    await until(async () => (await lasts()) > 17_500, { patience })
    await redis.tell(['FLUSHALL'])
    await until(async () => (await keys()).length === 2, { patience })
    await until(async () => (await fast.status())?.cluster?.directors.length === 2, { patience })
    for (const { log } of [fast, slow]) assert.doesNotMatch(log, /cluster\.member-left/)
  })

  it('tell the file whose code differs, ask its questions each by itself, and agree when it is the same', async () => {
    const services = `own:
  virtual: '[2001:db8::80]:80'
  check: { kind: gate, interval: 1s }
  reals: ['[::1]:8001']
web:
  virtual: '[2001:db8::81]:80'
  check: { kind: connect, interval: 1s }
  reals: ['[::1]:8001']
`
    const code = (word: string) => `export const check = {
  name: 'gate',
  summary: 'passes',
  options: () => ({}),
  run: async () => ({ ok: true, detail: '${word}' }),
}
`
    const begin = (word: string) => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, 'gate.mjs'), code(word))
      const parts = { redis: redis.port, services, settings: `checks: [${folder}]`, cluster: 'observers: 1' }
      return {
        director: new DirectorProcess(parts).start(),
        write: (text: string) => writeFileSync(join(folder, 'gate.mjs'), code(text)),
      }
    }
    const one = begin('one')
    const other = begin('other')
    const differs = async () => (await one.director.status())?.cluster?.directors[1]?.differs ?? null
    await until(async () => String(await differs()) === 'check file gate.mjs,own', { patience })
    await until(() => /member-differs.*check file gate\.mjs/.test(one.director.log), { patience })
    const asked = async () => {
      const all = await Promise.all([one, other].map(({ director }) => director.sharing()))
      return all.map(each => each?.asked ?? 0)
    }
    await until(async () => (await asked()).reduce((sum, each) => sum + each, 0) === 3, { patience })
    other.write('one')
    other.director.signal('SIGHUP')
    await until(async () => (await differs()) === null, { patience })
    await until(async () => (await asked()).reduce((sum, each) => sum + each, 0) === 2, { patience })
  })

  /** A server that can be closed and opened again. */
  async function littleServer() {
    let server = createServer(socket => void socket.on('error', () => {}).end())
    const open = async (port: number) => {
      server = createServer(socket => void socket.on('error', () => {}).end())
      server.listen(port, HOST)
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }
    const close = async () => {
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    }
    onCleanup(close)
    const port = await open(0)
    return { port, open: () => open(port), close }
  }

  const webOf = (ports: readonly number[], interval: string) => `web:
  virtual: 192.0.2.80:80
  check: { kind: connect, interval: ${interval}, timeout: 1s, rise: 1, fall: 2 }
  reals: [${ports.map(port => `'${HOST}:${port}'`).join(', ')}]
`

  /** Waits until these directors say this of the real servers. */
  const say = (all: readonly DirectorProcess[], states: string) =>
    until(
      async () => (await Promise.all(all.map(each => each.states()))).every(one => one.join() === states),
      {
        patience,
        what: () => `${states}: ${all.map(({ log }) => log.slice(-1500)).join('\n---\n')}`,
      },
    )

  for (const checks of ['off', 'slow'] as const)
    it(`do not count on a standby with checks: ${checks}, which hears what they find`, async () => {
      const server = await littleServer()
      const services = webOf([server.port], '1s')
      const begin = (cluster: string) =>
        new DirectorProcess({ redis: redis.port, services, cluster: `observers: 2\n${cluster}` }).start()
      const role = join(temporaryFolder(), 'role')
      writeFileSync(role, 'standby\n')
      const standby = begin(`role: { from: file, path: ${role} }\nstandby: { checks: ${checks} }\n`)
      const active = [begin(''), begin('')]
      const all = [...active, standby]
      await say(all, 'up')
      await until(async () => (await active[0]?.sharing())?.directors.length === 2, { patience })
      await until(async () => (await standby.sharing())?.asked === 0, { patience })
      const asked = await Promise.all(active.map(async each => (await each.sharing())?.asked))
      assert.deepEqual(asked, [1, 1])
      await server.close()
      await say(all, 'down')
      await server.open()
      await say(all, 'up')
      // The only one of a site that can still ask, once it is active.
      for (const each of active) await each.kill()
      await server.close()
      writeFileSync(role, 'active\n')
      await say([standby], 'down')
    })

  it('go on while one after the other gets a server more, and then one less', async () => {
    const servers = [await littleServer(), await littleServer(), await littleServer()]
    const ports = servers.map(({ port }) => port)
    const [first = 0, second = 0] = ports
    const cluster = 'observers: 1\nheartbeat: 1s\n'
    const parts = { redis: redis.port, services: webOf([first, second], '1s'), cluster }
    const both = [new DirectorProcess(parts).start(), new DirectorProcess(parts).start()]
    const asked = async () => {
      const all = await Promise.all(both.map(each => each.sharing()))
      return all.reduce((sum, each) => sum + (each?.asked ?? 0), 0)
    }
    const areShared = (count: number) => until(async () => (await asked()) === count, { patience })
    await say(both, 'up,up')
    await areShared(2)
    for (const [list, count] of [
      [ports, 3],
      [ports.slice(1), 2],
    ] as const) {
      const states = list.map(() => 'up').join()
      for (const each of both) {
        each.write({ services: webOf(list, '1s') })
        each.signal('SIGHUP')
        await say([each], states)
      }
      await areShared(count)
    }
    await servers[1]?.close()
    await say(both, 'down,up')
    // The status is told before the line of the log has come through the pipe.
    const downs = (each: DirectorProcess) => each.log.split('"event":"real.down"').length - 1
    await until(() => both.every(each => downs(each) > 0), { patience })
    assert.deepEqual(both.map(downs), [1, 1])
  })

  it('find within intervals of 200 ms that a server is down, and up again', async () => {
    const server = await littleServer()
    const parts = { redis: redis.port, services: webOf([server.port], '200ms') }
    const all = [1, 2, 3].map(() =>
      new DirectorProcess({ ...parts, cluster: 'observers: 2\nheartbeat: 500ms\n' }).start(),
    )
    await say(all, 'up')
    for (const each of all)
      await until(async () => (await each.sharing())?.directors.length === 3, { patience })
    for (let i = 0; i < 3; i++) {
      await server.close()
      await say(all, 'down')
      await server.open()
      await say(all, 'up')
    }
  })

  it('have the same state in a tie that lasts, whatever each knew before', async () => {
    const begin = blinkers()
    const early = begin(8002)
    await until(async () => (await early.director.states()).join() === 'up,down', { patience })
    const late = begin(8001, 8002)
    const both = [early.director, late.director]
    const areAll = (states: string) =>
      until(
        async () => (await Promise.all(both.map(each => each.states()))).every(all => all.join() === states),
        {
          patience,
          what: () => `${states}: ${both.map(({ log }) => log.slice(-2000)).join('\n---\n')}`,
        },
      )
    const disputed = (count: number) =>
      until(
        async () => (await Promise.all(both.map(each => each.sharing()))).every(s => s?.disputed === count),
        {
          patience,
        },
      )
    await disputed(1)
    await areAll('up,down')
    early.isDown(8002, false)
    await disputed(2)
    await areAll('up,up')
    assert.doesNotMatch(early.director.log, /real\.down.*8001/)
  })
})
