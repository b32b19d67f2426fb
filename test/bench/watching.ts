/**
 * What it costs to look at the kernel while nothing goes wrong: the table is read back, and clients' connections are watched.
 * Both are paced by a share of one processor (core/read-pace.ts, core/half-open.ts, core/active-growth.ts). Here the whole process is
 * measured: also what no meter inside sees. The directors that are compared run in turns, each with a table of its own, while the
 * others are stopped: then the processor time of a whole guest tells what one of them takes (guest-clock.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { ipIn, setIn } from '../kernel/site/links.js'
import { addNamespace, within } from '../kernel/site/namespaces.js'
import { type Benchmark, type Row, type Run, sleep } from './benchmark.js'
import { chosenNumbers, chosenTimes } from './chosen.js'
import { flows } from './compile-tools.js'
import { lvsd, type Running, tail } from './daemons.js'
import { momentOf } from './guest-clock.js'
import { listed, run, until } from './kernel-table.js'
import { REALS, type Site, siteOf } from './sites.js'

const SIZES = [100, 1000]
const SERVICES = 10
const CONNECTIONS = 100_000
/** New connections a second while it is measured, so that lvsd looks as often as it ever does. */
const RATE = 20
/** Percent of one processor: of each, and of both. */
const SHARE = 0.3

/** Until code that runs all the time is optimized, and the pace has found its interval. */
const WARMUP = 30_000
/** Milliseconds of a turn of one director, and before it, in which it does what it could not do while it was stopped. */
const WINDOW = 15_000
const SETTLING = 5000

export const benchmark: Benchmark = {
  name: 'watching',
  about: `the table read back, and ${CONNECTIONS} connections of clients watched: processor time of an idle director`,
  place: 'lab',
  limit: 30,
  measure,
  figures,
}

/** What a director does beside waiting for checks, which come once an hour. */
const KINDS: Readonly<Record<string, Pick<Site, 'resync' | 'protocol'>>> = {
  nothing: { protocol: 'udp' },
  table: { protocol: 'udp', resync: 'auto' },
  clients: {},
  both: { resync: 'auto' },
}

async function* measure({ quick, folder }: Run): AsyncIterable<Row> {
  // The first socket loads the IPv6 module, which creates sysctls.
  createServer().listen().close()
  for (const [i, count] of chosenNumbers('SIZES', SIZES).entries()) {
    const directors: Director[] = []
    try {
      for (const [k, [kind, does]] of Object.entries(KINDS).entries()) {
        const director = await Director.open(
          `${4 * i + k + 1}`,
          join(folder, `${count}-${kind}`),
          count,
          does,
        )
        directors.push(director)
        // So that the next one has the processor for its start.
        director.signal('SIGSTOP')
      }
      for (const director of directors) director.signal('SIGCONT')
      await sleep(WARMUP)
      const turns = turnsOf(directors, chosenTimes(quick ? 2 : 6))
      for await (const { turn, shares } of turns)
        for (const row of rows(count, shares)) yield { ...row, run: turn }
    } finally {
      for (const director of directors) await director.close()
    }
  }
}

function* figures(): Iterable<Row> {
  for (const count of chosenNumbers('SIZES', SIZES)) yield* rows(count, [])
}

/** Of one turn of each director. */
function* rows(count: number, [nothing = 0, ...others]: readonly number[]): Iterable<Row> {
  const limits = { 'the table is read back': SHARE, 'connections are watched': SHARE, both: 2 * SHARE }
  for (const [i, [figure, limit]] of Object.entries(limits).entries())
    yield {
      figure: `${count} servers: ${figure}`,
      unit: '% of a processor',
      ours: others.slice(i, i + 1).map(share => share - nothing),
      beside: 'the limit',
      theirs: [limit],
      note: 'less what lvsd takes in the turn before with services over UDP that are not read back',
    }
}

