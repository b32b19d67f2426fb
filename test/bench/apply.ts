/** 10,000 destinations written, one of them changed, all read back: beside ipvsadm doing the same. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Change, ServiceId, TableReal } from '../../src/core/model.js'
import { openKernel } from '../../src/ipvs/client.js'
import type { Kernel } from '../../src/ipvs/kernel.js'
import { SERVICE_ATTRIBUTES, serviceId, tableReal } from '../support/tables.js'
import type { Benchmark, Row, Run } from './benchmark.js'
import { destinationCount, flush, run } from './kernel-table.js'
import { cpuMs } from './processes.js'

const SERVICES = 100
const REALS_EACH = 100
const COUNT = SERVICES * REALS_EACH
/** One change is too short for the clock of processor time, which ticks every ten milliseconds in a guest. */
const PORTION = 200

export const benchmark: Benchmark = {
  name: 'apply',
  about: '10,000 destinations in 100 services over IPv6: written, one weight changed, read back',
  place: 'lab',
  limit: 8,
  measure,
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  const kernel = await openKernel()
  const services = Array.from({ length: SERVICES }, (_, i) => serviceOf(i))
  const ours = await writes(kernel, services, quick ? 2 : 6)
  const edits = await changes(kernel, services, (quick ? 2 : 8) * PORTION)
  const reads = await readings(kernel, quick ? 3 : 10)
  const dumps = lists(quick ? 1 : 5)
  const restore = restores(services, folder, quick ? 1 : 3)
  const forks = forkEach(services, quick ? 20 : 100)
  kernel.close()

  yield* both(`${COUNT} added`, 'destination', 'ipvsadm --restore', ours, restore)
  const guess = `from ${forks.cpu.length} runs; the whole would take ${minutes(COUNT, forks.wall)} min`
  yield* both(`${COUNT} added`, 'destination', 'ipvsadm for each', ours, forks, guess)
  yield* both(`one weight of ${COUNT}`, 'change', 'ipvsadm for each', edits, forks, guess)
  const unparsed = 'its text is thrown away unread'
  yield* both(`${COUNT} read back`, 'destination', 'ipvsadm -Ln --stats', reads, dumps, unparsed)
}

/** Microseconds for one. */
interface Cost {
  readonly cpu: number[]
  readonly wall: number[]
}

function* both(figure: string, each: string, beside: string, ours: Cost, theirs: Cost, note?: string) {
  const more = note === undefined ? {} : { note }
  yield { figure: `${figure}, CPU`, unit: `µs/${each}`, ours: ours.cpu, beside, theirs: theirs.cpu, ...more }
  yield {
    figure: `${figure}, time`,
    unit: `µs/${each}`,
    ours: ours.wall,
    beside,
    theirs: theirs.wall,
    ...more,
  }
}

function minutes(count: number, each: readonly number[]): string {
  const mean = each.reduce((sum, one) => sum + one, 0) / each.length
  return ((count * mean) / 60e6).toFixed(0)
}

// ---------------------------------------------------------------- lvsd's client

async function writes(kernel: Kernel, services: readonly Service[], times: number): Promise<Cost> {
  const cost: Cost = { cpu: [], wall: [] }
  const changes = services.flatMap(additions)
  for (let i = 0; i < times; i++) {
    flush()
    const refused = await costOf(cost, COUNT, () => kernel.apply(changes))
    const count = destinationCount()
    if (refused.some(Boolean) || count !== COUNT) throw new Error(`${count} of ${COUNT} are in the table`)
  }
  return cost
}

async function changes(kernel: Kernel, services: readonly Service[], times: number): Promise<Cost> {
  const cost: Cost = { cpu: [], wall: [] }
  for (let done = 0; done < times; done += PORTION)
    await costOf(cost, PORTION, async () => {
      for (let i = 0; i < PORTION; i++) {
        const { id, reals } = services[(done + i) % SERVICES] as Service
        const was = reals[(7 * i) % REALS_EACH] as TableReal
        await kernel.apply([{ op: 'set-real', id, was, real: { ...was, weight: 2 + (done % 3) } }])
      }
    })
  return cost
}

