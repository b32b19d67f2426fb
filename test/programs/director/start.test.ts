import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

/** Writes which modules of Node.js its first thread has loaded, when the process is to stop. */
const NOTING = `
  const { isMainThread } = require('node:worker_threads')
  if (isMainThread)
    process.on('SIGTERM', () => require('node:fs').writeFileSync(process.env.MODULES, process.moduleLoadList.join('\\n')))`

async function listening(onRequest = () => {}): Promise<string> {
  const server = createServer((_, response) => {
    onRequest()
    response.end('fine')
  })
  onCleanup(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  return `[::1]:${(server.address() as AddressInfo).port}`
}

/** Starts a director, and ends it when `isDone` says of its log that this is enough. */
async function directed(words: readonly string[], isDone: (log: string) => boolean): Promise<string> {
  const child = spawn(process.execPath, [installed('main'), 'run', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onCleanup(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let log = ''
  for await (const part of child.stdout) {
    log += part
    if (isDone(log)) break
  }
  child.kill('SIGTERM')
  await ended
  return log
}

describe('a start of the director', () => {
  it('has the code of the first failure of a server in its code cache', function () {
    this.timeout(120_000)
    const cache = readFileSync(join(dirname(installed('main')), 'cli/program.cjs.cache'), 'latin1')
    // A text of the function that judges the end of a sentinel: V8 has it in the cache if it has compiled that.
    assert.ok(cache.includes('the server no longer answers on the idle connection'))
  })

  const OTHER = "  other: { virtual: '[fd00::81]:80', check: none, reals: ['[fd00:1::1]:80'] }\n"
  const TEXTS: Readonly<Record<string, (text: string, attempt: number) => string>> = {
    'the text of the last one': text => text,
    'another service changed': (text, attempt) => text.replace(/fd00:1::\d+/, `fd00:1::${attempt + 1}`),
  }
  for (const [what, changed] of Object.entries(TEXTS))
    it(`with ${what} checks each server before the control socket is there, and once`, async function () {
      this.timeout(120_000)
      const folder = temporaryFolder()
      const [config, socket, state] = ['lvsd.yaml', 'socket', 'state'].map(name => join(folder, name)) as [
        string,
        string,
        string,
      ]
      /** For each request, whether the control socket was there. */
      let requests: boolean[] = []
      const reals = [1, 2, 3].map(() => listening(() => void requests.push(existsSync(socket))))
      const check = '{ kind: http, interval: 1h }'
      const list = (await Promise.all(reals)).map(name => `'${name} masq'`).join(', ')
      const web = `  web: { virtual: '[fd00::80]:80', check: ${check}, reals: [${list}] }\n`
      let text = `services:\n${web}${OTHER}`
      writeFileSync(config, text)
      const words = [config, '--kernel', 'memory', '--socket', socket, '--state', state]
      const isUp = (log: string) => log.split('"service":"web"').length > 3
      const child = spawn(process.execPath, [installed('main'), 'run', ...words], { stdio: 'ignore' })
      onCleanup(() => void child.kill('SIGKILL'))
      await until(() => existsSync(state) && readdirSync(state).some(name => name.endsWith('.first')))
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
      // On a busy machine the thread may be later than the socket.
      for (let attempt = 1; ; attempt++) {
        requests = []
        text = changed(text, attempt)
        writeFileSync(config, text)
        const log = await directed(words, isUp)
        assert.equal(requests.length, 3, log)
        if (requests.every(isThere => !isThere)) return
        assert.ok(attempt < 10, `${requests}`)
      }
    })

  it('ends with 2 for a wrong command line, however far its threads are', async () => {
    const file = join(temporaryFolder(), 'lvsd.yaml')
    writeFileSync(file, 'services: {}\n')
    const codes = Array.from({ length: 12 }, async () => {
      const words = [installed('main'), 'run', file, '--kernel', 'bogus']
      const child = spawn(process.execPath, words, { stdio: 'ignore' })
      onCleanup(() => void child.kill('SIGKILL'))
      return (await once(child, 'exit'))[0] as number | null
    })
    assert.deepEqual(
      await Promise.all(codes),
      codes.map(() => 2),
    )
  })

  it('does not load what only names and TLS need', async () => {
    const folder = temporaryFolder()
    const [config, noting, modules] = ['lvsd.yaml', 'noting.cjs', 'modules'].map(name => join(folder, name))
    const web = `{ virtual: '[fd00::80]:80', check: http, reals: ['${await listening()} masq'] }`
    writeFileSync(config as string, `services:\n  web: ${web}\n`)
    writeFileSync(noting as string, NOTING)
    const words = ['run', config as string, '--kernel', 'memory', '--socket', join(folder, 'socket')]
    const child = spawn(process.execPath, ['--require', noting as string, installed('main'), ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, MODULES: modules },
    })
    onCleanup(() => void child.kill('SIGKILL'))
    let log = ''
    for await (const part of child.stdout) {
      log += part
      if (log.includes('"real.up"')) break
    }
    assert.match(log, /"real.up"/)
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    const loaded = readFileSync(modules as string, 'utf8').split('\n')
    assert.ok(loaded.includes('NativeModule http'))
    const spared = ['dns', 'dns/promises', 'https', 'tls'].map(name => `NativeModule ${name}`)
    assert.deepEqual(
      loaded.filter(name => spared.includes(name)),
      [],
    )
  })
})
