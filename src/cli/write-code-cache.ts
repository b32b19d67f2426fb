/**
 * `node write-code-cache.js`, a part of the build and of an installation: writes the code cache of the program beside it
 * (`system/code-cache.ts`). A director runs for this, in memory and in a process of its own, with two servers on this machine; its
 * cache has what V8 compiled until these were checked twice and had failed. The file belongs to whoever calls this.
 */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'
import { runScript, writeCache } from '../system/code-cache.js'

const PROGRAM = new URL('./program.cjs', import.meta.url)
/** The word by which the process of the director knows what it is. */
const DIRECTOR = 'director'
/** Milliseconds until the director gives up, and until it is killed. */
const PATIENCE = 20_000
const LAST_PATIENCE = 30_000
/** Milliseconds for the checks: without a loopback interface, the cache has no more than what starts a director. */
const CHECKS_PATIENCE = 10_000
/** Requests at the HTTP server after which the director has done what it does again and again. */
const ENOUGH = 2
/** Milliseconds after which a server that has gone is out of the table: a check comes each second, without a hint too. */
const FAILED_AFTER = 1500

if (process.argv[2] === DIRECTOR) await warm()
else callDirector()

/** The director's lines are not printed; its errors are. */
function callDirector(): void {
  const words = [...process.execArgv, fileURLToPath(import.meta.url), DIRECTOR]
  const { status, signal, error } = spawnSync(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: LAST_PATIENCE,
    killSignal: 'SIGKILL',
  })
  if (status === 0) return
  console.error(`no code cache is made: ${error?.message ?? `its director ended with ${signal ?? status}`}`)
  process.exitCode = 1
}

async function warm(): Promise<void> {
  // V8 accepts a cache with the flags only with which it was made, and the program begins with those of Node.js.
  v8.setFlagsFromString = () => {}
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-cache-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  setTimeout(() => process.exit(1), PATIENCE).unref()
  const server = createServer((_, response) => response.end('fine'))
  const address = await listening(server)
  const config = join(folder, 'lvsd.yaml')
  writeFileSync(config, configOf(address))
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...['run', config, '--kernel', 'memory'])
  process.argv.push(...['--socket', join(folder, 'socket'), '--state', folder])
  const ran = runScript<{ lvsd(): Promise<unknown> }>(PROGRAM, { isFresh: true })
  await ran.exports.lvsd()
  await checked(server)
  // Clients wait for what the first failure of a server takes.
  server.close()
  server.closeAllConnections()
  await sleep(FAILED_AFTER)
  writeCache(PROGRAM, ran)
  process.kill(process.pid, 'SIGTERM')
}

/** Resolves when the server has been checked, or could not be. */
async function checked(server: Server): Promise<void> {
  const signal = AbortSignal.timeout(CHECKS_PATIENCE)
  try {
    for (let asked = 0; asked < ENOUGH; asked++) await once(server, 'request', { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** On IPv6, or where this machine has none, on IPv4. */
async function listening(server: Server): Promise<string> {
  for (const host of ['::1', '127.0.0.1'])
    try {
      await once(server.listen(0, host), 'listening')
      const { port } = server.address() as AddressInfo
      return host === '::1' ? `[::1]:${port}` : `${host}:${port}`
    } catch (error) {
      if (host !== '::1') throw error
    }
  throw new Error('never')
}

function configOf(address: string): string {
  const virtual = address.startsWith('[') ? '[2001:db8::80]' : '192.0.2.80'
  return `services:
  web:
    virtual: '${virtual}:80'
    check: { kind: http, interval: 1s, sentinel: true }
    reals: ['${address} masq']
  other:
    virtual: '${virtual}:81'
    check: { kind: connect, interval: 1s }
    reals: ['${address} masq']
`
}
