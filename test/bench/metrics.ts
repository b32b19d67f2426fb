/** What a scrape of 2,000 real servers costs, and what counting adds to each check. */

import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Gauge, Registry } from 'prom-client'
import { isRunnable } from '../../src/accepted/accepted.js'
import { loadConfig } from '../../src/config/load.js'
import type { Dump, RealCounters } from '../../src/core/model.js'
import { startDaemon } from '../../src/director/daemon.js'
import type { Daemon } from '../../src/director/daemon-types.js'
import { memoryKernel } from '../../src/ipvs/memory.js'
import { Tallies } from '../../src/metrics/tallies.js'
import { memoryJournal } from '../../src/storage/journal.js'
import { recordingLog } from '../support/logs.js'
import { passed } from '../support/tables.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { replaying } from './replay.js'

export const benchmark: Benchmark = {
  name: 'metrics',
  about: 'a scrape of 2,000 real servers, and the counting of a result, with the memory table',
  place: 'here',
  limit: 3,
  measure,
}

const REALS = 2000
/** Milliseconds after which a scrape is not answered from the last one. */
const REST = 550
const LIMIT = { cpu: 50, turn: 10 }
const LOOP = 'a fixed loop'
const LIBRARY = 'prom-client'

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  for (const services of [20, 1]) {
    const { daemon, read } = await start(folder, services)
    const name = `${REALS} servers in ${services === 1 ? 'one service' : `${services} services`}`
    const cost = await costOf(daemon, read, quick ? 5 : 30)
    await daemon.stop()
    const row = (figure: string, unit: string, ours: number[], beside: string, theirs: number[]): Row => ({
      ...{ figure: `${name}: ${figure}`, unit, ours, beside, theirs },
    })
    yield row('CPU', 'ms', cost.whole, 'limit', [LIMIT.cpu])
    yield row('CPU', 'ms', cost.whole, LOOP, cost.loop)
    const note = 'a registry with the same series of real servers, whose values are set and written'
    yield { ...row('CPU', 'ms', cost.whole, LIBRARY, cost.library), note }
    yield row('CPU, table not read', 'ms', cost.own, LOOP, cost.loop)
    yield row('longest turn', 'ms', cost.turn, 'limit', [LIMIT.turn])
    yield row('text', 'kB', [cost.bytes / 1000], '', [])
  }
  yield { figure: 'counting a result', unit: 'µs', ours: countingCost(quick), beside: '', theirs: [] }
}

async function start(folder: string, services: number) {
  const file = join(folder, 'site.yaml')
  const loaded = await loadConfig(file, { text: siteOf(services, join(folder, 'lvsd.sock')) })
  if (!isRunnable(loaded)) throw new Error(JSON.stringify(loaded.problems[0]))
  const kernel = memoryKernel(undefined, undefined, replaying)
  const read = { isFixed: false }
  let scrapes = 0
  let last = await kernel.dump()
  const daemon = await startDaemon({
    loaded,
    kernel: {
      ...kernel,
      dump: async expected => {
        if (!read.isFixed) last = await kernel.dump(expected)
        count(last, ++scrapes)
        return last
      },
    },
    kernelName: 'memory',
    journal: memoryJournal(),
    log: recordingLog('error').log,
    notify: { ready: () => {}, reloading: () => {}, stopping: () => {}, close: () => {} },
    load: async () => loaded,
  })
  while ((await daemon.status()).totals.unknown > 0) await sleep(200)
  await daemon.idle()
  return { daemon, read }
}

