/**
 * Faults of one server of ten, each on a machine of its own: how long until it is out of the kernel's table, how many
 * requests of a steady client fail, and how long until it is back. FAULTS and INTERVALS choose some: FAULTS=kill,drop.
 * TIMES is how often each is measured.
 */
import { fetchPage, steadyClient } from '../kernel/site/client.js'
import { buildLinks, setCable, setDropping, VIRTUAL } from '../kernel/site/links.js'
import { DIRECTOR, within } from '../kernel/site/namespaces.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosen, chosenNumbers, chosenTimes } from './chosen.js'
import { type Daemon, keepalived, lvsd, tail } from './daemons.js'
import { type Farm, now } from './farm.js'
import { flush, phase, until } from './kernel-table.js'
import { isServing, labSite, openServer, type Timing } from './lab-site.js'

const SERVERS = 10
/** Requests a second of the client, and milliseconds that it waits for an answer. */
const RATE = 50
const PATIENCE = 2000
/** Milliseconds that the client asks before a fault, and after the server is out. */
const AROUND = 300

export const benchmark: Benchmark = {
  name: 'faults',
  about: `a server of ten fails in six ways under ${RATE} requests a second; the first result decides`,
  place: 'lab',
  limit: 90,
  measure,
  figures,
}

/** Ways to fail, with their remedies. Each gives the moment, milliseconds of `now`, at which it had taken effect. */
interface Fault {
  readonly name: string
  fail(servers: Servers, i: number): Promise<number>
  mend(servers: Servers, i: number): Promise<number>
}

class Servers {
  readonly #farms = new Map<number, Farm>()

  async open(i: number): Promise<void> {
    this.#farms.set(i, await openServer(i))
  }

  at(i: number): Farm {
    const farm = this.#farms.get(i)
    if (!farm) throw new Error(`there is no server ${i}`)
    return farm
  }

  close(): void {
    for (const farm of this.#farms.values()) farm.close()
  }
}

const then = async (work: Promise<void>): Promise<number> => work.then(now)

const FAULTS: Readonly<Record<string, Fault>> = {
  kill: {
    name: 'kill -9',
    fail: async (servers, i) => {
      servers.at(i).kill()
      return now()
    },
    mend: (servers, i) => then(servers.open(i)),
  },
  close: {
    name: 'ends and closes its connections',
    fail: (servers, i) => servers.at(i).die(0),
    mend: (servers, i) => servers.at(i).accept(0),
  },
  refuse: {
    name: 'refuses new connections',
    fail: (servers, i) => servers.at(i).refuse(0),
    mend: (servers, i) => servers.at(i).accept(0),
  },
  drop: {
    name: 'drops packets of TCP',
    fail: (_, i) => then(setDropping(i, 'TCP')),
    mend: (_, i) => then(setDropping(i, 'nothing')),
  },
  link: {
    name: 'its link goes down',
    fail: (_, i) => then(setCable(i, false)),
    mend: (_, i) => then(setCable(i, true)),
  },
  neighbour: {
    name: 'its machine is not found any more',
    fail: (_, i) => then(setDropping(i, 'everything')),
    mend: (_, i) => then(setDropping(i, 'nothing')),
  },
}

/** Figures of one fault, a daemon and an interval. */
interface Outcome {
  /** Milliseconds. */
  readonly out: number[]
  readonly back: number[]
  /** Requests. */
  readonly failed: number[]
}

type Outcomes = ReadonlyMap<string, Outcome>

const FIGURES = [
  ['until it is out', 'ms', 'out'],
  ['failed requests', '', 'failed'],
  ['mended, until it is in', 'ms', 'back'],
] as const

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  buildLinks(SERVERS)
  const servers = new Servers()
  for (let i = 1; i <= SERVERS; i++) await servers.open(i)
  const missing = keepalived.missing()
  for (const interval of intervals(quick)) {
    const timing = { interval, timeout: interval === 1 ? 1 : 5, sentinels: false }
    const times = chosenTimes(quick ? 3 : interval === 1 ? 10 : 4)
    const run = (daemon: Daemon, sentinels: boolean) =>
      measureDaemon(daemon, servers, folder, { ...timing, sentinels }, times)
    const ours = await run(lvsd, true)
    const without = await run(lvsd, false)
    const theirs = missing === null ? await run(keepalived, false) : new Map<string, Outcome>()
    yield* allRows(interval, ours, without, theirs, missing ?? undefined)
  }
  servers.close()
}

