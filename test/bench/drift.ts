/** How long a virtual service is gone that another program has deleted: the kernel tells nobody, so the table is read back. */
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes } from './chosen.js'
import { lvsd, lvsdSocket, tail } from './daemons.js'
import { now, openFarm } from './farm.js'
import { destinationCount, flush, phase, run, until } from './kernel-table.js'
import { REALS, siteOf } from './sites.js'

const SIZES = [100, 1000]
const SERVICES = 10
/** Until the interval has been found by what a reading costs: of ten readings. */
const WARMUP = 30_000
/** Deletions of one run. */
const DELETIONS = 5

export const benchmark: Benchmark = {
  name: 'drift',
  about: `a virtual service of ${SERVICES} is deleted by hand: until it and its real servers are back`,
  place: 'lab',
  limit: 15,
  measure,
  figures,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const sizes = chosenNumbers('SIZES', SIZES)
  const farm = await openFarm(Math.max(...sizes), { prefix: REALS, port: 80 })
  try {
    for (const count of sizes) yield* measureSize(count, folder, chosenTimes(quick ? 1 : 3))
  } finally {
    farm.close()
  }
}

function* figures(): Iterable<Row> {
  for (const count of chosenNumbers('SIZES', SIZES)) yield rowOf(count, [], [])
}

function rowOf(count: number, ours: readonly number[], intervals: readonly number[]): Row {
  return {
    figure: `${count} servers: a deleted service is back`,
    unit: 'ms',
    ours,
    beside: 'between two readings',
    theirs: intervals,
    note: 'of the services, as lvsd has chosen after each deletion; other daemons do not read the table back',
  }
}

async function* measureSize(count: number, folder: string, runs: number): AsyncIterable<Row> {
  flush()
  const site = siteOf(count, { services: SERVICES, interval: 10, timeout: 5 })
  const running = lvsd.start({ ...site, resync: 'auto' }, folder)
  const isFull = () => destinationCount() === count
  try {
    await until('all servers in the table', isFull, 180_000)
    await sleep(WARMUP)
    for (let k = 1; k <= runs; k++) {
      const [delays, intervals]: [number[], number[]] = [[], []]
      for (let i = 0; i < DELETIONS; i++) {
        const interval = (await fetchStatus(lvsdSocket(folder))).reconcile.servicesEvery ?? 0
        intervals.push(interval)
        await phase(i, DELETIONS, Math.max(1000, interval))
        run('ipvsadm', '-D', '-t', `[${site.services[((k - 1) * DELETIONS + i) % SERVICES]?.address}]:80`)
        const deleted = now()
        delays.push((await until('the deleted service', isFull, 60_000)) - deleted)
      }
      yield { ...rowOf(count, delays, intervals), run: k }
    }
  } catch (error) {
    throw new Error(`${lvsd.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
  } finally {
    await running.stop()
  }
}
