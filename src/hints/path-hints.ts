/**
 * Hints from the kernel of this machine: a neighbour that is not found any more or has another hardware address, an
 * interface that goes down or comes back, another route or source address. They concern the servers whose packets go
 * that way.
 */
import type { Address } from '../core/address.js'
import type { Hint } from '../core/hints.js'
import type { Job } from '../health/jobs.js'
import type { EventSocket } from '../netlink/event-socket.js'
import { EVERYTHING, type Neighbour, type PathEvent, type PathEventsParts } from '../netlink/path-events.js'
import type { Paths } from '../netlink/paths.js'
import type { Clock } from '../util/clock.js'

export interface PathHintsParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly paths: Pick<Paths, 'routeTo' | 'link'>
  openEvents(parts: PathEventsParts): EventSocket
  onHint(ids: readonly string[], hint: Hint): void
  /** The kernel does not report changes, or does not answer. Called once until it does so again. */
  onFailure(error: Error): void
}

/** Milliseconds until the kernel is asked again that has not answered, or does not report. */
const REOPEN_AFTER = 5000

/** Minimum milliseconds between two readings of all routes: a routing daemon may change them all the time. */
const READ_EVERY = 1000
/** Milliseconds from a change to the reading: changes come several at a time. */
const SETTLING = 20
/** Routes that are read in a row; a request takes some 10 µs. */
const SLICE = 100

interface Server {
  readonly address: Address
  readonly ids: Set<string>
  /** The way to it at the last reading; null before, and for link-local addresses. */
  way: Way | null
}

interface Way {
  /** Index of the interface; null if it is on this machine or cannot be reached. */
  readonly link: number | null
  /** The next hop, without a zone. */
  readonly hop: string
  readonly source: string
}

export class PathHints {
  readonly #parts: PathHintsParts
  #jobs: ReadonlyMap<string, Job> = new Map()
  /** By their addresses. */
  readonly #servers = new Map<string, Server>()
  /** All next hops, also former ones. In a large network most neighbours are none. */
  #hops = new Set<string>()
  #events: EventSocket | null = null
  /** Hardware addresses, by interface and address; null: not found. Of those alone that are the hop of a server. */
  readonly #neighbours = new Map<string, string | null>()
  /** Whether the interfaces worked at the last look. */
  readonly #links = new Map<number, boolean>()
  /** Servers whose ways are still to be read in the reading in progress; null: none is in progress. */
  #reading: Server[] | null = null
  /** Whose ways the next reading reads: all, or those of servers that no reading has read. */
  #wanted: 'none' | 'new' | 'all' = 'none'
  #readAt = Number.NEGATIVE_INFINITY
  #disarm: (() => void) | null = null
  /** True from a failure until the ways of all servers are known again. */
  #isFailing = false
  #isClosed = false

  constructor(parts: PathHintsParts) {
    this.#parts = parts
  }

