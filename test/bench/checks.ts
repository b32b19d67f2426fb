/** What a check costs at 100, 1,000 and 5,000 a second, and whether it keeps its time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, differences, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes, isBeside } from './chosen.js'
import { keepalivedWithoutTable, lvsdInMemory, lvsdSocket, type Running } from './daemons.js'
import { type Farm, now, openFarm } from './farm.js'
import { cpuMs, memoryOf } from './processes.js'
import { siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'checks',
  about: 'HTTP checks of servers on ::1, each once a second, with the memory table',
  place: 'here',
  limit: 25,
  measure,
  figures,
}

const RATES = [100, 1000, 5000]
const WINDOW = 4000
/**
 * V8 compiles what runs all the time once it has run some ten thousand times: for a minute at 1,000 a second, for three at 100. A director
 * runs for months. keepalived is as it is from the beginning.
 */
const WHOLE: Windows = { warmupAt: rate => (rate < 1000 ? 180_000 : 60_000), rounds: 3, count: 2 }
const QUICK: Windows = { warmupAt: () => 10_000, rounds: 1, count: 2 }
const PEER_WARMUP = 10_000
const BARE_WARMUP = 30_000
/** Milliseconds that lvsd runs again, after it was stopped, before it is measured. */
const SETTLING = 10_000
const LATENESS = "by each one's own account; lvsd's is of the last two minutes, its busy start included"

interface Windows {
  /** Milliseconds, of lvsd. */
  readonly warmupAt: (rate: number) => number
  /** Times that lvsd and keepalived are measured in turn, in so many windows each. */
  readonly rounds: number
  readonly count: number
}

type Shared = Pick<Cost, 'cpu' | 'gap' | 'rss'>

const PEER_FIGURES: readonly (readonly [string, string, (cost: Shared) => readonly number[]])[] = [
  ['CPU of a check', 'µs', ({ cpu }) => cpu],
  ['time between two, p99', 'ms', ({ gap }) => gap],
  ['RSS', 'MiB', ({ rss }) => rss],
]

/** BESIDE: what lvsd is measured beside. */
const BARE = 'bare'
const PORTABLE = 'portable'

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const whole = quick ? QUICK : WHOLE
  const windows = { ...whole, rounds: chosenTimes(whole.rounds) }
  for (const rate of chosenNumbers('SIZES', RATES)) {
    const farm = await openFarm(rate)
    try {
      const ours: Cost[] = []
      for await (const round of roundsOf(farm, folder, windows)) {
        ours.push(round.ours)
        for (const row of peerRows(rate, round.ours, round.theirs)) yield { ...row, run: ours.length }
      }
      const all = joined(ours)
      if (isBeside(PORTABLE)) yield* portableRows(rate, all, await portableCost(farm, folder, windows))
      if (isBeside(BARE)) yield* bareRows(rate, all, await bareCost(farm, windows))
    } finally {
      farm.close()
    }
  }
}

function* figures(): Iterable<Row> {
  const nothing = joined([])
  for (const rate of chosenNumbers('SIZES', RATES)) {
    yield* peerRows(rate, nothing, nothing)
    if (isBeside(PORTABLE)) yield* portableRows(rate, nothing, nothing)
    if (isBeside(BARE)) yield* bareRows(rate, nothing, nothing)
  }
}

function* peerRows(rate: number, ours: Cost, peer: Shared): Iterable<Row> {
  const missing = keepalivedWithoutTable.missing()
  yield { figure: `${rate}/s: reached`, unit: '/s', ours: ours.rate, beside: 'wanted', theirs: [rate] }
  for (const [figure, unit, pick] of PEER_FIGURES)
    yield {
      ...{ figure: `${rate}/s: ${figure}`, unit, ours: pick(ours), beside: keepalivedWithoutTable.name },
      ...{ theirs: pick(peer), ...(missing === null ? {} : { note: missing }) },
    }
}

function* portableRows(rate: number, ours: Cost, portable: Cost): Iterable<Row> {
  const row = { beside: "lvsd on Node's sockets" }
  yield { ...row, figure: `${rate}/s: CPU of a check`, unit: 'µs', ours: ours.cpu, theirs: portable.cpu }
}

function* bareRows(rate: number, ours: Cost, bare: Cost): Iterable<Row> {
  const row = (figure: string, unit: string, pick: (cost: Cost) => readonly number[]): Row => ({
    figure: `${rate}/s: ${figure}`,
    unit,
    ours: pick(ours),
    beside: 'bare node:http',
    theirs: pick(bare),
  })
  yield row('reached', '/s', cost => cost.rate)
  yield row('CPU of a check', 'µs', cost => cost.cpu)
  yield row('time between two, p99', 'ms', cost => cost.gap)
  yield { ...row('lateness p99', 'ms', cost => cost.late), note: LATENESS }
  yield row('RSS', 'MiB', cost => cost.rss)
}

