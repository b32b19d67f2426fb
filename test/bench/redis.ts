/** Whether a Redis that does not answer delays checks: checks as the servers see them, the loop, and processor time. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { isRunnable } from '../../src/accepted/accepted.js'
import { loadConfig } from '../../src/config/load.js'
import { startDaemon } from '../../src/director/daemon.js'
import type { Daemon } from '../../src/director/daemon-types.js'
import { memoryKernel } from '../../src/ipvs/memory.js'
import { memoryJournal } from '../../src/storage/journal.js'
import { freePort } from '../support/checks/programs.js'
import { recordingLog } from '../support/logs.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'

export const benchmark: Benchmark = {
  name: 'redis',
  about: 'checks and the loop without Redis, with it, and while it is silent (SIGSTOP); memory table',
  place: 'here',
  limit: 8,
  measure,
}

/** Servers of each kind of check. */
const REALS = 100
const INTERVAL = 1000
/** Milliseconds of each of the three measurements. */
const WINDOW = { long: 60_000, quick: 10_000 }
/** Milliseconds until the daemon has come to rest after its start. */
const REST = 3000

interface Figures {
  /** Milliseconds by which two checks of one server were nearer or farther than the interval, at the server. */
  readonly off: readonly number[]
  /** Milliseconds. */
  readonly loop: { readonly p99: number; readonly most: number }
  /** Milliseconds of user time in a second, with the thread of Redis. */
  readonly user: number
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const ms = quick ? WINDOW.quick : WINDOW.long
  const servers = fork(fileURLToPath(import.meta.url), { execArgv: process.execArgv })
  const [port] = (await once(servers, 'message')) as [number]
  const redisPort = await freePort()
  const options = ['--port', `${redisPort}`, '--bind', '::1', '--save', '', '--dir', folder]
  const redis = spawn('redis-server', options, { stdio: 'ignore' })
  try {
    await once(redis, 'spawn')
    const alone = await withDaemon(siteOf(folder, port, null), folder, () => figuresOf(servers, ms))
    const [there, silent] = await withDaemon(siteOf(folder, port, redisPort), folder, async daemon => {
      await connected(daemon)
      const answering = await figuresOf(servers, ms)
      redis.kill('SIGSTOP')
      return [answering, await figuresOf(servers, ms)] as const
    })
    yield* rows('Redis answers', there, 'without Redis', alone, ms)
    yield* rows('Redis is silent', silent, 'Redis answers', there, ms)
  } finally {
    redis.kill('SIGKILL')
    servers.kill('SIGKILL')
  }
}

function* rows(state: string, ours: Figures, beside: string, theirs: Figures, ms: number): Iterable<Row> {
  const row = (figure: string, of: (figures: Figures) => number): Row => ({
    figure: `${state}: ${figure}`,
    unit: 'ms',
    ours: [of(ours)],
    beside,
    theirs: [of(theirs)],
    note: `${REALS} TCP and ${REALS} HTTP checks every ${INTERVAL} ms, for ${ms / 1000} s each`,
  })
  yield row('time between two checks, off the interval, median', ({ off }) => part(off, 0.5))
  yield row('the same, 99 %', ({ off }) => part(off, 0.99))
  yield row('delay of the loop, 99 %', ({ loop }) => loop.p99)
  yield row('delay of the loop, the most', ({ loop }) => loop.most)
  yield row('user time in a second', ({ user }) => user)
}

async function withDaemon<T>(text: string, folder: string, use: (daemon: Daemon) => Promise<T>): Promise<T> {
  const loaded = await loadConfig(join(folder, 'site.yaml'), { text })
  if (!isRunnable(loaded)) throw new Error(JSON.stringify(loaded.problems[0]))
  const daemon = await startDaemon({
    loaded,
    kernel: memoryKernel(),
    kernelName: 'memory',
    journal: memoryJournal(),
    log: recordingLog('error').log,
    notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
    load: async () => loaded,
  })
  try {
    while ((await daemon.status()).totals.unknown > 0) await sleep(200)
    await sleep(REST)
    return await use(daemon)
  } finally {
    await daemon.stop()
  }
}

/** The start of the thread takes a while. */
async function connected(daemon: Daemon): Promise<void> {
  while ((await daemon.status()).cluster?.redis?.state !== 'connected') await sleep(200)
}

async function figuresOf(servers: ChildProcess, ms: number): Promise<Figures> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  servers.send('begin')
  delay.enable()
  const before = process.cpuUsage()
  await sleep(ms)
  const { user } = process.cpuUsage(before)
  delay.disable()
  const told = once(servers, 'message')
  servers.send('end')
  const [off] = (await told) as [readonly number[]]
  const loop = { p99: delay.percentile(99) / 1e6, most: delay.max / 1e6 }
  return { off, loop, user: user / 1000 / (ms / 1000) }
}

/** The value below which this share of the values is. */
function part(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}

function siteOf(folder: string, port: number, redis: number | null): string {
  const reals = (net: number) =>
    Array.from({ length: REALS }, (_, i) => `'127.${net}.0.${i + 1}:${port} masq'`).join(', ')
  return `settings: { socket: ${folder}/lvsd.sock }
${redis === null ? '' : `cluster: { site: bench, redis: 'redis://[::1]:${redis}' }`}
services:
  tcp: { virtual: '192.0.2.80:80', check: { kind: connect, interval: ${INTERVAL}ms }, reals: [${reals(1)}] }
  http: { virtual: '192.0.2.81:80', check: { kind: http, interval: ${INTERVAL}ms, request: /, receive: ok }, reals: [${reals(2)}] }
`
}

/** The servers, as a process of their own, on all addresses of 127.0.0.0/8. */
function serve(): void {
  const last = new Map<string, number>()
  let off: number[] = []
  const server = createServer(socket => {
    const now = performance.now()
    const address = socket.localAddress ?? ''
    const before = last.get(address)
    if (before !== undefined) off.push(Math.abs(now - before - INTERVAL))
    last.set(address, now)
    socket.on('error', () => {})
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok'),
    )
  }).listen(0, '0.0.0.0', 1024, () => process.send?.((server.address() as { port: number }).port))
  process.on('message', word => {
    if (word === 'end') process.send?.(off)
    off = []
    last.clear()
  })
  process.on('disconnect', () => process.exit())
}

if (process.send && process.argv[1] === fileURLToPath(import.meta.url)) serve()
