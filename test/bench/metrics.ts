/** What a scrape of 2,000 real servers costs, and what counting adds to each check. */

import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isRunnable } from '../../src/accepted/accepted.js'
import { loadConfig } from '../../src/config/load.js'
import { type Daemon, startDaemon } from '../../src/director/daemon.js'
import { memoryKernel } from '../../src/ipvs/memory.js'
import { Tallies } from '../../src/metrics/tallies.js'
import { memoryJournal } from '../../src/storage/journal.js'
import { recordingLog } from '../support/logs.js'
import { passed } from '../support/tables.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'

export const benchmark: Benchmark = {
  name: 'metrics',
  about: 'a scrape of 2,000 real servers, and the counting of a result, with the memory table',
  place: 'here',
  limit: 2,
  measure,
}

const REALS = 2000
/** Milliseconds after which a scrape is not answered from the last one. */
const REST = 550
const LIMIT = { cpu: 50, turn: 10 }

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const scrapes = quick ? 5 : 30
  for (const services of [20, 1]) {
    const { daemon, read } = await start(folder, services)
    const name = `${REALS} servers in ${services === 1 ? 'one service' : `${services} services`}`
    const whole = await costOf(daemon, scrapes)
    const note = 'the memory table plays the kernel, too'
    const beside = 'limit'
    yield { figure: `${name}: CPU`, unit: 'ms', ours: whole.cpu, beside, theirs: [LIMIT.cpu], note }
    read.isFixed = true
    const own = await costOf(daemon, scrapes)
    yield { figure: `${name}: CPU, table not read`, unit: 'ms', ours: own.cpu, beside, theirs: [LIMIT.cpu] }
    yield { figure: `${name}: longest turn`, unit: 'ms', ours: own.turn, beside, theirs: [LIMIT.turn] }
    yield { figure: `${name}: text`, unit: 'kB', ours: [own.bytes / 1000], beside: '', theirs: [] }
    await daemon.stop()
  }
  yield { figure: 'counting a result', unit: 'µs', ours: countingCost(quick), beside: '', theirs: [] }
}

async function start(folder: string, services: number) {
  const file = join(folder, 'site.yaml')
  const loaded = await loadConfig(file, { text: siteOf(services, join(folder, 'lvsd.sock')) })
  if (!isRunnable(loaded)) throw new Error(JSON.stringify(loaded.problems[0]))
  const kernel = memoryKernel()
  const read = { isFixed: false }
  let last = await kernel.dump()
  const daemon = await startDaemon({
    loaded,
    kernel: {
      ...kernel,
      dump: async expected => {
        if (!read.isFixed) last = await kernel.dump(expected)
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

/** Processor time in milliseconds: of a scrape, and of the longest turn of the event loop in it. */
async function costOf(daemon: Daemon, scrapes: number) {
  const cost = { cpu: [] as number[], turn: [] as number[], bytes: 0 }
  for (let i = 0; i < scrapes; i++) {
    await sleep(REST)
    const watch = { isOver: false, longest: 0 }
    const watching = watchTurns(watch)
    const before = cpuNow()
    const { text } = await daemon.metrics.text(undefined)
    cost.cpu.push(cpuNow() - before)
    watch.isOver = true
    await watching
    cost.turn.push(watch.longest)
    cost.bytes = text.length
  }
  return cost
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
