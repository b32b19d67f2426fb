import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'

/** Writes which modules of Node.js its first thread has loaded, when the process is to stop. */
const NOTING = `
  const { isMainThread } = require('node:worker_threads')
  if (isMainThread)
    process.on('SIGTERM', () => require('node:fs').writeFileSync(process.env.MODULES, process.moduleLoadList.join('\\n')))`

async function listening(): Promise<string> {
  const server = createServer((_, response) => response.end('fine'))
  onCleanup(() => {
    server.closeAllConnections()
    server.close()
  })
  server.listen(0, '::1')
  await once(server, 'listening')
  return `[::1]:${(server.address() as AddressInfo).port}`
}

describe('a start of the director', () => {
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
