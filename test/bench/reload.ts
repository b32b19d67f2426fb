/** A reload that changes the weight of one real server among 5,000. */
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes } from './chosen.js'
import { type Daemon, keepalived, lvsd, tail } from './daemons.js'
import { now, openFarm } from './farm.js'
import { destinationCount, firstDestination, flush, until } from './kernel-table.js'
import { openTap, type Tap } from './netlink-tap.js'
import { cpuMs } from './processes.js'
import { REALS, type Site, siteOf, withWeight } from './sites.js'

const SIZES = [500, 5000]
/** Real servers of a service. */
const SIZE = 100

export const benchmark: Benchmark = {
  name: 'reload',
  about:
    'one weight changed among 500 and 5,000 real servers, 100 in a service, then SIGHUP; checks every 60 s',
  place: 'lab',
  limit: 20,
  measure,
  figures,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const sizes = chosenNumbers('SIZES', SIZES)
  const farm = await openFarm(Math.max(...sizes), { prefix: REALS, port: 80 })
  const tap = await openTap()
  const times = chosenTimes(quick ? 2 : 5)
  for (const count of sizes) yield* measureSize({ count, tap, folder, times })
  farm.close()
  tap?.close()
}

interface Measured {
  readonly count: number
  readonly tap: Tap | null
  readonly folder: string
  readonly times: number
}

async function* measureSize(how: Measured): AsyncIterable<Row> {
  const ours = await measureDaemon(lvsd, how)
  const missing = keepalived.missing()
  const theirs = missing ? nothing() : await measureDaemon(keepalived, how)
  const more = missing === null ? {} : { note: missing }
  for (const row of rows(how.count, ours, theirs, how.tap !== null)) yield { ...row, ...more }
}

function* figures(): Iterable<Row> {
  for (const count of chosenNumbers('SIZES', SIZES)) yield* rows(count, nothing(), nothing(), true)
}

function* rows(count: number, ours: Costs, theirs: Costs, isTapped: boolean): Iterable<Row> {
  const row = (figure: string, unit: string, pick: (costs: Costs) => number[]): Row => ({
    figure: `${count}: ${figure}`,
    unit,
    ours: pick(ours),
    beside: keepalived.name,
    theirs: pick(theirs),
  })
  yield row('until it is in the kernel', 'ms', costs => costs.wall)
  yield row('CPU, less that of checks', 'ms', costs => costs.cpu)
  if (!isTapped) return
  yield row('messages that change the table', '', costs => costs.changes)
  yield row('netlink datagrams, both ways', '', costs => costs.datagrams)
  yield row('bytes over netlink, both ways', 'KiB', costs => costs.kib)
}

interface Costs {
  readonly wall: number[]
  readonly cpu: number[]
  readonly changes: number[]
  readonly datagrams: number[]
  readonly kib: number[]
}

const nothing = (): Costs => ({ wall: [], cpu: [], changes: [], datagrams: [], kib: [] })

async function measureDaemon(daemon: Daemon, { count, tap, folder, times }: Measured): Promise<Costs> {
  flush()
  const site = siteOf(count, { services: count / SIZE, interval: 60, timeout: 10 })
  const running = daemon.start(site, folder)
  const costs = nothing()
  try {
    await until('all servers in the table', () => destinationCount() === count, 180_000)
    await sleep(10_000)
    for (let k = 0; k < times; k++) await measureOne(k + 2)
  } catch (error) {
    throw new Error(`${daemon.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
  } finally {
    await running.stop()
  }
  return costs

  async function measureOne(weight: number): Promise<void> {
    running.write(changed(site, weight))
    const idle = await rate(5000)
    const changes = await tap?.changes()
    const before = { at: now(), cpu: cpuMs(running.pid), datagrams: tap?.datagrams(), bytes: tap?.bytes() }
    running.reload()
    const done = await until('the new weight', () => firstDestination()?.weight === weight, 60_000)
    await quiet(idle)
    costs.wall.push(done - before.at)
    costs.cpu.push(cpuMs(running.pid) - before.cpu - idle * (now() - before.at))
    if (!tap) return
    costs.changes.push((await tap.changes()) - (changes ?? 0))
    costs.datagrams.push(tap.datagrams() - (before.datagrams ?? 0))
    costs.kib.push((tap.bytes() - (before.bytes ?? 0)) / 1024)
  }

  /** Milliseconds of processor time in each, as long as nothing but checks goes on. */
  async function rate(ms: number): Promise<number> {
    const [cpu, at] = [cpuMs(running.pid), now()]
    await sleep(ms)
    return (cpuMs(running.pid) - cpu) / (now() - at)
  }

  /** Until two seconds have cost no more than checks do. */
  async function quiet(idle: number): Promise<void> {
    const end = now() + 40_000
    while (now() < end && (await rate(2000)) > 1.3 * idle + 0.02);
  }
}

/** The server that stands first in the table: it is found without reading the whole of it. */
function changed(site: Site, weight: number): Site {
  const first = firstDestination()
  if (!first) throw new Error('the table is empty')
  return withWeight(site, first.key.slice(1, first.key.indexOf(']')), weight)
}
