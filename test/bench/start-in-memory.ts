/** The start of lvsd alone, at the prices of this machine's own system calls. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes } from './chosen.js'
import { forgetAccepted, lvsdInMemory, tail } from './daemons.js'
import { now, openFarm } from './farm.js'
import { Occurrences } from './occurrences.js'
import { childrenMs, cpuMs } from './processes.js'
import { type Site, siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'start-in-memory',
  about: 'from the start of lvsd with the memory table until all real servers have passed their first check',
  place: 'here',
  limit: 2,
  measure,
  figures,
}

const SIZES = [10, 1000, 5000]
/** Of the site of which one is edited. */
const SERVICES = 10

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const node = bareNode(quick ? 3 : 10)
  const times = chosenTimes(quick ? 2 : 5)
  for (const count of chosenNumbers('SIZES', SIZES)) {
    const farm = await openFarm(count)
    const costs = noStarts()
    const { ports } = farm
    const one = siteOf(count, { ports, interval: 10, timeout: 5 })
    const many = siteOf(count, { ports, interval: 10, timeout: 5, services: SERVICES })
    for (let i = 0; i < times; i++) {
      forgetAccepted(folder)
      await startOnce(one, folder, costs.read)
      await startOnce(one, folder, costs.again)
      await startOnce(many, folder, noCosts())
      await startOnce(edited(many), folder, costs.edited)
    }
    farm.close()
    yield* all(count, costs, node)
  }
}

function* figures(): Iterable<Row> {
  for (const count of chosenNumbers('SIZES', SIZES)) yield* all(count, noStarts(), noCosts())
}

function* all(count: number, { read, again, edited }: Starts, node: Costs): Iterable<Row> {
  yield* rows(`${count} servers, a text that is new`, read, node)
  yield* rows(`${count} servers, the text of the last start`, again, node)
  yield* rows(`${count} servers, one of ${SERVICES} services edited`, edited, node)
}

/** Returns the site with another weight in its first service. */
function edited({ services: [first, ...others], ...site }: Site): Site {
  if (!first) throw new Error('the site has no service')
  const reals = first.reals.map(real => ({ ...real, weight: 2 }))
  return { ...site, services: [{ ...first, reals }, ...others] }
}

function* rows(what: string, ours: StartCosts, node: Costs): Iterable<Row> {
  const row = { unit: 'ms', beside: 'node alone' }
  yield { ...row, figure: `${what}: the first check begins`, ours: ours.first, theirs: node.wall }
  yield { ...row, figure: `${what}: all are up`, ours: ours.wall, theirs: node.wall }
  yield { ...row, figure: `${what}: all are up, CPU`, ours: ours.cpu, theirs: node.cpu }
}

interface Costs {
  readonly wall: number[]
  readonly cpu: number[]
}

interface StartCosts extends Costs {
  /** Milliseconds from the start of the process to the first check, as its log tells. */
  readonly first: number[]
}

/** By the text of the start. */
interface Starts {
  readonly read: StartCosts
  readonly again: StartCosts
  readonly edited: StartCosts
}

const noStarts = (): Starts => ({ read: noCosts(), again: noCosts(), edited: noCosts() })
const noCosts = (): StartCosts => ({ first: [], wall: [], cpu: [] })

async function startOnce(site: Site, folder: string, costs: StartCosts): Promise<void> {
  const began = now()
  const count = site.services.reduce((sum, { reals }) => sum + reals.length, 0)
  const running = lvsdInMemory.start(site, folder)
  const ups = new Occurrences(running.log, '"real server up"')
  try {
    while (ups.count() < count) {
      if (now() - began > 30_000) throw new Error(`not all are up after 30 s:\n${tail(running.log)}`)
      await sleep(10)
    }
    costs.wall.push(now() - began)
    costs.cpu.push(cpuMs(running.pid))
    costs.first.push(Number(/"afterMs":(\d+)/.exec(readFileSync(running.log, 'utf8'))?.[1]))
  } finally {
    ups.close()
    await running.stop()
  }
}

/** What Node takes before and after a program that does nothing. */
function bareNode(times: number): Costs {
  const costs: Costs = { wall: [], cpu: [] }
  for (let i = 0; i < times; i++) {
    const before = childrenMs()
    const began = now()
    spawnSync(process.execPath, ['--eval', ''])
    costs.wall.push(now() - began)
    costs.cpu.push(childrenMs() - before)
  }
  return costs
}
