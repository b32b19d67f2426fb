/** `lvsd run` as a process: its signals. What it does otherwise is tested in the lab. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { fetchStatus } from '../../../../src/api/client.js'
import { renderStatus } from '../../../../src/cli/terminal/status.js'
import { onCleanup } from '../../../support/after-each.js'
import { installed } from '../../../support/compile.js'
import { temporaryFolder } from '../../../support/folder.js'
import { until } from '../../../support/until.js'

const MAIN = installed('main')

interface Run {
  readonly child: ChildProcess
  readonly folder: string
  /** Messages of its log so far. */
  said(): string[]
  error(): string
  hears(message: RegExp): Promise<void>
  ended: Promise<[number | null, NodeJS.Signals | null]>
}

function siteOf(service: string, folder: string): string {
  return `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n${service.replaceAll('FOLDER', folder)}\n`
}

function run(service: string, words: readonly string[] = [], env = process.env): Run {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'site.yaml'), siteOf(service, folder))
  return runIn(folder, words, env)
}

/** On the file that is there. */
function runIn(folder: string, words: readonly string[] = [], env = process.env): Run {
  const file = join(folder, 'site.yaml')
  const places = ['--kernel', 'memory', '--socket', join(folder, 'lvsd.sock'), '--state', folder]
  const child = spawn(process.execPath, [MAIN, 'run', file, ...places, ...words], { env })
  const ended = once(child, 'exit') as Run['ended']
  onCleanup(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', chunk => {
    texts.out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', chunk => {
    texts.err += chunk
  })
  const lines = () => texts.out.split('\n').filter(line => line !== '')
  const said = () => lines().map(line => (JSON.parse(line) as { msg: string }).msg)
  const hears = async (message: RegExp) => {
    while (!said().some(msg => message.test(msg))) {
      if (child.exitCode !== null) assert.fail(`lvsd has ended: ${texts.err}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  return { child, folder, said, error: () => texts.err, hears, ended }
}

const PLAIN = { width: 300, colour: false, now: Date.now() }

function keptFile(folder: string): string {
  return join(folder, readdirSync(folder).find(name => /^accepted-.*\.json$/.test(name)) ?? assert.fail())
}

const UP = `    check: 'on'\n    reals: ['[fd00::1]:80']`

/** The writing end of a pipe that is full, and that nobody reads: who writes to it waits. */
function fullPipe(folder: string): number {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  onCleanup(() => closeSync(both))
  assert.throws(() => {
    for (;;) writeSync(both, Buffer.alloc(4096))
  }, /EAGAIN/)
  const into = openSync(path, constants.O_WRONLY)
  onCleanup(() => closeSync(into))
  return into
}

describe('lvsd run', () => {
  it('serves and stops while nobody reads its log', async () => {
    const folder = temporaryFolder()
    const [file, socket] = [join(folder, 'site.yaml'), join(folder, 'lvsd.sock')]
    writeFileSync(file, siteOf(UP, folder))
    const words = [MAIN, 'run', file, '--kernel', 'memory', '--socket', socket, '--state', folder]
    const child = spawn(process.execPath, words, { stdio: ['ignore', fullPipe(folder), 'ignore'] })
    const ended = once(child, 'exit')
    onCleanup(async () => {
      child.kill('SIGKILL')
      await ended
    })
    const states = async () => (await fetchStatus(socket)).services.flatMap(({ reals }) => reals)
    await until(async () => (await states().catch(() => [])).some(({ state }) => state === 'up'))
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  })

  it('says at its start, once, that with a table in memory nothing survives it', async () => {
    const { hears, said } = run(UP)
    await hears(/^lvsd runs$/)
    const told = 'the table is in memory: events, results, overrides and tokens are not stored'
    assert.equal(said().filter(msg => msg === told).length, 1)
  })

  it('stops by TERM, INT and QUIT; USR1 and USR2 neither stop it nor open a debugger', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
      const lvsd = run(UP)
      await lvsd.hears(/^lvsd runs/)
      lvsd.child.kill('SIGUSR1')
      lvsd.child.kill('SIGUSR2')
      await lvsd.hears(/this signal means nothing/)
      lvsd.child.kill(signal)
      assert.deepEqual(await lvsd.ended, [0, null])
      assert.equal(lvsd.said().at(-1), 'lvsd has stopped')
      assert.doesNotMatch(lvsd.error(), /Debugger/)
    }
  })

  it('reloads a few times for many HUP signals, and can be stopped meanwhile', async () => {
    const lvsd = run(UP)
    await lvsd.hears(/^lvsd runs/)
    const storm = setInterval(() => lvsd.child.kill('SIGHUP'), 2)
    await lvsd.hears(/^reload: /)
    const began = performance.now()
    lvsd.child.kill('SIGTERM')
    const end = await lvsd.ended
    clearInterval(storm)
    assert.deepEqual(end, [0, null])
    assert.ok(performance.now() - began < 5000)
    assert.equal(lvsd.said().at(-1), 'lvsd has stopped')
  })

  it('reloads after its start if a HUP signal comes as soon as it hears one', async () => {
    const preload =
      "process.on('newListener', name => name === 'SIGHUP' && setImmediate(() => process.kill(process.pid, name)))"
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    }
    const lvsd = run(UP, [], env)
    await lvsd.hears(/^reload: /)
    lvsd.child.kill('SIGTERM')
    assert.deepEqual(await lvsd.ended, [0, null])
  })

  it('is not ended by a HUP signal that comes while it is loaded', async () => {
    // Who asks for the words first is the entry, before it loads the rest.
    const preload = `const { argv } = process
      const known = { value: argv, writable: true, configurable: true }
      const hangUp = () => process.kill(process.pid, 'SIGHUP')
      const get = () => (Object.defineProperty(process, 'argv', known), setImmediate(hangUp), argv)
      Object.defineProperty(process, 'argv', { get, configurable: true })`
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
    }
    const lvsd = run(UP, [], env)
    await lvsd.hears(/^lvsd runs/)
    lvsd.child.kill('SIGTERM')
    assert.deepEqual(await lvsd.ended, [0, null])
  })

  it('stops in order if more signals arrive, and keeps the services that must stay', async () => {
    const lvsd = run(
      `    check: 'off'\n    cleanstop: true\n    fallbackcommand: "echo >>FOLDER/told"\n    reals: ['[fd00::1]:80']`,
    )
    const told = join(lvsd.folder, 'told')
    await lvsd.hears(/^hook done/)
    lvsd.child.kill('SIGTERM')
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGUSR1'] as const) lvsd.child.kill(signal)
    assert.deepEqual(await lvsd.ended, [0, null])
    assert.equal(readFileSync(told, 'utf8'), 'start [2001:db8::80]:80 tcp\nstop [2001:db8::80]:80 tcp\n')
    assert.equal(existsSync(join(lvsd.folder, 'lvsd.sock')), false)
  })

  describe('with a file that was broken after the last start', () => {
    const accepted = async (service: string, folder = temporaryFolder()) => {
      const file = join(folder, 'site.yaml')
      writeFileSync(file, siteOf(service, folder))
      const lvsd = runIn(folder)
      await lvsd.hears(/^lvsd runs/)
      await until(() => readdirSync(folder).some(name => /^accepted-.*\.json$/.test(name)))
      return { folder, file, lvsd }
    }
    const status = (folder: string) => fetchStatus(join(folder, 'lvsd.sock'))

    it('runs the last accepted configuration after kill -9, logs it, and loads the file once it is repaired', async () => {
      const { folder, file, lvsd } = await accepted(UP)
      const good = readFileSync(file, 'utf8')
      writeFileSync(file, `${good}oops: [`)
      lvsd.child.kill('SIGHUP')
      await lvsd.hears(/^reload refused/)
      lvsd.child.kill('SIGKILL')
      await lvsd.ended
      const again = runIn(folder)
      await again.hears(/^the configuration cannot run: .* the configuration accepted at \S+ runs$/)
      await again.hears(/^lvsd runs/)
      assert.match(again.error(), /site\.yaml:\d+:\d+ /)
      const { services, config, lastReload } = await status(folder)
      assert.deepEqual([services[0]?.reals.length, lastReload?.ok], [1, false])
      assert.match(config.keptSince ?? '', /^\d{4}-/)
      assert.match(
        renderStatus(await status(folder), PLAIN),
        /^! \S+site\.yaml cannot run; .* until it is repaired/m,
      )
      writeFileSync(file, good)
      again.child.kill('SIGHUP')
      await again.hears(/^reload: /)
      assert.equal((await status(folder)).config.keptSince, null)
      again.child.kill('SIGTERM')
      assert.deepEqual(await again.ended, [0, null])
    })

    it('keeps the configuration of an accepted reload, not of a refused one', async () => {
      const { folder, file, lvsd } = await accepted(UP)
      writeFileSync(file, siteOf(UP.replace(`:80'`, `:80', '[fd00::1]:81'`), folder))
      lvsd.child.kill('SIGHUP')
      await lvsd.hears(/^reload: /)
      await until(() => readFileSync(keptFile(folder), 'utf8').includes(':81'))
      writeFileSync(file, '')
      lvsd.child.kill('SIGHUP')
      await lvsd.hears(/^reload refused/)
      lvsd.child.kill('SIGKILL')
      await lvsd.ended
      const again = runIn(folder)
      await again.hears(/^lvsd runs/)
      assert.equal((await status(folder)).services[0]?.reals[1]?.port, 81)
    })

    it('runs the accepted configuration if a password file cannot be read', async () => {
      const folder = temporaryFolder()
      const secret = join(folder, 'secret')
      writeFileSync(secret, 'hunter2')
      const check = `    check: { kind: redis, passwd: { file: FOLDER/secret } }\n    reals: ['[::1]:1']`
      const { lvsd } = await accepted(check, folder)
      lvsd.child.kill('SIGKILL')
      await lvsd.ended
      rmSync(secret)
      const again = runIn(folder)
      await again.hears(/^lvsd runs/)
      assert.ok(again.said().some(text => /password cannot be read/.test(text)))
      assert.doesNotMatch(again.said().join() + again.error(), /hunter2/)
    })

    it('runs if the folder of user checks is missing, and their servers keep their state', async () => {
      const folder = temporaryFolder()
      const checks = join(folder, 'checks')
      mkdirSync(checks)
      writeFileSync(
        join(checks, 'green.mjs'),
        `export const check = { name: 'green', summary: 'always', options: () => ({}), run: async () => ({ ok: true, reason: null, detail: 'green' }) }`,
      )
      const settings = `settings: { checks: [${checks}], resync: 1s }\n`
      const site = `    check: { kind: green, interval: 500ms, fall: 1 }\n    reals: ['[::1]:1']\n${settings}`
      const { lvsd } = await accepted(site, folder)
      await lvsd.hears(/^real server up/)
      lvsd.child.kill('SIGKILL')
      await lvsd.ended
      rmSync(checks, { recursive: true })
      const again = runIn(folder)
      await again.hears(/^the check had no verdict three times/)
      const [real] = (await status(folder)).services[0]?.reals ?? []
      assert.notEqual(real?.state, 'down')
      assert.match(real?.reason ?? '', /no verdict since .*: the check green does not load/)
    })

    it('ends with an error if no configuration was accepted before', async () => {
      const lvsd = run('oops: [')
      assert.deepEqual(await lvsd.ended, [1, null])
      assert.match(lvsd.error(), /has errors, and none was accepted before; nothing was touched/)
      assert.ok(!readdirSync(lvsd.folder).some(name => name.startsWith('accepted-')))
    })

    it('says that there is no file where there is none', async () => {
      const file = join(temporaryFolder(), 'nofile.yaml')
      const { status, stderr } = spawnSync(process.execPath, [MAIN, 'run', file, '--kernel', 'memory'])
      assert.equal(status, 1)
      assert.match(`${stderr}`, /nofile\.yaml: there is no such file, and none was accepted before; nothing/)
    })
  })

  it('prints the stack of an internal error, with and without debug output', async () => {
    const fault = `data:text/javascript,process.on('SIGWINCH', () => { throw new Error('a fault') })`
    const folder = temporaryFolder()
    const file = join(folder, 'site.yaml')
    writeFileSync(file, `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n${UP}\n`)
    const options = ['--import', fault, MAIN, 'run', file, '--kernel', 'memory']
    const child = spawn(process.execPath, [...options, '--socket', join(folder, 's'), '--state', folder])
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += chunk
      if (out.includes('lvsd runs')) child.kill('SIGWINCH')
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    assert.deepEqual(await once(child, 'close'), [5, null])
    assert.match(err, /Error: a fault\n +at /)
  })
})
