/** Directors as processes with a real Redis, which share checks: what each of them then says. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DirectorProcess } from '../../support/director-process.js'
import { temporaryFolder } from '../../support/folder.js'
import { aclServer, type RedisServer, redisProgram } from '../../support/redis-server.js'
import { until } from '../../support/until.js'

describe('directors that share checks through Redis', function () {
  this.timeout(120_000)
  const patience = 60_000
  let file = ''
  let redis: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
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