interface Cost {
  /** Checks a second. */
  readonly rate: number[]
  /** Microseconds for one. */
  readonly cpu: number[]
  /** Milliseconds between two checks of the same server, p99 as the servers see it. */
  readonly gap: number[]
  /** Milliseconds, p99, by its own account. */
  readonly late: number[]
  /** MiB, after each window. */
  readonly rss: number[]
}

function joined(costs: readonly Cost[]): Cost {
  const all = (pick: (cost: Cost) => readonly number[]) => costs.flatMap(pick)
  return {
    rate: all(cost => cost.rate),
    cpu: all(cost => cost.cpu),
    gap: all(cost => cost.gap),
    late: all(cost => cost.late),
    rss: all(cost => cost.rss),
  }
}

interface Round {
  readonly ours: Cost
  readonly theirs: Shared
}

/** lvsd, which warms up once, and keepalived in turn. While one is measured, the other one is stopped. */
async function* roundsOf(farm: Farm, folder: string, windows: Windows): AsyncIterable<Round> {
  const running = startLvsd(farm, folder, 'native')
  try {
    for (let round = 0; round < windows.rounds; round++) {
      await sleep(round === 0 ? windows.warmupAt(farm.ports.length) : SETTLING)
      const cost = await windowsOf(farm, running.pid, windows.count)
      // Later ones would have the time in which it was stopped, and what all checks at once take when it goes on: 13 MiB at 1,000 a second.
      const once = round === 0 ? { late: await latenessIn(folder) } : { late: [], rss: [] }
      yield {
        ours: { ...cost, ...once },
        theirs: await whileStopped(running, () => peerCost(farm, folder, windows)),
      }
    }
  } finally {
    await running.stop()
  }
}

async function whileStopped<T>({ pid }: Running, work: () => Promise<T>): Promise<T> {
  process.kill(pid, 'SIGSTOP')
  try {
    return await work()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

async function peerCost(farm: Farm, folder: string, windows: Windows): Promise<Shared> {
  if (keepalivedWithoutTable.missing() !== null) return joined([])
  const running = keepalivedWithoutTable.start(siteOf(farm.ports.length, { ports: farm.ports }), folder)
  try {
    await sleep(PEER_WARMUP)
    return await windowsOf(farm, running.pid, windows.count)
  } finally {
    await running.stop()
  }
}

async function portableCost(farm: Farm, folder: string, windows: Windows): Promise<Cost> {
  const running = startLvsd(farm, folder, 'portable')
  try {
    await sleep(windows.warmupAt(farm.ports.length))
    const cost = await windowsOf(farm, running.pid, windows.rounds * windows.count)
    return { ...cost, late: await latenessIn(folder) }
  } finally {
    await running.stop()
  }
}

function startLvsd(farm: Farm, folder: string, engine: 'native' | 'portable'): Running {
  return lvsdInMemory.start({ ...siteOf(farm.ports.length, { ports: farm.ports }), engine }, folder)
}

async function latenessIn(folder: string): Promise<number[]> {
  const { schedule } = await fetchStatus(lvsdSocket(folder))
  return [schedule.lateness.p99]
}

async function bareCost(farm: Farm, windows: Windows): Promise<Cost> {
  const program = join(process.cwd(), 'build/test/bench/bare-http.js')
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(farm.ports))
  const said = text(child.stdout)
  await sleep(BARE_WARMUP)
  const cost = await windowsOf(farm, child.pid ?? 0, windows.rounds * windows.count)
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { ...cost, late: [Number(await said)] }
}

async function windowsOf(farm: Farm, pid: number, windows: number): Promise<Omit<Cost, 'late'>> {
  const at: number[] = []
  const cpu: number[] = []
  const count: number[] = []
  const gap: number[] = []
  const rss: number[] = []
  for (let i = 0; i <= windows; i++) {
    if (i > 0) await sleep(WINDOW)
    count.push(await farm.count())
    const { p99 } = await farm.gaps()
    if (i > 0) gap.push(p99)
    if (i > 0) rss.push(memoryOf(pid).rss)
    cpu.push(cpuMs(pid))
    at.push(now())
  }
  const [counts, cpus, times] = [count, cpu, at].map(differences) as [number[], number[], number[]]
  return {
    rate: counts.map((checks, i) => (checks * 1000) / (times[i] ?? 1)),
    // A daemon that is starved may check nothing in a window.
    cpu: counts.flatMap((checks, i) => (checks > 0 ? ((cpus[i] ?? 0) * 1000) / checks : [])),
    gap,
    rss,
  }
}
