/**
 * Sentinels and knocking with real servers: nginx and HAProxy, which die, restart, and close idle connections; and with many
 * servers that one fault meets.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fetchStatus } from '../../../src/api/client.js'
import type { StatusDocument } from '../../../src/api/status-types.js'
import { BROUGHT_FORWARD } from '../../../src/core/hints.js'
import { mark } from '../../../src/system/process-marks.js'
import { onCleanup } from '../../support/after-each.js'
import { folderOf, freePort, programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { pause, until } from '../../support/until.js'

const MAIN = installed('main')
/** How long servers close idle connections and restart without a removal; an hour proves more. */
const SECONDS = Number(process.env.HINTS_SECONDS ?? 10)
/** Of servers that have addresses of their own; below those that the kernel chooses. */
const PORT = 8899

/** A program that can be killed and started again. */
function program(file: string, argv: readonly string[]) {
  let child: ChildProcess
  const startAgain = () => {
    child = spawn(file, argv, { stdio: ['ignore', 'ignore', 'ignore'], detached: true })
    if (child.pid !== undefined) mark(child.pid, 'hook')
  }
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    // nginx has children.
    process.kill(-Number(child.pid), 'SIGKILL')
    await exited
  }
  startAgain()
  onCleanup(kill)
  return { kill, startAgain, signal: (name: NodeJS.Signals) => process.kill(Number(child.pid), name) }
}

/** nginx with a port for each number of seconds after which it closes connections without a request. */
async function nginx(file: string, limits: readonly number[]) {
  const ports = await Promise.all(limits.map(() => freePort()))
  const folder = folderOf({})
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const servers = limits.map(
    (limit, i) =>
      `server { listen [::1]:${ports[i]}; client_header_timeout ${limit}s; keepalive_timeout 0; return 200 ok; }`,
  )
  const configuration = folderOf({
    'nginx.conf': `
      daemon off; worker_processes 1; pid ${folder}/pid; error_log /dev/null; user root;
      events {}
      http {
        access_log off; ${temporary.map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
        ${servers.join('\n')}
      }`,
  })
  return { ports, ...program(file, ['-p', folder, '-c', `${configuration}/nginx.conf`, '-e', '/dev/null']) }
}

interface Line {
  readonly event: string
  readonly time: string
  readonly real: string
  readonly hint?: string
}

/**
 * Web servers of this process, which one fault meets together. Each has an address of its own: a free port that is closed for a
 * while may be another program's then.
 */
async function manyServers(count: number) {
  /** Connections without a request. */
  const idle = new Set<Socket>()
  const requests: number[] = []
  const take = (socket: Socket) => {
    idle.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => idle.delete(socket))
    socket.once('data', () => {
      idle.delete(socket)
      requests.push(performance.now())
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok')
    })
  }
  const listen = async (host: string) => {
    const server = createServer(take).listen(PORT, host)
    await once(server, 'listening')
    return server
  }
  const network = `127.${1 + (process.pid % 250)}.${(process.pid >> 8) % 250}`
  const hosts = Array.from({ length: count }, (_, i) => `${network}.${i + 1}`)
  let servers: Server[] = await Promise.all(hosts.map(listen))
  const reset = () => {
    for (const socket of idle) socket.resetAndDestroy()
  }
  const die = () => {
    for (const server of servers) server.close()
    reset()
  }
  onCleanup(die)
  return {
    reals: hosts.map(host => `${host}:${PORT}`),
    /** When each request came, milliseconds of `performance.now`. */
    requests,
    /** Idle connections. */
    get idle() {
      return idle.size
    },
    reset,
    die,
    revive: async () => {
      servers = await Promise.all(hosts.map(listen))
    },
  }
}

