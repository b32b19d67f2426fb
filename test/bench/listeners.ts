/** What 500 listeners of the event stream over TCP, of which 100 never read, do to the time of the checks. */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { addToken, fetchEvents } from '../../src/api/client.js'
import { samplesOf } from '../support/metrics.js'
import { refusedPort } from '../support/servers.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { lvsdInMemory, lvsdSocket } from './daemons.js'
import { type Farm, openFarm } from './farm.js'
import { cpuMs, memoryOf } from './processes.js'
import { siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'listeners',
  about: '1,000 checks a second with 500 listeners of the events, of which 100 never read, and without',
  place: 'here',
  limit: 5,
  measure,
}

const CHECKS = 1000
const READERS = 400
const DEAF = 100
/** Requests of one token that lvsd takes at once. */
const OF_A_TOKEN = 150
const WARMUP = 15_000
/** With and without listeners in turn, so that a busy machine is equally slow for both. */
const ROUNDS = { number: 5, for: 20_000, settle: 3000 }
const QUICK = { number: 2, for: 6000, settle: 1500 }
/** Milliseconds between two servers that begin to fail, and after which each recovers. */
const FAILS = { every: 50, for: 3000 }

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const farm = await openFarm(CHECKS)
  const listen = `[::1]:${await refusedPort()}`
  const running = lvsdInMemory.start({ ...siteOf(CHECKS, { ports: farm.ports }), listen }, folder)
  const without: Reading[] = []
  const crowd: Reading[] = []
  const { number, for: length, settle } = quick ? QUICK : ROUNDS
  try {
    await sleep(WARMUP)
    const tokens = await tokensOf(folder)
    const stopFailing = failing(farm)
    const look = async (sockets: readonly Socket[]) => {
      await sleep(settle)
      const before = await read(running.pid, folder)
      await sleep(length)
      const listeners = sockets.filter(({ readyState }) => readyState === 'open').length
      return { ...difference(before, await read(running.pid, folder)), listeners }
    }
    for (let round = 0; round < number; round++) {
      without.push(await look([]))
      const sockets: Socket[] = []
      for (let i = 0; i < READERS + DEAF; i++)
        sockets.push(await listener(listen, tokens[i % tokens.length] ?? '', i < READERS))
      crowd.push(await look(sockets))
      for (const socket of sockets) socket.destroy()
    }
    await stopFailing()
  } finally {
    await running.stop()
    farm.close()
  }
  const beside = 'no listeners'
  const row = (figure: string, unit: string, pick: (reading: Reading) => number): Row => ({
    ...{ figure, unit, ours: crowd.map(pick), beside, theirs: without.map(pick) },
  })
  const note = 'of all rounds, between the bounds of the buckets of the metric; wanted: at most 20 ms more'
  const ours = [latenessOf(crowd)]
  yield { figure: 'lateness p99', unit: 'ms', ours, beside, theirs: [latenessOf(without)], note }
  yield row('lateness p99 of a round', 'ms', reading => latenessOf([reading]))
  yield row('CPU', 'ms/s', ({ cpu, seconds }) => cpu / seconds)
  yield row('RSS', 'MiB', ({ rss }) => rss)
  yield row('events', '/s', ({ events, seconds }) => events / seconds)
  yield row('checks', '/s', ({ delays, seconds }) => (delays.at(-1)?.count ?? 0) / seconds)
  yield row('listeners at the end', '', ({ listeners }) => listeners)
}

async function tokensOf(folder: string): Promise<readonly string[]> {
  const added = await Promise.all(
    Array.from({ length: Math.ceil((READERS + DEAF) / OF_A_TOKEN) }, (_, i) =>
      addToken(lvsdSocket(folder), { name: `bench${i}`, role: 'read', until: null }),
    ),
  )
  return added.map(({ token }) => token)
}

/** Number of runs that began at most so many milliseconds late. */
interface Bucket {
  readonly ms: number
  readonly count: number
}

interface Reading {
  readonly seconds: number
  /** Milliseconds. */
  readonly cpu: number
  readonly rss: number
  readonly events: number
  readonly delays: readonly Bucket[]
  readonly listeners: number
}

async function read(pid: number, folder: string): Promise<Reading> {
  const { samples } = samplesOf(await metricsOf(folder))
  const delays = samples
    .filter(({ name }) => name === 'lvsd_schedule_delay_seconds_bucket')
    .map(({ labels, value }) => ({ ms: 1000 * Number(labels.le?.replace('+Inf', 'Infinity')), count: value }))
  const { newest } = await fetchEvents(lvsdSocket(folder), { limit: 1 })
  const seconds = performance.now() / 1000
  return { seconds, cpu: cpuMs(pid), rss: memoryOf(pid).rss, events: newest, delays, listeners: 0 }
}

function difference(before: Reading, after: Reading): Reading {
  return {
    ...after,
    seconds: after.seconds - before.seconds,
    cpu: after.cpu - before.cpu,
    events: after.events - before.events,
    delays: after.delays.map(({ ms, count }, i) => ({ ms, count: count - (before.delays[i]?.count ?? 0) })),
  }
}

/** The 99th percentile in milliseconds, as Prometheus' histogram_quantile finds it. */
function latenessOf(readings: readonly Reading[]): number {
  const bounds = readings[0]?.delays ?? []
  const counts = bounds.map((_, i) => readings.reduce((sum, { delays }) => sum + (delays[i]?.count ?? 0), 0))
  const wanted = 0.99 * (counts.at(-1) ?? 0)
  const found = counts.findIndex(count => count >= wanted)
  const [low, high] = [bounds[found - 1]?.ms ?? 0, bounds[found]?.ms ?? Number.NaN]
  const [below, within] = [counts[found - 1] ?? 0, counts[found] ?? 0]
  return high === Number.POSITIVE_INFINITY ? low : low + ((high - low) * (wanted - below)) / (within - below)
}

async function metricsOf(folder: string): Promise<string> {
  const asked = get({ socketPath: lvsdSocket(folder), path: '/metrics' })
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return text(response)
}

async function listener(address: string, token: string, isReading: boolean): Promise<Socket> {
  const [, host = '', port = ''] = /^\[(.+)\]:(\d+)$/.exec(address) ?? []
  const socket = connect({ host, port: Number(port) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const head = ['GET /v1/events HTTP/1.1', 'Host: lvsd', 'Accept: text/event-stream']
  socket.write(`${head.join('\r\n')}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  if (!/^HTTP\/1.1 200 /.test(String(answer))) throw new Error(String(answer).slice(0, 200))
  if (isReading) socket.resume()
  else socket.pause()
  return socket
}

/** Makes one server after another fail for a while. Returns what ends it. */
function failing(farm: Farm): () => Promise<void> {
  const failed = new Map<number, number>()
  let next = 0
  let last: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const [server, since] of failed) {
      if (now - since < FAILS.for) break
      failed.delete(server)
      last = farm.accept(server)
    }
    const server = next++ % CHECKS
    failed.set(server, now)
    last = farm.refuse(server)
  }, FAILS.every)
  return async () => {
    clearInterval(timer)
    await last
    for (const server of failed.keys()) await farm.accept(server)
  }
}
