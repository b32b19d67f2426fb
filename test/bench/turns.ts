/** The longest turn of a director's event loop: meanwhile no result counts and no change is written. */
import { readFileSync } from 'node:fs'
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { lvsdSocket, type Running, tail, turnsFile, watchedLvsd } from './daemons.js'
import { now, openFarm } from './farm.js'
import { Occurrences } from './occurrences.js'
import { type Site, type SiteService, siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'turns',
  about: 'the longest turn of the main loop with 10,000 real servers and the memory table, in processor time',
  place: 'here',
  limit: 30,
  measure,
  figures,
}

const COUNT = 10_000
/** Milliseconds. */
const AIM = 20
/** Seconds. All servers fail, and are back, within the interval. */
const SITE = { interval: 10, timeout: 5, resync: 'auto' } as const
/** Milliseconds that count after what is measured: a configuration is stored then, and the table is read back. */
const AFTER = 700
/** Milliseconds: V8 optimizes nothing for as long after a start. */
const SETTLE = 4000

/** Starts of each director, and situations of one kind in each. */
const FULL = { starts: 3, times: 3 }
const QUICK = { starts: 1, times: 1 }

const FORMATS = ['yaml', 'ldirectord'] as const
const SHAPES = {
  '100 services': (site: Site) => site,
  'one of 5,000 and 50 services': withLarge,
  '2 services of 5,000': inTwo,
}

/** Sites of --quick. */
const FEW = ['yaml, 100 services', 'ldirectord, 2 services of 5,000']

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const { starts, times } = quick ? QUICK : FULL
  for (const { what, ...site } of chosenSites(quick)) {
    const found: Found = new Map()
    for (let i = 0; i < starts; i++) await oneStart({ ...site, folder, times }, found)
    for (const [name, ours] of found) yield row(`${what}: ${name}`, ours)
    yield row(`${what}: ${ALL}`, [...found.values()].flat())
  }
}

function* figures(): Iterable<Row> {
  for (const { what } of chosenSites(false)) yield row(`${what}: ${ALL}`, [])
}

function row(figure: string, ours: readonly number[]): Row {
  return { figure, unit: 'ms', ours, beside: 'the aim', theirs: [AIM] }
}

function chosenSites(quick: boolean) {
  const sites = FORMATS.flatMap(format =>
    Object.entries(SHAPES).map(([shape, shaped]) => ({ what: `${format}, ${shape}`, format, shaped })),
  )
  return sites.filter(({ what }) => isChosen(what, quick))
}

/** ONLY: the sites that have its words, more of them after a semicolon. */
function isChosen(site: string, quick: boolean): boolean {
  const { ONLY } = process.env
  if (ONLY === undefined) return !quick || FEW.includes(site)
  return ONLY.split(';').some(words => site.includes(words))
}

/** The row that has the longest turns of all situations. */
const ALL = 'all of these'

type Found = Map<string, number[]>

interface Plan {
  readonly format: (typeof FORMATS)[number]
  readonly shaped: (site: Site) => Site
  readonly folder: string
  readonly times: number
}