/** lvsd with a table in memory, for ports of ::1 or other servers, whose checks come every ten seconds. `reload` makes all weights this one. */
async function lvsdFor(
  servers: readonly (number | string)[],
  {
    engine = 'portable',
    interval = '10s',
    panic = 'none',
  }: { engine?: 'portable' | 'native'; interval?: string; panic?: string } = {},
) {
  const folder = folderOf({})
  const socket = `${folder}/lvsd.sock`
  const reals = servers.map(server => (typeof server === 'number' ? `[::1]:${server}` : server))
  const write = (weight: number) =>
    writeFileSync(
      `${folder}/site.yaml`,
      `
settings: { socket: ${socket}, state: ${folder}/state, engine: ${engine} }
services:
  web:
    virtual: '${typeof servers[0] === 'number' ? '[2001:db8::80]' : '192.0.2.80'}:80'
    panic: ${panic}
    check: { kind: http, interval: ${interval}, timeout: 3s, fastinter: ${interval}, fall: 2, sentinel: true }
    reals: [${reals.map(real => `'${real} masq ${weight}'`).join(', ')}]
`,
    )
  write(1)
  const child = spawn(process.execPath, [MAIN, 'run', '--kernel', 'memory', `${folder}/site.yaml`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: Line[] = []
  createInterface(child.stdout).on('line', line => lines.push(JSON.parse(line) as Line))
  const exited = once(child, 'exit')
  onCleanup(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const status = (): Promise<StatusDocument> => fetchStatus(socket)
  const watched = async () => (await status().catch(() => null))?.hints.sentinels.watching === reals.length
  await until(watched, { what: 'all sentinels watch' })
  const reload = (weight: number) => {
    write(weight)
    child.kill('SIGHUP')
  }
  return { lines, status, reload, of: (event: string) => lines.filter(line => line.event === event) }
}

function told(what: string, { time }: Line, since: number): void {
  console.log(`      ${what} after ${Date.parse(time) - since} ms`)
}

describe('hints: real servers', function () {
  this.timeout(90_000 + 1000 * SECONDS)

  for (const engine of ['portable', 'native'] as const)
    it(`are out when they are killed, and back when they listen, long before their check is due (${engine})`, async function () {
      const server = await nginx(
        programOr(() => this.skip(), 'nginx', 'nginx-light'),
        [60],
      )
      // A check that is due anyway has no hint.
      const lvsd = await lvsdFor(server.ports, { engine, interval: '10m' })
      for (let i = 1; i <= 3; i++) {
        await until(async () => (await lvsd.status()).hints.sentinels.watching === 1)
        const killedAt = Date.now()
        await server.kill()
        await until(() => lvsd.of('real.down').length === i)
        const down = lvsd.of('real.down').at(-1) as Line
        assert.match(down.hint ?? '', /^the idle connection to the server was (closed|reset|refused) /)
        told('out', down, killedAt)
        const startedAt = Date.now()
        server.startAgain()
        await until(() => lvsd.of('real.up').length === i + 1)
        const up = lvsd.of('real.up').at(-1) as Line
        assert.equal(up.hint, 'the server accepts connections again')
        told('in', up, startedAt)
      }
    })

  it('that close idle connections are learned, and cause no more checks', async function () {
    const file = programOr(() => this.skip(), 'haproxy', 'haproxy')
    const port = await freePort()
    const folder = folderOf({
      'haproxy.cfg': `
global
  log stderr format raw local0 emerg
defaults
  mode http
  timeout client 1s
  timeout http-request 1s
  timeout connect 5s
  timeout server 5s
frontend web
  bind [::1]:${port}
  http-request return status 200 content-type text/plain string ok
`,
    })
    program(file, ['-db', '-f', `${folder}/haproxy.cfg`])
    const lvsd = await lvsdFor([port])
    const hints = async () => (await lvsd.status()).services[0]?.reals[0]?.checks[0]?.hints
    await until(async () => ((await hints())?.sentinel?.idleLimit ?? null) !== null, { what: 'the limit' })
    const before = (await lvsd.status()).hints
    // Several more closes.
    const opened = async () => (await hints())?.sentinel?.since ?? null
    const seen = new Set<string>()
    await until(
      async () => {
        const since = await opened()
        if (since !== null) seen.add(since)
        return seen.size >= 4
      },
      { what: 'four more connections' },
    )
    const after = (await lvsd.status()).hints
    assert.equal(after.given.sentinel, before.given.sentinel)
    assert.ok(Math.abs(((await hints())?.sentinel?.idleLimit ?? 0) - 1000) < 400)
    assert.deepEqual(lvsd.of('real.down'), [])
  })

  for (const engine of ['portable', 'native'] as const)
    it(`are not removed in ${SECONDS} s of closes of idle connections, of restarts under load and of reloads of lvsd (${engine})`, async function () {
      const file = programOr(() => this.skip(), 'nginx', 'nginx-light')
      const server = await nginx(file, [1, 5, 30])
      const lvsd = await lvsdFor(server.ports, { engine, interval: '1s' })
      const begun = performance.now()
      let [asked, restarts] = [0, 0]
      const client = setInterval(() => {
        const port = server.ports[asked++ % server.ports.length]
        get({ host: '::1', port, agent: false }, answer => answer.resume()).on('error', () => {})
      }, 20)
      onCleanup(() => clearInterval(client))
      while (performance.now() - begun < SECONDS * 1000) {
        // New workers listen before the old ones close their connections.
        server.signal('SIGHUP')
        restarts++
        if (restarts % 2 === 0) lvsd.reload(1 + (restarts % 5))
        await pause(Math.min(5000, (SECONDS * 1000) / 6))
      }
      clearInterval(client)
      const { hints } = await lvsd.status()
      const reloads = lvsd.of('reload.accepted').length
      console.log(
        `      ${asked} requests, ${restarts} restarts, ${reloads} reloads, ${hints.given.sentinel} hints, ${hints.broughtForward} checks brought forward`,
      )
      assert.deepEqual(lvsd.of('real.down'), [])
      assert.ok(hints.given.sentinel > 0)
      assert.ok(reloads > 0)
      // A check that could not fail would show nothing.
      await server.kill()
      await until(() => lvsd.of('real.down').length === server.ports.length, {
        what: 'all of a dead server are out',
      })
    })

  for (const engine of ['portable', 'native'] as const)
    it(`whose idle connections end all at once are checked at a bounded pace, and stay while they live; if all are dead, a panic keeps the table (${engine})`, async () => {
      const COUNT = 200
      /** Checks that may be due by themselves meanwhile. */
      const DUE = 3
      const servers = await manyServers(COUNT)
      const lvsd = await lvsdFor(servers.reals, {
        engine,
        interval: '24h',
        panic: '{ share: 50%, for: 10m }',
      })
      const reals = async () => (await lvsd.status()).services[0]?.reals ?? []
      const areAll = async (state: 'up' | 'down') => (await reals()).every(real => real.state === state)
      assert.equal(servers.idle, COUNT)
      servers.requests.length = 0
      const resetAt = performance.now()
      servers.reset()
      await until(() => servers.requests.length >= COUNT, { what: 'a check of each server' })
      // Nothing follows a check that passed.
      await pause(500)
      assert.ok(servers.requests.length <= COUNT + DUE, `${servers.requests.length} checks`)
      servers.requests.forEach((at, i) => {
        const most = BROUGHT_FORWARD.burst + ((at - resetAt) * BROUGHT_FORWARD.perSecond) / 1000
        assert.ok(i < most + 1 + DUE, `${i + 1} checks after ${at - resetAt} ms`)
      })
      console.log(`      ${COUNT} checks within ${Math.round((servers.requests.at(-1) ?? 0) - resetAt)} ms`)
      assert.deepEqual(lvsd.of('real.down'), [])
      assert.ok(await areAll('up'))
      const { hints } = await lvsd.status()
      assert.deepEqual([hints.given.sentinel, hints.broughtForward, hints.dropped], [COUNT, COUNT, 0])
      await until(() => servers.idle === COUNT, { what: 'all sentinels are open again' })
      const diedAt = Date.now()
      servers.die()
      await until(() => lvsd.of('service.panic').length === 1, { what: 'a panic' })
      told('panic', lvsd.of('service.panic')[0] as Line, diedAt)
      await until(() => areAll('down'), { what: 'the failures of all servers' })
      // Those that fell before the panic are back in the table.
      await until(async () => (await reals()).every(({ weight }) => weight.kernel === 1), {
        what: 'all servers in the table',
      })
      assert.equal(lvsd.of('service.panic-over').length, 0)
      await servers.revive()
      await until(() => areAll('up'), { what: 'all servers are up again' })
      await until(() => lvsd.of('service.panic-over').length === 1, { what: 'the end of the panic' })
      assert.ok((await reals()).every(({ weight }) => weight.kernel === 1))
    })
})