  /** Takes the jobs whose servers are followed. A job that is the same object as before keeps its place. */
  follow(jobs: ReadonlyMap<string, Job>): void {
    const before = this.#jobs
    this.#jobs = jobs
    const gone = [...before.values()].filter(job => jobs.get(job.id) !== job)
    const fresh = [...jobs.values()].filter(job => before.get(job.id) !== job)
    // Those that come first: a server that stays keeps its way.
    for (const job of fresh) this.#join(job)
    for (const job of gone) this.#leave(job, jobs.get(job.id))
    if (this.#hops.size > 2 * this.#servers.size) this.#hops = new Set([...this.#servers.values()].map(hopOf))
    this.#neighbours.clear()
    if (this.#servers.size === 0) this.#stop()
    else if (!this.#isFailing || !this.#disarm) this.#guarded(() => this.#begin())
  }

  #join(job: Job): void {
    const address = addressOf(job)
    if (!address) return
    const server = this.#servers.get(address.text) ?? { address, ids: new Set<string>(), way: null }
    server.ids.add(job.id)
    this.#servers.set(address.text, server)
    this.#hops.add(hopOf(server))
  }

  /** `successor`: the job of the same id that has joined. */
  #leave(job: Job, successor: Job | undefined): void {
    const text = addressOf(job)?.text
    const server = text === undefined ? undefined : this.#servers.get(text)
    if (text === undefined || !server || (successor && addressOf(successor)?.text === text)) return
    server.ids.delete(job.id)
    if (server.ids.size === 0) this.#servers.delete(text)
  }

  close(): void {
    this.#isClosed = true
    this.#stop()
  }

  /** What has changed while the kernel did not report is read; while it does, the ways that are known are those of now. */
  #begin(): void {
    const isReporting = this.#events !== null
    this.#events ??= this.#parts.openEvents({
      routes: true,
      addresses: true,
      onEvent: event => this.#guarded(() => this.#events && this.#hear(event)),
    })
    this.#readSoon(0, isReporting ? 'new' : 'all')
  }

  #stop(): void {
    this.#events?.close()
    this.#events = null
    this.#disarm?.()
    this.#disarm = null
    this.#reading = null
    this.#wanted = 'none'
  }

  #guarded(look: () => void): void {
    if (this.#isClosed) return
    try {
      look()
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  /** Asks again later. The interfaces and ways of before are kept, so that what changes meanwhile is noticed then. */
  #fail(error: Error): void {
    this.#stop()
    if (!this.#isFailing) this.#parts.onFailure(error)
    this.#isFailing = true
    this.#alarm(REOPEN_AFTER, () => {
      this.#disarm = null
      this.#begin()
      for (const index of this.#links.keys()) this.#look(index)
    })
  }

  // -------------------------------------------------------------- what the kernel reports

  #hear(event: PathEvent): void {
    for (const neighbour of event.failed) this.#lose(neighbour)
    for (const { hardware, ...neighbour } of event.found) this.#find(neighbour, hardware)
    for (const link of event === EVERYTHING ? this.#links.keys() : event.linkIndexes) this.#look(link)
    if (event.links || event.routes || event.addresses) this.#readSoon(SETTLING)
  }

  /** One that is asked for in vain again and again is told once: each check of a dead server asks for it. */
  #lose(neighbour: Neighbour): void {
    const key = keyOf(neighbour)
    if (this.#neighbours.get(key) === null) return
    const behind = this.#behind(neighbour)
    if (behind.length === 0) return
    this.#neighbours.set(key, null)
    const detail = `the neighbour ${neighbour.address.text} does not answer the kernel`
    this.#hint(behind, { kind: 'neighbour', detail, isStrong: true })
  }

  #find(neighbour: Neighbour, hardware: string): void {
    const key = keyOf(neighbour)
    const before = this.#neighbours.get(key)
    if (before === hardware) return
    const behind = this.#behind(neighbour)
    if (behind.length === 0) return
    this.#neighbours.set(key, hardware)
    if (!before) return
    const detail = `the neighbour ${neighbour.address.text} has another hardware address`
    this.#hint(behind, { kind: 'neighbour', detail })
  }

  /** Returns the servers whose packets go to this neighbour. */
  #behind({ address: { text }, link }: Neighbour): readonly Server[] {
    if (!this.#hops.has(text)) return []
    return [...this.#servers.values()].filter(({ address, way }) =>
      way ? way.link === link && way.hop === text : withoutZone(address.text) === text,
    )
  }

  #look(index: number): void {
    const link = this.#parts.paths.link(index)
    const isWorking = link?.isWorking ?? false
    const before = this.#links.get(index)
    if (before === undefined || before === isWorking) return
    this.#links.set(index, isWorking)
    const behind = [...this.#servers.values()].filter(({ way }) => way?.link === index)
    const name = link?.name ?? String(index)
    const detail = `the interface ${name} ${isWorking ? 'works again' : 'has gone down'}`
    this.#hint(behind, { kind: 'link', detail, ...(isWorking ? { isRecovery: true } : { isStrong: true }) })
  }

  #hint(servers: readonly Server[], hint: Hint): void {
    if (servers.length === 0) return
    this.#parts.onHint(
      servers.flatMap(({ ids }) => [...ids]),
      hint,
    )
  }

  // -------------------------------------------------------------- the ways to the servers

  #readSoon(ms: number, what: 'new' | 'all' = 'all'): void {
    const isArmed = this.#reading !== null || this.#wanted !== 'none'
    if (this.#wanted !== 'all') this.#wanted = what
    if (!isArmed) this.#arm(ms)
  }

  #arm(ms: number): void {
    const { clock } = this.#parts
    this.#alarm(Math.max(ms, this.#readAt + READ_EVERY - clock.now()), () => this.#read())
  }

  #alarm(ms: number, call: () => void): void {
    this.#disarm = this.#parts.clock.alarm(ms, () => this.#guarded(call))
  }

  #read(): void {
    this.#reading ??= this.#begun()
    for (const server of this.#reading.splice(0, SLICE)) this.#readWay(server)
    this.#disarm = null
    if (this.#reading.length > 0) {
      this.#alarm(0, () => this.#read())
      return
    }
    this.#reading = null
    this.#isFailing = false
    this.#readAt = this.#parts.clock.now()
    if (this.#wanted !== 'none') this.#arm(SETTLING)
  }

  #begun(): Server[] {
    const isAll = this.#wanted === 'all'
    this.#wanted = 'none'
    return [...this.#servers.values()].filter(({ way }) => isAll || !way)
  }

  #readWay(server: Server): void {
    const route = this.#parts.paths.routeTo(server.address)
    if (!route) return
    const before = server.way
    server.way = {
      link: route.kind === 'by' ? route.link : null,
      hop: withoutZone((route.kind === 'by' ? route.gateway : null)?.text ?? server.address.text),
      source: (route.kind === 'by' ? route.source?.text : route.kind) ?? '',
    }
    const { link, hop, source } = server.way
    this.#hops.add(hop)
    if (link !== null && !this.#links.has(link))
      this.#links.set(link, this.#parts.paths.link(link)?.isWorking ?? false)
    if (!before) return
    if (before.link !== link || before.hop !== hop)
      this.#hint([server], { kind: 'route', detail: 'the route to the server has changed' })
    else if (before.source !== source)
      this.#hint([server], { kind: 'address', detail: 'the source address towards the server has changed' })
  }
}

/** Returns the address whose way matters; null: the job asks nobody. */
function addressOf({ target, path, answer }: Job): Address | null {
  return answer ? null : (path?.real ?? target).address
}

function hopOf({ address, way }: Server): string {
  return way?.hop ?? withoutZone(address.text)
}

function keyOf({ address, link }: Neighbour): string {
  return `${link} ${address.text}`
}

function withoutZone(text: string): string {
  return text.split('%')[0] ?? text
}
