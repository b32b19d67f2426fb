/** What a check costs at 100, 1,000 and 5,000 a second, and whether it keeps its time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, differences, type Row, type Run, sleep } from './benchmark.js'
import { keepalivedWithoutTable, lvsdInMemory, lvsdSocket } from './daemons.js'
import { type Farm, now, openFarm } from './farm.js'
import { cpuMs, memoryOf } from './processes.js'
import { siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'checks',
  about: 'HTTP checks of servers on ::1, each once a second, with the memory table',
  place: 'here',
  limit: 25,
  measure,
}

const WINDOW = 4000
/**
 * V8 compiles what runs all the time once it has run some ten thousand times: for a minute at 1,000 a second, for three at 100. A director
 * runs for months. keepalived is as it is from the beginning.
 */
const WHOLE = { warmupAt: (rate: number) => (rate < 1000 ? 180_000 : 60_000), count: 5 } as const
const QUICK = { warmupAt: () => 10_000, count: 2 } as const
const PEER_WARMUP = 10_000
const BARE_WARMUP = 30_000
type Windows = typeof WHOLE | typeof QUICK
const LATENESS = "by each one's own account; lvsd's is of the last two minutes, its busy start included"

const NOTHING = { cpu: [], gap: [], rss: [] }

type Shared = Pick<Cost, 'cpu' | 'gap' | 'rss'>

const PEER_FIGURES: readonly (readonly [string, string, (cost: Shared) => readonly number[]])[] = [
  ['CPU of a check', 'µs', ({ cpu }) => cpu],
  ['time between two, p99', 'ms', ({ gap }) => gap],
  ['RSS', 'MiB', ({ rss }) => rss],
]

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const windows = quick ? QUICK : WHOLE
  for (const rate of [100, 1000, 5000]) {
    const farm = await openFarm(rate)
    const ours = await lvsdCost(farm, folder, windows, 'native')
    const portable = await lvsdCost(farm, folder, windows, 'portable')
    const bare = await bareCost(farm, windows)
    const missing = keepalivedWithoutTable.missing()
    const peer = missing === null ? await keepalivedCost(farm, folder, windows) : NOTHING
    farm.close()
    const beside = 'bare node:http'
    const name = `${rate}/s`
    yield { figure: `${name}: reached`, unit: '/s', ours: ours.rate, beside: 'wanted', theirs: [rate] }
    yield { figure: `${name}: reached`, unit: '/s', ours: ours.rate, beside, theirs: bare.rate }
    yield { figure: `${name}: CPU of a check`, unit: 'µs', ours: ours.cpu, beside, theirs: bare.cpu }
    yield {
      figure: `${name}: CPU of a check`,
      unit: 'µs',
      ours: ours.cpu,
      beside: "lvsd on Node's sockets",
      theirs: portable.cpu,
    }
    for (const [figure, unit, pick] of PEER_FIGURES)
      yield {
        ...{ figure: `${name}: ${figure}`, unit, ours: pick(ours), beside: keepalivedWithoutTable.name },
        ...{ theirs: pick(peer), ...(missing === null ? {} : { note: missing }) },
      }
    yield { figure: `${name}: time between two, p99`, unit: 'ms', ours: ours.gap, beside, theirs: bare.gap }
    yield {
      figure: `${name}: lateness p99`,
      unit: 'ms',
      ours: ours.late,
      beside,
      theirs: bare.late,
      note: LATENESS,
    }
    yield { figure: `${name}: RSS`, unit: 'MiB', ours: ours.rss, beside, theirs: bare.rss }
  }
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

async function lvsdCost(
  farm: Farm,
  folder: string,
  windows: Windows,
  engine: 'native' | 'portable',
): Promise<Cost> {
  const site = { ...siteOf(farm.ports.length, { ports: farm.ports }), engine }
  const running = lvsdInMemory.start(site, folder)
  try {
    const cost = await windowsOf(farm, running.pid, windows.warmupAt(farm.ports.length), windows)
    const { schedule } = await fetchStatus(lvsdSocket(folder))
    return { ...cost, late: [schedule.lateness.p99] }
  } finally {
    await running.stop()
  }
}

async function keepalivedCost(farm: Farm, folder: string, windows: Windows): Promise<Omit<Cost, 'late'>> {
  const running = keepalivedWithoutTable.start(siteOf(farm.ports.length, { ports: farm.ports }), folder)
  try {
    return await windowsOf(farm, running.pid, PEER_WARMUP, windows)
  } finally {
    await running.stop()
  }
}

async function bareCost(farm: Farm, windows: Windows): Promise<Cost> {
  const program = join(process.cwd(), 'build/test/bench/bare-http.js')
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(farm.ports))
  const said = text(child.stdout)
  const cost = await windowsOf(farm, child.pid ?? 0, BARE_WARMUP, windows)
  child.kill('SIGTERM')
  await once(child, 'exit')
  return { ...cost, late: [Number(await said)] }
}

async function windowsOf(
  farm: Farm,
  pid: number,
  warmup: number,
  { count: windows }: Windows,
): Promise<Omit<Cost, 'late'>> {
  await sleep(warmup)
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