async function oneStart({ format, shaped, folder, times }: Plan, found: Found): Promise<void> {
  const farm = await openFarm(COUNT)
  const site = shaped({ ...siteOf(COUNT, { ports: farm.ports, services: 100 }), ...SITE })
  const running = watchedLvsd(format).start(site, folder)
  const accepted = new Told(running, 'reload.accepted')
  const ups = new Told(running, 'real server up')
  const downs = new Told(running, 'real server down')
  const during = async (name: string, work: () => Promise<unknown>) => {
    const began = now()
    await work()
    await sleep(AFTER)
    const turns = longest(folder, began)
    found.set(name, [...(found.get(name) ?? []), turns])
  }
  const reload = async (other: Site) => {
    running.write(other)
    running.reload()
    await accepted.times(1)
  }
  const all = async (change: (i: number) => Promise<unknown>, told: Told) => {
    told.begin()
    await Promise.all(farm.ports.map((_, i) => change(i)))
    await told.times(COUNT)
  }
  try {
    await ups.times(COUNT)
    await sleep(SETTLE)
    await during('first reload of one weight', () => reload(withFirst(site, weighing(2))))
    for (let i = 0; i < times; i++)
      await during('a later one', () => reload(withFirst(site, weighing(i + 3))))
    for (let i = 0; i < times; i++)
      await during('the interval of one service', () =>
        reload(withFirst(site, s => ({ ...s, interval: 11 + i }))),
      )
    for (let i = 0; i < times; i++)
      await during('every interval', () => reload({ ...site, interval: SITE.interval + 1 + (i % 2) }))
    for (let i = 0; i < times; i++) {
      await during('5,000 removed', () => reload(withoutHalf(site)))
      await during('5,000 added', () => reload(site))
    }
    // Those that were added last are checked meanwhile.
    await during('nothing but checks, and the table is read back', () => sleep(SITE.interval * 1000))
    for (let i = 0; i < times; i++) await during('status', () => fetchStatus(lvsdSocket(folder)))
    for (let i = 0; i < times; i++) {
      await during('all fail within 10 seconds', () => all(farm.refuse, downs))
      await during('all are back within 10 seconds', () => all(farm.accept, ups))
    }
  } finally {
    farm.close()
    await running.stop()
    for (const told of [accepted, ups, downs]) told.close()
  }
}

/** Milliseconds of the longest turn that has ended since then. */
function longest(folder: string, since: number): number {
  const turns = readFileSync(turnsFile(folder), 'utf8')
    .split('\n')
    .map(line => line.split(' ').map(Number))
  return Math.max(0, ...turns.flatMap(([at = 0, ms = 0]) => (at >= since ? [ms] : [])))
}

function withLarge(site: Site): Site {
  const [first, ...others] = site.services
  if (!first) return site
  const half = others.length >> 1
  const reals = [first, ...others.slice(half + 1)].flatMap(({ reals }) => reals)
  return { ...site, services: [{ ...first, reals }, ...others.slice(0, half + 1)] }
}

/** All servers in two services. */
function inTwo(site: Site): Site {
  const [first, second] = site.services
  if (!first || !second) return site
  const reals = site.services.flatMap(service => service.reals)
  return {
    ...site,
    services: [
      { ...first, reals: reals.slice(0, COUNT / 2) },
      { ...second, reals: reals.slice(COUNT / 2) },
    ],
  }
}

/** The site without the services at its begin that have half of the servers. */
function withoutHalf(site: Site): Site {
  let left = COUNT / 2
  const services = site.services.filter(({ reals }) => {
    left -= reals.length
    return left < 0
  })
  return { ...site, services }
}

function withFirst(site: Site, changed: (service: SiteService) => SiteService): Site {
  const [first, ...others] = site.services
  return first ? { ...site, services: [changed(first), ...others] } : site
}

function weighing(weight: number): (service: SiteService) => SiteService {
  return service => ({
    ...service,
    reals: service.reals.map((real, i) => (i === 0 ? { ...real, weight } : real)),
  })
}

/** Seconds in which a director tells what is awaited. */
const LONGEST_WAIT = 60

/** Waits until a director has told something, each time as often again. */
class Told {
  readonly #running: Running
  readonly #word: string
  readonly #words: Occurrences
  #awaited = 0

  constructor(running: Running, word: string) {
    this.#running = running
    this.#word = word
    this.#words = new Occurrences(running.log, `"${word}"`)
  }

  /** From now on: what was told before does not count. */
  begin(): void {
    this.#awaited = this.#words.count()
  }

  async times(count: number): Promise<void> {
    this.#awaited += count
    const end = now() + LONGEST_WAIT * 1000
    while (this.#words.count() < this.#awaited) {
      if (now() > end)
        throw new Error(
          `"${this.#word}" was not told ${count} times in ${LONGEST_WAIT} s:\n${tail(this.#running.log)}`,
        )
      await sleep(50)
    }
  }

  close(): void {
    this.#words.close()
  }
}
