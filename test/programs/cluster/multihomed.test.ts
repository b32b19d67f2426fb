/** Commands on a real server with two addresses: two directors as processes, with a real Redis. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { DirectorProcess } from '../../support/director-process.js'
import { aclServer, type RedisServer, redisProgram } from '../../support/redis-server.js'
import { until } from '../../support/until.js'

const servicesWith = (reals: string) => `web:
  virtual: ['[2001:db8::80]:80', '192.0.2.80:80']
  check: 'on'
  forwarding: gate
  reals: [${reals}]
`
const ONE_MACHINE =
  "{ address: ['[2001:db8::11]:80', '192.0.2.11:80'] }, '[2001:db8::12]:80', '192.0.2.12:80'"
const APART = "'[2001:db8::11]:80', '192.0.2.11:80', '[2001:db8::12]:80', '192.0.2.12:80'"

describe('a real server with two addresses, on two directors', function () {
  this.timeout(120_000)
  let server: RedisServer
  let a: DirectorProcess
  let b: DirectorProcess

  /** Weights in the table: ::11, .11, ::12, .12. */
  const weights = async (director: DirectorProcess) => {
    const web = (await director.status())?.services.find(({ name }) => name === 'web')
    return web?.reals.map(({ weight }) => weight.kernel) ?? []
  }
  const has = (director: DirectorProcess, expected: readonly (number | null)[]) =>
    until(async () => JSON.stringify(await weights(director)) === JSON.stringify(expected), {
      what: `the weights ${JSON.stringify(expected)}`,
    })

  const run = (director: DirectorProcess, ...words: readonly string[]) =>
    new Promise<{ readonly code: unknown; readonly out: string; readonly err: string }>(resolve => {
      const argv = [director.main, ...words, '--socket', director.socket]
      execFile(process.execPath, argv, (error, out, err) => resolve({ code: error?.code ?? 0, out, err }))
    })
  const done = async (director: DirectorProcess, ...words: readonly string[]) => {
    const { code, out, err } = await run(director, ...words)
    assert.equal(code, 0, out + err)
    return out
  }

  beforeEach(async function () {
    const file = redisProgram(() => this.skip())
    server = await aclServer(file)
    const parts = { redis: server.port, services: servicesWith(ONE_MACHINE) }
    ;[a, b] = [new DirectorProcess(parts).start(), new DirectorProcess(parts).start()]
    for (const director of [a, b]) {
      await until(async () => (await director.status())?.cluster?.redis?.state === 'connected', {
        what: 'a director with Redis',
      })
      await has(director, [1, 1, 1, 1])
    }
  })

  it('is drained by one command on either address, or with --only at one', async () => {
    const drained = await done(a, 'drain', 'web/::11', '--reason', 'disk swap')
    assert.match(drained, /^web\/\[2001:db8::11\]:80 and web\/192\.0\.2\.11:80 {2}drain, by .*: disk swap\n$/)
    await has(a, [0, 0, 1, 1])
    await has(b, [0, 0, 1, 1])
    const events = () => done(a, 'events', '--site', '--event', 'override.*')
    await until(async () => (await events()).trimEnd().split('\n').length === 4, {
      what: 'an event for each address, of each director',
    })
    for (const name of ['[2001:db8::11]:80', '192.0.2.11:80'])
      assert.equal((await events()).split(`web/${name}  override: drain by `).length, 3)

    assert.match(
      await done(b, 'undrain', 'web/192.0.2.11', '--only'),
      /^web\/192\.0\.2\.11:80 {2}no override/,
    )
    for (const director of [a, b]) await has(director, [0, 1, 1, 1])
    assert.match(
      await done(b, 'undrain', 'web/192.0.2.11'),
      /^web\/\[2001:db8::11\]:80 and web\/192\.0\.2\.11:80 {2}no override: its checks decide\n$/,
    )
    for (const director of [a, b]) await has(director, [1, 1, 1, 1])
  })

  it('waits for both addresses, is checked again at both, and says of its other one', async () => {
    const waited = await done(a, 'drain', 'web/192.0.2.11', '--wait', '5m', '--json')
    const { wait } = JSON.parse(waited)
    assert.deepEqual(
      [wait.outcome, wait.reals.map(({ real }: { real: string }) => real)],
      ['empty', ['[2001:db8::11]:80', '192.0.2.11:80']],
    )
    const rechecked = async (...words: string[]) =>
      JSON.parse(await done(a, 'recheck', 'web/::11', '--json', ...words)).reals
    assert.deepEqual([await rechecked(), await rechecked('--only')], [2, 1])
    assert.match(await done(a, 'why', 'web/192.0.2.11'), /addresses +also \[2001:db8::11\]:80: /)
    assert.doesNotMatch(await done(a, 'why', 'web/192.0.2.12'), /addresses/)
  })

  it('is disabled on one director alone while Redis is silent, and on all of them afterwards', async () => {
    server.signal('SIGSTOP')
    const refused = await run(b, 'disable', 'web/::11')
    assert.deepEqual([refused.code, await weights(b)], [1, [1, 1, 1, 1]], refused.err)
    assert.match(refused.err, /nothing has changed\. With --local/)
    await done(b, 'disable', 'web/::11', '--local')
    await has(b, [null, null, 1, 1])
    assert.deepEqual(await weights(a), [1, 1, 1, 1])
    server.signal('SIGCONT')
    await has(a, [null, null, 1, 1])
    await b.kill()
    b.start()
    await has(b, [null, null, 1, 1])
    await done(b, 'enable', 'web/192.0.2.11')
    for (const director of [a, b]) await has(director, [1, 1, 1, 1])
  })

  it('is two servers after a reload of a configuration that has them apart', async () => {
    await done(a, 'weight', 'web/::11', '7')
    await has(a, [7, 7, 1, 1])
    a.write({ services: servicesWith(APART) })
    await done(a, 'reload')
    await done(a, 'enable', 'web/::11')
    for (const director of [a, b]) await has(director, [1, 7, 1, 1])
    // The other director still has them as one.
    await done(b, 'enable', 'web/::11')
    for (const director of [a, b]) await has(director, [1, 1, 1, 1])
  })
})
