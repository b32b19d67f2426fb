/**
 * Three directors as processes with a real Redis, which share the checks of real little servers: who asks how often, and what
 * happens when directors, Redis or the network between them end, stop or are cut off. VERDICT_FAULTS=100 for the long form.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { fetchStatus, fetchWhy } from '../../../src/api/client.js'
import { onCleanup } from '../../support/after-each.js'
import { programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { aclServer, type RedisServer } from '../../support/redis-server.js'
import { type Relay, relayTo } from '../../support/relay.js'
import { pause, until } from '../../support/until.js'

const FAULTS = Number(process.env.VERDICT_FAULTS ?? 0)
const QUESTIONS = Number(process.env.VERDICT_QUESTIONS ?? (FAULTS > 0 ? 300 : 60))
const INTERVAL = FAULTS > 0 ? 2000 : 1000
const HEARTBEAT = 1000
/** An address that nobody else uses: the port of a closed server must not be taken by another program meanwhile. */
const HOST = '127.77.0.1'
const PATIENCE = { patience: 60_000 }

/** A server that can be closed, and counts who connects. */
class LittleServer {
  readonly asked: number[] = []
  isUp = true
  since = performance.now()
  port = 0
  #server: Server | null = null
  readonly #sockets = new Set<Socket>()

  async open(): Promise<this> {
    const server = createServer(socket => {
      this.asked.push(performance.now())
      this.#sockets.add(socket)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
      socket.end()
    })
    server.listen(this.port, HOST)
    await once(server, 'listening')
    this.port = (server.address() as AddressInfo).port
    this.#server = server
    this.isUp = true
    this.since = performance.now()
    return this
  }

  async close(): Promise<void> {
    this.isUp = false
    this.since = performance.now()
    const server = this.#server
    this.#server = null
    if (!server) return
    const closed = new Promise(end => server.close(end))
    // A director that is stopped does not end its side.
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  countIn(from: number, to: number): number {
    return this.asked.filter(at => at >= from && at < to).length
  }
}

class Director {
  readonly name: string
  readonly relay: Relay
  readonly removals: { readonly real: string; readonly at: number }[] = []
  isStopped = false
  isCut = false
  #child: ChildProcess | null = null
  readonly #folder = temporaryFolder()