function* figures(): Iterable<Row> {
  const none = new Map(chosenFaults().map(({ name }) => [name, { out: [], back: [], failed: [] }]))
  for (const interval of intervals(false)) yield* allRows(interval, none, none, none)
}

function intervals(quick: boolean): readonly number[] {
  return chosenNumbers('INTERVALS', quick ? [1] : [1, 10])
}

function chosenFaults(): readonly Fault[] {
  return chosen('FAULTS', Object.keys(FAULTS)).map(name => {
    const fault = FAULTS[name]
    if (!fault) throw new Error(`there is no fault ${name}: ${Object.keys(FAULTS).join(' ')}`)
    return fault
  })
}

function* allRows(interval: number, ours: Outcomes, without: Outcomes, theirs: Outcomes, note?: string) {
  yield* rows(`${interval} s, with sentinels`, ours, 'lvsd without', without)
  yield* rows(`${interval} s`, without, keepalived.name, theirs, note)
}

function* rows(when: string, ours: Outcomes, beside: string, theirs: Outcomes, note?: string): Iterable<Row> {
  for (const [fault, outcome] of ours)
    for (const [figure, unit, pick] of FIGURES)
      yield {
        figure: `${when}: ${fault}, ${figure}`,
        unit,
        ours: outcome[pick],
        beside,
        theirs: theirs.get(fault)?.[pick] ?? [],
        ...(note === undefined ? {} : { note }),
      }
}

async function measureDaemon(
  daemon: Daemon,
  servers: Servers,
  folder: string,
  timing: Timing,
  times: number,
): Promise<Outcomes> {
  within(DIRECTOR, flush)
  const running = within(DIRECTOR, () => daemon.start(labSite(SERVERS, timing), folder))
  const outcomes = new Map<string, Outcome>()
  try {
    for (let i = 1; i <= SERVERS; i++) await until(`server ${i} in the table`, () => isServing(i), 120_000)
    await sleep(3000)
    for (const fault of chosenFaults())
      outcomes.set(fault.name, await measureFault(fault, servers, timing, times, 1 + outcomes.size))
  } catch (error) {
    throw new Error(`${daemon.name}: ${(error as Error).message}\n${tail(running.log)}`, { cause: error })
  } finally {
    await running.stop()
  }
  return outcomes
}

/** All at one server, whose checks have one phase of the interval: the faults cover it evenly (`phase`). */
async function measureFault(
  fault: Fault,
  servers: Servers,
  { interval }: Timing,
  times: number,
  i: number,
): Promise<Outcome> {
  const outcome: Outcome = { out: [], back: [], failed: [] }
  for (let k = 0; k < times; k++) {
    const fetch = () => fetchPage(VIRTUAL, '/', { timeout: PATIENCE })
    const client = steadyClient(VIRTUAL, { rate: RATE, limit: 1e6, fetch })
    await sleep(AROUND)
    await phase(k, times, interval * 1000)
    const before = client.failed
    const failedAt = await fault.fail(servers, i)
    outcome.out.push(await delay(failedAt, () => !isServing(i)))
    await sleep(AROUND)
    outcome.failed.push((await client.stop()).failures.length - before)
    await phase(k, times, interval * 1000)
    outcome.back.push(await delay(await fault.mend(servers, i), () => isServing(i)))
    // A sentinel is opened a second after the last one at the earliest.
    await sleep(2000)
  }
  return outcome
}

/** Milliseconds; what was seen before the moment was known took none. */
async function delay(since: number, isTrue: () => boolean): Promise<number> {
  return Math.max(0, (await until('a change of the table', isTrue, 120_000)) - since)
}
