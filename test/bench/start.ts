/** From the start of the program until every real server is in the kernel's table. */
import type { Benchmark, Row, Run } from './benchmark.js'
import { chosenNumbers, chosenTimes, isBeside } from './chosen.js'
import { type Daemon, forgetAccepted, keepalived, ldirectord, lvsd, tail } from './daemons.js'
import { now, openFarm } from './farm.js'
import { destinationCount, flush, until } from './kernel-table.js'
import { cpuMs } from './processes.js'
import { REALS, siteOf } from './sites.js'

const SIZES = [500, 1000]
/** ldirectord forks twelve processes for each server, and reads the whole table for each. */
const FEW = 10

export const benchmark: Benchmark = {
  name: 'start',
  about: '500 and 1,000 real servers in 10 services and an empty table: until all are in it',
  place: 'lab',
  limit: 8,
  measure,
  figures,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const sizes = chosenNumbers('SIZES', SIZES)
  const farm = await openFarm(Math.max(FEW, ...sizes), { prefix: REALS, port: 80 })
  const times = chosenTimes(quick ? 2 : 5)
  const isScaled = isBeside(ldirectord.name) && !ldirectord.missing()
  const few = isScaled ? await measureDaemon(ldirectord, FEW, folder, 1) : NOTHING
  for (const count of sizes) {
    const ours = await measureDaemon(lvsd, count, folder, times, () => forgetAccepted(folder))
    const again = await measureDaemon(lvsd, count, folder, times)
    const theirs = keepalived.missing() ? NOTHING : await measureDaemon(keepalived, count, folder, times)
    yield* allRows(count, { ours, again, theirs, few })
  }
  farm.close()
}

function* figures(): Iterable<Row> {
  for (const count of chosenNumbers('SIZES', SIZES))
    yield* allRows(count, { ours: NOTHING, again: NOTHING, theirs: NOTHING, few: NOTHING })
}

/** `few`: what ldirectord takes for `FEW` servers. */
type Measured = Readonly<Record<'ours' | 'again' | 'theirs' | 'few', Costs>>

function* allRows(count: number, { ours, again, theirs, few }: Measured): Iterable<Row> {
  const without =
    'keepalived puts servers in before it has checked them; lvsd and ldirectord after the first check'
  yield* rows(`${count}`, ours, keepalived.name, theirs, keepalived.missing() ?? without)
  const same = 'the text is that of the last start'
  yield* rows(`${count} again`, again, keepalived.name, theirs, keepalived.missing() ?? same)
  if (!isBeside(ldirectord.name)) return
  const scale = (value: number) => (value * count) / FEW
  const scaled = { wall: few.wall.map(scale), cpu: few.cpu.map(scale) }
  const measured = `measured with ${FEW} servers (${few.wall[0]?.toFixed(0)} ms), here as if it grew no faster than they`
  yield* rows(`${count}`, ours, ldirectord.name, scaled, ldirectord.missing() ?? measured)
}

interface Costs {
  readonly wall: number[]
  readonly cpu: number[]
}

const NOTHING: Costs = { wall: [], cpu: [] }

function* rows(what: string, ours: Costs, beside: string, theirs: Costs, note: string): Iterable<Row> {
  const row = { beside, note }
  yield { ...row, figure: `${what}: until all are in`, unit: 'ms', ours: ours.wall, theirs: theirs.wall }
  yield { ...row, figure: `${what}: CPU until then`, unit: 'ms', ours: ours.cpu, theirs: theirs.cpu }
}

async function measureDaemon(
  daemon: Daemon,
  count: number,
  folder: string,
  times: number,
  prepare = () => {},
): Promise<Costs> {
  const costs: Costs = { wall: [], cpu: [] }
  const site = siteOf(count, { services: Math.min(10, count), interval: 10, timeout: 5 })
  for (let i = 0; i < times; i++) {
    flush()
    prepare()
    const began = now()
    const running = daemon.start(site, folder)
    try {
      const isFull = () => destinationCount() === count
      costs.wall.push((await until('all servers in the table', isFull, 180_000)) - began)
      costs.cpu.push(cpuMs(running.pid))
    } catch (error) {
      throw new Error(`${daemon.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
    } finally {
      await running.stop()
    }
  }
  return costs
}
