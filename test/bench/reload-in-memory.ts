/** Reloads of lvsd alone, at the prices of this machine's own system calls: one weight changed, again and again. */
import { readdirSync, readFileSync } from 'node:fs'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes } from './chosen.js'
import { lvsdInMemory, type Running, tail } from './daemons.js'
import { now, openFarm } from './farm.js'
import { cpuMs, memoryOf } from './processes.js'
import { type Site, siteOf } from './sites.js'

export const benchmark: Benchmark = {
  name: 'reload-in-memory',
  about: 'reloads with one weight changed, lvsd with the memory table: what one costs, what many leave',
  place: 'here',
  limit: 10,
  measure,
  figures,
}

const SIZES = [100, 1000, 5000]

/** Reloads of one run. */
const TIMES = 100
const QUICK = 5

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const times = chosenTimes(quick ? QUICK : TIMES)
  for (const count of chosenNumbers('SIZES', SIZES)) {
    const farm = await openFarm(count)
    const costs = await reloads(farm.ports, folder, times)
    farm.close()
    yield* rows(count, times, costs)
  }
}

function* figures(): Iterable<Row> {
  const nothing = { rss: 0, files: 0 }
  for (const count of chosenNumbers('SIZES', SIZES))
    yield* rows(count, chosenTimes(TIMES), { wall: [], cpu: [], before: nothing, after: nothing })
}

function* rows(count: number, times: number, { wall, cpu, before, after }: Costs): Iterable<Row> {
  const row = (figure: string, unit: string, ours: readonly number[], theirs: readonly number[]): Row => {
    return { figure: `${count} servers, ${figure}`, unit, ours, beside: 'before the first', theirs }
  }
  yield row('a reload', 'ms', wall, [])
  yield row('CPU of a reload', 'ms', cpu, [])
  yield row(`RSS after ${times} reloads`, 'MiB', [after.rss], [before.rss])
  yield row(`descriptors after ${times} reloads`, '', [after.files], [before.files])
}

interface Costs {
  readonly wall: readonly number[]
  readonly cpu: readonly number[]
  readonly before: Held
  readonly after: Held
}

interface Held {
  readonly rss: number
  readonly files: number
}

async function reloads(ports: readonly number[], folder: string, times: number): Promise<Costs> {
  const site = siteOf(ports.length, {
    services: Math.ceil(ports.length / 100),
    ports,
    interval: 60,
    timeout: 10,
  })
  const running = lvsdInMemory.start(site, folder)
  const [wall, cpu]: [number[], number[]] = [[], []]
  try {
    await until(running, '"real server up"', ports.length)
    const before = held(running)
    for (let k = 0; k < times; k++) {
      running.write(withFirstWeight(site, k + 2))
      const began = { at: now(), cpu: cpuMs(running.pid) }
      running.reload()
      await until(running, '"reload.accepted"', k + 1)
      wall.push(now() - began.at)
      cpu.push(cpuMs(running.pid) - began.cpu)
    }
    await sleep(2000)
    return { wall, cpu, before, after: held(running) }
  } finally {
    await running.stop()
  }
}

function held({ pid }: Running): Held {
  return { rss: memoryOf(pid).rss, files: readdirSync(`/proc/${pid}/fd`).length }
}

/** Waits until the log has this word so many times. */
async function until({ log }: Running, word: string, times: number): Promise<void> {
  const end = now() + 120_000
  while (readFileSync(log, 'utf8').split(word).length <= times) {
    if (now() > end) throw new Error(`${word} is not there ${times} times:\n${tail(log)}`)
    await sleep(2)
  }
}

function withFirstWeight(site: Site, weight: number): Site {
  const [first, ...others] = site.services
  const [real, ...reals] = first?.reals ?? []
  if (!first || !real) throw new Error('a site without servers')
  return { ...site, services: [{ ...first, reals: [{ ...real, weight }, ...reals] }, ...others] }
}
