/** `lvsd run` beside a file server that does not answer: played by a preloaded library, which needs a C compiler. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchStatus, requestReload } from '../../../../src/api/client.js'
import { onCleanup } from '../../../support/after-each.js'
import { installed } from '../../../support/compile.js'
import { temporaryFolder } from '../../../support/folder.js'

const MAIN = installed('main')
const SOURCE = join(import.meta.dirname, '../../../support/hang.c')

function library(folder: string): string | null {
  const built = join(folder, 'hang.so')
  const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', built, SOURCE, '-ldl'])
  return status === 0 ? built : null
}

/** Five monitorfiles are there, and a folder of maintenance files: more than libuv has threads. */
const site = (hung: string, also = '') => `settings: { maintenancedir: ${hung}/maintenance }
defaults: { check: { kind: connect, interval: 200ms, timeout: 100ms } }
services:
${[1, 2, 3, 4, 5]
  .map(
    i => `  s${i}:
    virtual: '[2001:db8::8${i}]:80'
    monitorfile: ${hung}/monitor${i}
    reals: ['[::1]:9${also}']`,
  )
  .join('\n')}
`

describe('run-hang: lvsd run beside a file server that hangs', () => {
  it('logs, reloads, answers requests and stops', async function () {
    const folder = temporaryFolder()
    const preload = library(folder)
    if (!preload && process.env.CI !== 'true') return this.skip()
    const hung = join(folder, 'hung')
    mkdirSync(hung)
    const file = join(folder, 'site.yaml')
    const socket = join(folder, 'lvsd.sock')
    writeFileSync(file, site(hung))
    const child = spawn(
      process.execPath,
      [MAIN, 'run', file, '--kernel', 'memory', '--socket', socket, '--state', folder],
      { env: { ...process.env, LD_PRELOAD: preload ?? '', HANG: hung } },
    )
    const ended = once(child, 'exit')
    onCleanup(async () => {
      child.kill('SIGKILL')
      await ended
    })
    let log = ''
    child.stdout.on('data', chunk => {
      log += chunk
    })
    const hears = async (text: string) => {
      while (!log.includes(text)) {
        assert.equal(child.exitCode, null, log)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    await hears('real server down')
    writeFileSync(file, site(hung, '0'))
    assert.equal((await requestReload(socket, true)).ok, true)
    await hears('reload: the configuration of 5 services is in force')
    assert.equal((await fetchStatus(socket)).services.length, 5)
    const began = performance.now()
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.ok(performance.now() - began < 13_000)
    assert.match(log, /lvsd has stopped/)
  })
})