async function readings(kernel: Kernel, times: number): Promise<Cost> {
  const cost: Cost = { cpu: [], wall: [] }
  for (let i = 0; i < times; i++) {
    const { reals } = await costOf(cost, COUNT, () => kernel.dump())
    if (reals.size !== COUNT) throw new Error(`${reals.size} of ${COUNT} were read back`)
  }
  return cost
}

async function costOf<T>(cost: Cost, units: number, work: () => Promise<T>): Promise<T> {
  const before = process.cpuUsage()
  const began = performance.now()
  const result = await work()
  cost.wall.push(((performance.now() - began) * 1000) / units)
  const { user, system } = process.cpuUsage(before)
  cost.cpu.push((user + system) / units)
  return result
}

interface Service {
  readonly id: ServiceId
  readonly reals: readonly TableReal[]
}

function serviceOf(i: number): Service {
  const reals = Array.from({ length: REALS_EACH }, (_, j) =>
    tableReal(`fd00:1::${hex(i * REALS_EACH + j + 1)}`),
  )
  return { id: serviceId(`fd00:f::${hex(i + 1)}`), reals }
}

const hex = (n: number) => n.toString(16)

function additions({ id, reals }: Service): Change[] {
  const service = { ...SERVICE_ATTRIBUTES, scheduler: 'rr' }
  return [{ op: 'add-service', id, service }, ...reals.map(real => ({ op: 'add-real', id, real }) as const)]
}

// ---------------------------------------------------------------- ipvsadm

function restores(services: readonly Service[], folder: string, times: number): Cost {
  const file = join(folder, 'rules')
  writeFileSync(file, services.map(rules).join(''))
  const cost: Cost = { cpu: [], wall: [] }
  for (let i = 0; i < times; i++) {
    flush()
    childCost(cost, COUNT, () => run('sh', '-c', `exec ipvsadm --restore < ${file}`))
    if (destinationCount() !== COUNT) throw new Error('ipvsadm --restore did not restore everything')
  }
  return cost
}

function rules({ id, reals }: Service): string {
  const service = `-t [${id.kind === 'address' && id.address.text}]:80`
  const lines = [`-A ${service} -s rr`]
  for (const real of reals) lines.push(`-a ${service} -r [${real.address.text}]:80 -m -w 1`)
  return `${lines.join('\n')}\n`
}

/** One process for one weight among all that are in the table. */
function forkEach(services: readonly Service[], times: number): Cost {
  const cost: Cost = { cpu: [], wall: [] }
  for (let i = 0; i < times; i++) {
    const { id, reals } = services[i % SERVICES] as Service
    const service = `[${id.kind === 'address' && id.address.text}]:80`
    const real = `[${reals[i % REALS_EACH]?.address.text}]:80`
    childCost(cost, 1, () => run('ipvsadm', '-e', '-t', service, '-r', real, '-m', '-w', '5'))
  }
  // Children are accounted in ticks of ten milliseconds: only the mean of many says something.
  const mean = cost.cpu.reduce((sum, one) => sum + one, 0) / times
  return { cpu: cost.cpu.map(() => mean), wall: cost.wall }
}

function lists(times: number): Cost {
  const cost: Cost = { cpu: [], wall: [] }
  for (let i = 0; i < times; i++)
    childCost(cost, COUNT, () => {
      spawnSync('ipvsadm', ['-Ln', '--stats', '--exact'], { stdio: ['ignore', 'ignore', 'ignore'] })
    })
  return cost
}

function childCost(cost: Cost, units: number, work: () => void): void {
  const own = () => process.cpuUsage().user + process.cpuUsage().system
  const before = cpuMs(process.pid) * 1000 - own()
  const began = performance.now()
  work()
  cost.wall.push(((performance.now() - began) * 1000) / units)
  cost.cpu.push(Math.max(0, cpuMs(process.pid) * 1000 - own() - before) / units)
}
