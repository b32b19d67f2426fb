/** What 500 listeners of the event stream over TCP, of which 100 never read, do to the time of the checks. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { addToken, fetchEvents, fetchStatus } from '../../src/api/client.js'
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
/** The lateness in the status is that of the last two minutes: the busy start is out of it then. */
const WARMUP = 20_000
const WINDOW = 125_000
/** Milliseconds between two servers that begin to fail, and after which each recovers. */
const FAILS = { every: 50, for: 3000 }

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const farm = await openFarm(CHECKS)
  const without = await costOf(farm, folder, 0, 0, quick)
  const crowd = await costOf(farm, folder, READERS, DEAF, quick)
  farm.close()
  const row = (figure: string, unit: string, pick: (cost: Cost) => number, note?: string): Row => ({
    ...{ figure, unit, ours: [pick(crowd)], beside: 'no listeners', theirs: [pick(without)] },
    ...(note !== undefined && { note }),
  })
  yield row('lateness p99', 'ms', cost => cost.lateness, 'wanted: at most 20 ms more')
  yield row('CPU', 'ms/s', cost => cost.cpu)
  yield row('RSS', 'MiB', cost => cost.rss)
  yield row('events', '/s', cost => cost.events)
  yield row('listeners at the end', '', cost => cost.listeners)
}

interface Cost {
  /** Milliseconds. */
  readonly lateness: number
  /** Milliseconds a second. */
  readonly cpu: number
  readonly rss: number
  readonly events: number
  readonly listeners: number
}

async function costOf(
  farm: Farm,
  folder: string,
  readers: number,
  deaf: number,
  quick: boolean,
): Promise<Cost> {
  const listen = `[::1]:${await refusedPort()}`
  const running = lvsdInMemory.start({ ...siteOf(CHECKS, { ports: farm.ports }), listen }, folder)
  const sockets: Socket[] = []
  try {
    await sleep(WARMUP)
    const tokens = await Promise.all(
      Array.from({ length: Math.ceil((readers + deaf) / OF_A_TOKEN) }, (_, i) =>
        addToken(lvsdSocket(folder), { name: `bench${i}`, role: 'read', until: null }),
      ),
    )
    for (let i = 0; i < readers + deaf; i++)
      sockets.push(await listener(listen, tokens[i % tokens.length]?.token ?? '', i < readers))
    const stopFailing = failing(farm)
    const seconds = (quick ? WINDOW / 4 : WINDOW) / 1000
    const [cpu, first] = [cpuMs(running.pid), await newest(folder)]
    await sleep(seconds * 1000)
    const { schedule } = await fetchStatus(lvsdSocket(folder))
    const cost = {
      lateness: schedule.lateness.p99,
      cpu: (cpuMs(running.pid) - cpu) / seconds,
      rss: memoryOf(running.pid).rss,
      events: ((await newest(folder)) - first) / seconds,
      listeners: sockets.filter(({ readyState }) => readyState === 'open').length,
    }
    await stopFailing()
    return cost
  } finally {
    for (const socket of sockets) socket.destroy()
    await running.stop()
  }
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

async function newest(folder: string): Promise<number> {
  return (await fetchEvents(lvsdSocket(folder), { limit: 1 })).newest
}