/** Percent of one processor, of each director in its turn. In a guest, that of all else in it is included. */
async function* turnsOf(
  directors: readonly Director[],
  turns: number,
): AsyncIterable<{ readonly turn: number; readonly shares: readonly number[] }> {
  for (const director of directors) director.signal('SIGSTOP')
  for (let turn = 1; turn <= turns; turn++) {
    const shares: number[] = []
    for (const director of directors) {
      director.signal('SIGCONT')
      await sleep(SETTLING)
      const began = await momentOf(director.pid, sleep)
      await sleep(WINDOW)
      const ended = await momentOf(director.pid, sleep)
      director.signal('SIGSTOP')
      shares.push((100 * (ended.cpu - began.cpu)) / (ended.at - began.at))
    }
    yield { turn, shares }
  }
}

/** A director in a namespace of its own. Its servers are behind an interface that nothing comes out of. */
class Director {
  readonly #running: Running
  readonly #name: string
  readonly #site: Site
  #clients: ChildProcess | null = null

  /** `id`: hexadecimal digits, of its own addresses. */
  static async open(id: string, folder: string, count: number, does: Partial<Site>): Promise<Director> {
    const { services, ...site } = siteOf(count, { services: SERVICES, interval: 3600 })
    const own = services.map(service => ({ ...service, address: service.address.replace('::', `:${id}::`) }))
    mkdirSync(folder)
    const director = new Director(`d${id}`, folder, {
      ...{ ...site, services: own, check: { kind: 'none' } },
      ...does,
    })
    try {
      await director.#begin(id, count)
    } catch (error) {
      const said = tail(director.#running.log)
      await director.close()
      throw new Error(`${(error as Error).message}\n${said}`, { cause: error })
    }
    return director
  }

  constructor(name: string, folder: string, site: Site) {
    addNamespace(name)
    setIn(name, 'ipv6/conf/all/forwarding', 1)
    this.#name = name
    this.#site = site
    this.#running = within(name, () => lvsd.start(site, folder))
  }

  get pid(): number {
    return this.#running.pid
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(this.pid, name)
  }

  async close(): Promise<void> {
    this.#clients?.kill('SIGKILL')
    try {
      this.signal('SIGCONT')
    } catch {
      // It has ended on its own.
    }
    await this.#running.stop()
  }

  async #begin(id: string, count: number): Promise<void> {
    const isFull = () => within(this.#name, listed).servers === count
    await until('all servers in the table', isFull, 180_000)
    if (this.#site.protocol === 'udp') return
    await this.#connect(id)
    this.#clients = await this.#openConnections()
  }

  async #connect(id: string): Promise<void> {
    const virtuals = this.#site.services.map(({ address }) => address)
    run('ip', 'link', 'add', this.#name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#name)
    run('ip', 'addr', 'add', `fd00:c:${id}::c/64`, 'dev', this.#name, 'nodad')
    run('ip', 'link', 'set', this.#name, 'up')
    await ipIn(
      this.#name,
      ...['link set lo up', 'link add reals type dummy', 'link set reals up', 'link set eth0 up'],
      `addr add ${REALS}::ffff:d/64 dev reals nodad`,
      `addr add fd00:c:${id}::d/64 dev eth0 nodad`,
      ...virtuals.map(address => `addr add ${address}/128 dev lo nodad preferred_lft 0`),
    )
    for (const address of virtuals) run('ip', 'route', 'add', `${address}/128`, 'via', `fd00:c:${id}::d`)
  }

  /** Opens all at once, then more until they are ended. */
  async #openConnections(): Promise<ChildProcess> {
    const virtuals = this.#site.services.map(({ address }) => address)
    const open = (first: number, count: number, rate: number) =>
      spawn(flows, [first, count, rate, 80, ...virtuals].map(String), { stdio: 'inherit' })
    const all = open(0, CONNECTIONS, 0)
    const [code] = await once(all, 'exit')
    const { active } = within(this.#name, listed)
    if (code !== 0 || active < CONNECTIONS) throw new Error(`${active} connections are open`)
    return open(CONNECTIONS, 3600 * RATE, RATE)
  }
}
