/** Resident memory of a daemon that has run for a while. */
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { type Daemon, keepalived, lvsd, tail } from './daemons.js'
import { openFarm } from './farm.js'
import { destinationCount, flush, until } from './kernel-table.js'
import { type Memory, memoryOf } from './processes.js'
import { REALS, siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'memory',
  about: 'memory half a minute after the start, checks every 30 s',
  place: 'lab',
  limit: 10,
  measure,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const farm = await openFarm(5000, { prefix: REALS, port: 80 })
  const missing = keepalived.missing()
  const more = missing === null ? {} : { note: missing }
  for (const count of [10, 1000, 5000]) {
    const ours = await measureDaemon(lvsd, count, folder, quick)
    const theirs = missing ? null : await measureDaemon(keepalived, count, folder, quick)
    const row = (name: string, pick: (memory: Memory) => number): Row => ({
      figure: `${count} real servers, ${name}`,
      unit: 'MiB',
      ours: [pick(ours)],
      beside: keepalived.name,
      theirs: theirs ? [pick(theirs)] : [],
      ...more,
    })
    yield row('RSS', memory => memory.rss)
    yield row('PSS', memory => memory.pss)
  }
  farm.close()
}

async function measureDaemon(daemon: Daemon, count: number, folder: string, quick: boolean): Promise<Memory> {
  flush()
  const site = siteOf(count, { services: Math.ceil(count / 100), interval: 30, timeout: 10 })
  const running = daemon.start(site, folder)
  try {
    await until('all servers in the table', () => destinationCount() === count, 180_000)
    await sleep(quick ? 5000 : 30_000)
    return memoryOf(running.pid)
  } catch (error) {
    throw new Error(`${daemon.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
  } finally {
    await running.stop()
  }
}