/** Lets all counters grow, as with traffic. */
function count({ reals }: Dump, times: number): void {
  let i = 0
  for (const counters of reals.values() as Iterable<Writable<RealCounters>>) {
    const connections = 1000 + times * (i++ % 50)
    counters.active = connections % 100
    counters.inactive = connections % 30
    counters.connections = connections
    counters.inPackets = 10 * connections
    counters.outPackets = 12 * connections
    counters.inBytes = 1000 * connections
    counters.outBytes = 90_000 * connections
  }
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

function siteOf(services: number, socket: string): string {
  const size = REALS / services
  return [
    `settings: { socket: ${socket}, resync: 10m }`,
    "defaults: { check: { kind: 'on', interval: 1m } }",
    'services:',
    ...Array.from({ length: services }, (_, s) => [
      `  web${s}:`,
      `    virtual: '[fd00:f::${(s + 1).toString(16)}]:80'`,
      '    reals:',
      ...Array.from(
        { length: size },
        (_, i) => `      - '[fd00:1::${(s * size + i + 1).toString(16)}]:80 masq'`,
      ),
    ]),
  ]
    .flat()
    .join('\n')
}

interface Cost {
  /** Milliseconds of processor time of whole scrapes, of those that do not read the table, and of others. */
  readonly whole: number[]
  readonly own: number[]
  readonly loop: number[]
  readonly library: number[]
  /** Milliseconds of processor time of the longest turn of the event loop in a scrape. */
  readonly turn: number[]
  bytes: number
}

/** Measures all in turn, so that a busy machine is equally slow for each. */
async function costOf(daemon: Daemon, read: { isFixed: boolean }, scrapes: number): Promise<Cost> {
  const cost: Cost = { whole: [], own: [], loop: [], library: [], turn: [], bytes: 0 }
  for (let i = 0; i < scrapes; i++) {
    read.isFixed = false
    await sleep(REST)
    cost.loop.push(await cpuOf(fixedLoop))
    const watch = { isOver: false, longest: 0 }
    cost.whole.push(
      await cpuOf(async () => {
        const watching = watchTurns(watch)
        const { body } = await daemon.metrics.text(undefined)
        cost.bytes = body.length
        watch.isOver = true
        await watching
      }),
    )
    cost.turn.push(watch.longest)
    read.isFixed = true
    await sleep(REST)
    cost.own.push(await cpuOf(async () => daemon.metrics.text(undefined)))
    if (i % 5 === 0) cost.library.push(await cpuOf(libraryScrape))
  }
  return cost
}

async function cpuOf(work: () => unknown): Promise<number> {
  const before = cpuNow()
  await work()
  return cpuNow() - before
}

/** Work whose amount stays the same, of the kind that a scrape does: it tells how fast the machine is now. */
function fixedLoop(): number {
  const found = new Map<string, number>()
  const lines: string[] = []
  for (let i = 0; i < 40_000; i++) {
    const key = `key${i % 2000}`
    found.set(key, (found.get(key) ?? 0) + i)
    lines.push(`${key} ${found.get(key)}`)
  }
  return lines.join('\n').length
}

/** What an exporter made with prom-client alone spends: 18 series for each real server, which are set and written. */
async function libraryScrape(): Promise<number> {
  const register = new Registry()
  const labelNames = ['service', 'real']
  for (let m = 0; m < 18; m++) {
    const gauge = new Gauge({
      name: `peer_metric_${m}`,
      help: 'A metric.',
      labelNames,
      registers: [register],
    })
    for (let i = 0; i < REALS; i++)
      gauge.set({ service: `web${i % 20}`, real: `[fd00:1::${i.toString(16)}]:80` }, i)
  }
  return Buffer.from(await register.metrics()).length
}

async function watchTurns(watch: { readonly isOver: boolean; longest: number }): Promise<void> {
  let before = cpuNow()
  while (!watch.isOver) {
    await setImmediate()
    const now = cpuNow()
    watch.longest = Math.max(watch.longest, now - before)
    before = now
  }
}

function cpuNow(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function countingCost(quick: boolean): number[] {
  const tallies = new Tallies()
  const subscriber = { service: { name: 'web' }, use: { kind: 'http' } }
  const times = quick ? 100_000 : 1_000_000
  const result = passed()
  return Array.from({ length: 5 }, () => {
    const before = cpuNow()
    for (let i = 0; i < times; i++) tallies.listener.result?.([subscriber] as never, result)
    return ((cpuNow() - before) * 1000) / times
  })
}
