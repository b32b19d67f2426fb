/** The longest turn of a director's event loop: meanwhile no result counts and no change is written. */
import { readFileSync } from 'node:fs'
import { fetchStatus } from '../../src/api/client.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { lvsdSocket, type Running, tail, turnsFile, watchedLvsd } from './daemons.js'
import { now, openFarm } from './farm.js'
import { type Site, type SiteService, siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'turns',
  about: 'the longest turn of the main loop with 10,000 real servers and the memory table, in processor time',
  place: 'here',
  limit: 30,
  measure,
}

const COUNT = 10_000
/** Services at the end that have half of the servers, in both shapes. */
const HALF = 50
/** Milliseconds. */
const AIM = 20
/** Seconds. All servers fail within the interval. */
const SITE = { interval: 10, timeout: 5, resync: 'auto' } as const
/** Milliseconds that count after what is measured: a configuration is stored then, and the table is read back. */
const AFTER = 700
/** Milliseconds: V8 optimizes nothing for as long after a start. */
const SETTLE = 4000

/** Starts of each director, and reloads of one kind in each. ONLY narrows down to figures that have its words. */
const FULL = { starts: 3, times: 4 }
const QUICK = { starts: 1, times: 3 }

const FORMATS = ['yaml', 'ldirectord'] as const
const SHAPES = {
  '100 services': (site: Site) => site,
  'one of 5,000 and 50 services': withLarge,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const { starts, times } = quick ? QUICK : FULL
  for (const format of FORMATS)
    for (const [shape, shaped] of Object.entries(SHAPES)) {
      const what = `${format}, ${shape}`
      if (!what.includes(process.env.ONLY ?? '')) continue
      const found: Found = new Map()
      for (let i = 0; i < starts; i++) await oneStart({ format, shaped, folder, times }, found)
      for (const [name, ours] of found)
        yield { figure: `${what}: ${name}`, unit: 'ms', ours, beside: 'the aim', theirs: [AIM] }
    }
}

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
  const log = new Log(running)
  const during = async (name: string, work: () => Promise<unknown>) => {
    const began = now()
    await work()
    await sleep(AFTER)
    const turns = longest(folder, began)
    found.set(name, [...(found.get(name) ?? []), turns])
  }
  const reload = async (other: Site) => {
    const before = log.count('"reload.accepted"')
    running.write(other)
    running.reload()
    await log.until('"reload.accepted"', before + 1)
  }
  try {
    await log.until('"real server up"', COUNT)
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
      await during('5,000 removed', () => reload({ ...site, services: site.services.slice(-HALF) }))
      await during('5,000 added', () => reload(site))
    }
    await sleep(SITE.interval * 1000)
    for (let i = 0; i < times; i++) await during('status', () => fetchStatus(lvsdSocket(folder)))
    for (let i = 0; i < times; i++)
      await during('nothing but checks, and the table is read back', () => sleep(10_000))
    farm.kill()
    await during('all fail within 10 seconds', () => log.until('"real server down"', COUNT))
  } finally {
    farm.close()
    await running.stop()
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

/** Counts words of what a director has written since. */
class Log {
  readonly #running: Running

  constructor(running: Running) {
    this.#running = running
  }

  count(word: string): number {
    return readFileSync(this.#running.log, 'latin1').split(word).length - 1
  }

  async until(word: string, times: number): Promise<void> {
    const end = now() + 120_000
    while (this.count(word) < times) {
      if (now() > end) throw new Error(`${word} is not there ${times} times:\n${tail(this.#running.log)}`)
      await sleep(50)
    }
  }
}
