/** How long it takes until a server that refuses connections is out of the kernel's table, and until it is back. */
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenTimes, isBeside } from './chosen.js'
import { type Daemon, keepalived, ldirectord, lvsd, tail } from './daemons.js'
import { type Farm, openFarm } from './farm.js'
import { destinations, flush, phase, until } from './kernel-table.js'
import { REALS, siteOf } from './sites.js'

const SERVERS = 10
const INTERVAL = 1000

export const benchmark: Benchmark = {
  name: 'detect',
  about: 'a server of ten refuses connections and recovers; checked every second, the first result decides',
  place: 'lab',
  limit: 10,
  measure,
  figures,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const farm = await openFarm(SERVERS, { prefix: REALS, port: 80 })
  const times = chosenTimes(quick ? 5 : 20)
  const ours = await measureDaemon(lvsd, farm, folder, times)
  yield* ownRows(ours, await measureDaemon(lvsd, farm, folder, times, true))
  for (const [peer, theirTimes] of [
    [keepalived, times],
    [ldirectord, quick ? 2 : 8],
  ] as const) {
    if (!isBeside(peer.name)) continue
    const missing = peer.missing()
    const theirs = missing ? NOTHING : await measureDaemon(peer, farm, folder, theirTimes)
    yield* rows(ours, peer.name, theirs, missing ?? NOTES.get(peer))
  }
  farm.close()
}

function* figures(): Iterable<Row> {
  yield* ownRows(NOTHING, NOTHING)
  for (const { name } of [keepalived, ldirectord]) if (isBeside(name)) yield* rows(NOTHING, name, NOTHING)
}

function* ownRows(ours: Delays, watched: Delays): Iterable<Row> {
  yield {
    figure: 'its process ends, until it is out, with sentinels',
    unit: 'ms',
    ours: watched.out,
    beside: 'lvsd without sentinels',
    theirs: ours.out,
  }
  const half = 'nobody who asks once in an interval can be faster in the mean'
  yield* rows(ours, 'half the interval', { out: [INTERVAL / 2], back: [INTERVAL / 2] }, half)
}

const NOTES = new Map([
  [keepalived, 'keepalived asks twice before it brings a server back, unless fast_recovery'],
])

interface Delays {
  readonly out: number[]
  readonly back: number[]
}

const NOTHING: Delays = { out: [], back: [] }

function* rows(ours: Delays, beside: string, theirs: Delays, note?: string): Iterable<Row> {
  const more = note === undefined ? {} : { note }
  yield {
    figure: 'refuses, until it is out',
    unit: 'ms',
    ours: ours.out,
    beside,
    theirs: theirs.out,
    ...more,
  }
  yield {
    figure: 'answers, until it is in',
    unit: 'ms',
    ours: ours.back,
    beside,
    theirs: theirs.back,
    ...more,
  }
}

async function measureDaemon(
  daemon: Daemon,
  farm: Farm,
  folder: string,
  times: number,
  sentinels = false,
): Promise<Delays> {
  flush()
  const site = { ...siteOf(SERVERS), sentinels }
  const running = daemon.start(site, folder)
  const delays: Delays = { out: [], back: [] }
  try {
    await until('all servers in the table', () => isIn(SERVERS), 120_000)
    await sleep(3 * INTERVAL)
    for (let k = 0; k < times; k++) {
      // The checks of one server have one phase of the interval, which the faults then cover evenly. A sentinel needs longer than
      // this loop until it is open again, and the phase is nothing to it.
      const server = sentinels ? (3 * k) % SERVERS : 0
      await phase(k, times, INTERVAL)
      delays.out.push(
        await delay(await (sentinels ? farm.die(server) : farm.refuse(server)), () => !hasServer(server)),
      )
      await sleep(300)
      await phase(k, times, INTERVAL)
      delays.back.push(await delay(await farm.accept(server), () => hasServer(server)))
      await sleep(500)
    }
  } catch (error) {
    throw new Error(`${daemon.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
  } finally {
    await running.stop()
  }
  return delays
}

async function delay(since: number, isTrue: () => boolean): Promise<number> {
  return (await until('a change of the table', isTrue, 60_000)) - since
}

function isIn(count: number): boolean {
  return destinations().length === count
}

function hasServer(server: number): boolean {
  const key = `[${REALS}::${(server + 1).toString(16)}]:80`
  return destinations().some(each => each.key === key && each.weight > 0)
}