  constructor(name: string, relay: Relay, servers: readonly LittleServer[]) {
    this.name = name
    this.relay = relay
    const reals = servers.map(({ port }) => `'${HOST}:${port}'`)
    writeFileSync(
      join(this.#folder, 'site.yaml'),
      `settings: { socket: ${this.socket}, state: ${this.#folder} }
cluster:
  site: berlin
  observers: 2
  heartbeat: ${HEARTBEAT}ms
  redis: { url: 'redis://[::1]:${relay.port}', username: lvsd, password: geheim }
services:
  web:
    virtual: 192.0.2.80:80
    check: { kind: connect, interval: ${INTERVAL}ms, timeout: 1s, rise: 1, fall: 2, fastinter: 500ms }
    reals: [${reals.join(', ')}]
`,
    )
    onCleanup(() => this.kill())
  }

  get socket(): string {
    return join(this.#folder, 'lvsd.sock')
  }

  get isRunning(): boolean {
    return this.#child !== null && !this.isStopped
  }

  start(): void {
    const words = ['run', join(this.#folder, 'site.yaml'), '--kernel', 'memory']
    const child = spawn(process.execPath, [installed('main'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (process.env.VERDICT_LOG) process.stderr.write(`${this.name} ${text}`)
        for (const [, real = ''] of text.matchAll(/real\.down.*?(127\.77\.0\.1:\d+)/g))
          this.removals.push({ real, at: performance.now() })
      })
  }

  signal(name: NodeJS.Signals): void {
    this.isStopped = name === 'SIGSTOP'
    this.#child?.kill(name)
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = null
    this.isStopped = false
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  async states(): Promise<readonly string[]> {
    const { services } = await fetchStatus(this.socket)
    return services[0]?.reals.map(({ state }) => state) ?? []
  }

  /** What it says of a server and why, for a failure. */
  async about(port: number): Promise<string> {
    const real = `${HOST}:${port}`
    const answer = await fetchWhy(this.socket, { service: 'web', real }).catch(String)
    if (typeof answer === 'string' || answer.kind !== 'real') return `${real} ${answer}`
    const told = answer.checks.map(({ state, nextAt, observers, results: [last] }) => ({
      ...{ state, nextAt, observers: observers.map(each => [each.isSelf, each.state]), last: last?.at },
    }))
    return `${real} ${answer.real.state} ${JSON.stringify(told)}`
  }

  async sharing() {
    return (await fetchStatus(this.socket)).cluster?.verdicts ?? null
  }
}

describe('three directors that share checks', function () {
  this.timeout(FAULTS > 0 ? 3_600_000 : 150_000)
  let redis: RedisServer
  let servers: LittleServer[]
  let directors: Director[]

  beforeEach(async function () {
    const file = programOr(() => this.skip(), 'redis-server', 'redis-server')
    redis = await aclServer(file)
    servers = await Promise.all(Array.from({ length: QUESTIONS }, () => new LittleServer().open()))
    onCleanup(async () => void (await Promise.all(servers.map(each => each.close()))))
    directors = []
    for (const name of ['a', 'b', 'c']) directors.push(new Director(name, await relayTo(redis.port), servers))
    for (const each of directors) each.start()
  })

  /** Waits until the running directors say of each server what is true. */
  async function areTrue(): Promise<number> {
    const began = performance.now()
    const wrong = new Map<string, string>()
    const told: string[] = []
    await until(
      async () => {
        wrong.clear()
        for (const director of directors.filter(each => each.isRunning)) {
          const states = await director.states().catch(() => [])
          const differing = servers.filter(({ isUp }, i) => states[i] !== (isUp ? 'up' : 'down')).length
          if (performance.now() - began > PATIENCE.patience - 5000 && told.length === 0)
            for (const [i, { isUp, port }] of servers.entries())
              if (states[i] !== (isUp ? 'up' : 'down')) told.push(await director.about(port))
          if (differing > 0) wrong.set(director.name, `${differing} of ${states.length} differ`)
        }
        if (wrong.size > 0) await pause(100)
        return wrong.size === 0
      },
      {
        ...PATIENCE,
        what: () =>
          [
            JSON.stringify([...wrong]),
            JSON.stringify(
              directors.map(({ name, isRunning, isStopped, isCut }) => ({
                name,
                isRunning,
                isStopped,
                isCut,
              })),
            ),
            ...told,
          ].join('\n'),
      },
    )
    return performance.now() - began
  }

  /** Waits until each question is asked so often per interval, at two intervals in a row. */
  async function areAsked(times: number): Promise<void> {
    let seen: readonly number[] = []
    await until(
      async () => {
        const began = performance.now()
        await pause(3 * INTERVAL)
        const counts = servers.map(each => each.countIn(began, began + 3 * INTERVAL))
        seen = counts.filter(count => Math.abs(count - 3 * times) > 1)
        const sum = counts.reduce((total, count) => total + count, 0)
        if (process.env.VERDICT_FIGURES)
          process.stderr.write(`${QUESTIONS} questions, 3 intervals: ${sum} runs, ${seen.length} off\n`)
        return seen.length === 0 && Math.abs(sum - 3 * times * QUESTIONS) <= 0.02 * 3 * times * QUESTIONS
      },
      { ...PATIENCE, what: () => `${times} per interval; off: ${seen.join()}` },
    )
  }

  /** No server was removed that had answered for long. */
  function noneIsFalse(): void {
    for (const { name, removals } of directors)
      for (const { real, at } of removals) {
        const server = servers.find(({ port }) => real === `${HOST}:${port}`)
        assert.ok(server)
        assert.ok(!server.isUp || server.since > at - 30_000, `${name} has removed ${real}`)
      }
  }

  it('ask each question twice per interval, take over, and go on without Redis', async () => {
    await areTrue()
    await areAsked(2)
    const [first] = directors as [Director]
    await first.kill()
    await servers[0]?.close()
    await areTrue()
    first.start()
    redis.signal('SIGSTOP')
    await servers[1]?.close()
    await servers[0]?.open()
    await areTrue()
    redis.signal('SIGCONT')
    await servers[1]?.open()
    await areTrue()
    for (const each of directors) await until(async () => ((await each.sharing())?.heard ?? 0) > 0, PATIENCE)
    noneIsFalse()
  })

  if (FAULTS > 0)
    it(`are right after each of ${FAULTS} random faults`, async () => {
      await areTrue()
      await areAsked(2)
      const times: number[] = []
      let isRedisStopped = false
      const any = <T>(all: readonly T[]) => all[Math.floor(Math.random() * all.length)] as T
      for (let i = 0; i < FAULTS; i++) {
        const director = any(directors)
        const kind = any(['kill', 'stop', 'cut', 'redis', 'servers'])
        if (kind === 'kill') {
          if (director.isRunning) await director.kill()
          else if (!director.isStopped) director.start()
        } else if (kind === 'stop') {
          if (director.isRunning) director.signal('SIGSTOP')
          else if (director.isStopped) director.signal('SIGCONT')
        } else if (kind === 'cut') {
          if (director.isCut) director.relay.join()
          else director.relay.cut()
          director.isCut = !director.isCut
        } else if (kind === 'redis') {
          redis.signal(isRedisStopped ? 'SIGCONT' : 'SIGSTOP')
          isRedisStopped = !isRedisStopped
        }
        if (!directors.some(each => each.isRunning))
          for (const each of directors) if (!each.isStopped) each.start()
        for (const each of directors)
          if (each.isStopped && directors.every(one => !one.isRunning)) each.signal('SIGCONT')
        await pause(Math.random() * 1000)
        for (let j = 0; j < 3; j++) {
          const server = any(servers)
          await (server.isUp ? server.close() : server.open())
        }
        const took = await areTrue()
        times.push(took)
        noneIsFalse()
        if (process.env.VERDICT_FIGURES)
          process.stderr.write(`${i + 1} ${kind} ${director.name}: ${Math.round(took)} ms\n`)
      }
      times.sort((a, b) => a - b)
      process.stderr.write(
        `${FAULTS} faults: median ${Math.round(times[FAULTS >> 1] ?? 0)} ms, longest ${Math.round(times.at(-1) ?? 0)} ms\n`,
      )
      if (isRedisStopped) redis.signal('SIGCONT')
    })
})
