/** What a check costs lvsd and keepalived: the same site, one after the other, again and again in the same run. */
import { differences, type Row, sleep } from './benchmark.js'
import { type Daemon, keepalivedWithoutTable, lvsdInMemory, tail } from './daemons.js'
import { now } from './farm.js'
import { cpuMs, memoryOf } from './processes.js'
import type { Site } from './sites.js'

const WARMUP = 8000
const WINDOW = 4000
const ROUNDS = 3
const WINDOWS = 2

/** What is checked. */
export interface Checked {
  readonly site: Site
  /** Checks so far. */
  count(): number | Promise<number>
  /** The process of the servers, whose work for each check is told too. */
  readonly serverPid?: number
}

interface Cost {
  readonly rate: number[]
  /** Microseconds. */
  readonly cpu: number[]
  readonly serverCpu: number[]
  readonly rss: number[]
}

/** `name` begins each row, `what` is its word for one check. */
export async function* costBeside(
  checked: Checked,
  folder: string,
  { name, what, quick }: { name: string; what: string; quick: boolean },
): AsyncIterable<Row> {
  const ours = empty()
  const theirs = empty()
  const missing = keepalivedWithoutTable.missing()
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    await measure(lvsdInMemory, checked, folder, ours)
    if (missing === null) await measure(keepalivedWithoutTable, checked, folder, theirs)
  }
  const beside = 'keepalived'
  const row = (figure: string, unit: string, key: keyof Cost): Row => ({
    figure: `${name}: ${figure}`,
    unit,
    ours: ours[key],
    beside,
    theirs: theirs[key],
    ...(missing === null ? {} : { note: missing }),
  })
  yield row('reached', '/s', 'rate')
  yield row(`CPU of ${what}`, 'µs', 'cpu')
  if (checked.serverPid !== undefined) yield row(`CPU of the server for ${what}`, 'µs', 'serverCpu')
  yield row('RSS', 'MiB', 'rss')
}

const empty = (): Cost => ({ rate: [], cpu: [], serverCpu: [], rss: [] })

async function measure(daemon: Daemon, checked: Checked, folder: string, into: Cost): Promise<void> {
  const running = daemon.start(checked.site, folder)
  try {
    await sleep(WARMUP)
    const { serverPid } = checked
    const readings = {
      at: [] as number[],
      count: [] as number[],
      cpu: [] as number[],
      server: [] as number[],
    }
    for (let i = 0; i <= WINDOWS; i++) {
      if (i > 0) await sleep(WINDOW)
      readings.count.push(await checked.count())
      readings.cpu.push(cpuMs(running.pid))
      readings.server.push(serverPid === undefined ? 0 : cpuMs(serverPid))
      readings.at.push(now())
    }
    const [at, count, cpu, server] = [readings.at, readings.count, readings.cpu, readings.server].map(
      differences,
    )
    count?.forEach((checks, i) => {
      if (checks === 0) throw new Error(`${daemon.name} checks nothing:\n${tail(running.log)}`)
      into.rate.push((checks * 1000) / (at?.[i] ?? 1))
      into.cpu.push(((cpu?.[i] ?? 0) * 1000) / checks)
      into.serverCpu.push(((server?.[i] ?? 0) * 1000) / checks)
    })
    into.rss.push(memoryOf(running.pid).rss)
  } finally {
    await running.stop()
  }
}
