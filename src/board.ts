/**
 * The board: what is known of every server. It takes configurations and results and says who is up; it starts
 * nothing and touches nothing outside.
 */
import type { Check } from './check.js'
import { desired, keepsFallbackOut } from './desired.js'
import { combine, isChanging, nextHealth, unknownHealth } from './health.js'
import { type Job, jobsOf, type Subscriber } from './jobs.js'
import type { CheckResult, Config, Health, HealthState, Real, Service, Table, WeightAdvice } from './model.js'
import { keyOfMember } from './model.js'

/** The health of one check of one real server. */
export interface Cell {
  readonly subscriber: Subscriber
  health: Health
  /** Wall-clock milliseconds of the last result, or null. */
  lastAt: number | null
}

/** A real server that changed its state, or a check that did without moving its server. */
export interface Transition {
  readonly service: Service
  readonly real: Real
  readonly check: string
  readonly from: HealthState
  readonly to: HealthState
  readonly result: CheckResult
  /** False: the check changed, the server as a whole did not. */
  readonly moved: boolean
}

/** A server that is held down from now on, or let go. */
export interface Hold {
  readonly service: Service
  readonly real: Real
  /** Why it is held; null where it is let go. */
  readonly reason: string | null
  /** What its checks have against it, whoever holds it; null where they have nothing. */
  readonly failure: CheckResult | null
}

/** A server that stays up with another weight, on the advice of a check. */
export interface Reweighing {
  readonly service: Service
  readonly real: Real
  readonly from: number
  readonly to: number
  readonly result: CheckResult
}

export interface Outcome {
  readonly transitions: readonly Transition[]
  readonly reweighings: readonly Reweighing[]
  /** Milliseconds until the job should run again, where that is sooner than its interval. */
  readonly hurry: number | null
}

export interface Placement {
  readonly added: readonly Job[]
  readonly removed: readonly Job[]
  /** Jobs of `added` that have all been answered before, at another interval: they need not be asked at once. */
  readonly retimed: ReadonlySet<string>
  /** Jobs that go on, and have a new listener who waits for a first answer. */
  readonly awaited: ReadonlySet<string>
}

export class Board {
  #config: Config | null = null
  #jobs: ReadonlyMap<string, Job> = new Map()
  #cellsByJob = new Map<string, Cell[]>()
  #cellsByReal = new Map<Real, Cell[]>()
  #services = new Map<string, Service>()
  #held: ReadonlyMap<Real, string> = new Map()
  /** The same by member, to compare with after a reload has made new objects. */
  #heldMembers: ReadonlySet<string> = new Set()
  readonly #isInService: (service: Service, real: Real) => boolean

  /** `isInService`: whether the kernel's table says that a server was up before its first result came. */
  constructor(isInService: (service: Service, real: Real) => boolean = () => false) {
    this.#isInService = isInService
  }

  get config(): Config | null {
    return this.#config
  }

  get jobs(): ReadonlyMap<string, Job> {
    return this.#jobs
  }

  service(name: string): Service | undefined {
    return this.#services.get(name)
  }

  /** Takes a configuration. Health is kept wherever the same question is put to the same server of the same service. */
  place(config: Config, checks: ReadonlyMap<string, Check>, now: number): Placement {
    const { jobs, subscribers } = jobsOf(config, checks)
    const known = new KnownCells([...this.#cellsByJob.values()].flat())
    const before = this.#jobs
    const added = [...jobs.values()].filter(job => !isSameJob(job, before.get(job.id)))
    const retimed = new Set(added.map(job => job.id))
    const awaited = new Set<string>()
    this.#cellsByJob = new Map()
    this.#cellsByReal = new Map(config.services.flatMap(service => service.reals.map(real => [real, []])))
    this.#services = new Map(config.services.map(service => [service.name, service]))
    for (const subscriber of subscribers) {
      const old = known.like(subscriber)
      const { health, lastAt } = old ?? { health: unknownHealth(now), lastAt: null }
      if (health.state === 'unknown') retimed.delete(subscriber.jobId)
      if (!old) awaited.add(subscriber.jobId)
      const cell: Cell = { subscriber, health, lastAt }
      entry(this.#cellsByJob, subscriber.jobId).push(cell)
      entry(this.#cellsByReal, subscriber.real).push(cell)
    }
    this.#config = config
    this.#jobs = jobs
    for (const { id } of added) awaited.delete(id)
    return { added, removed: [...before.values()].filter(job => !jobs.has(job.id)), retimed, awaited }
  }

  /**
   * Holds these servers down, whatever their checks say, and lets go of all others. The reason is for people. Gives those
   * that are newly held or let go.
   */
  hold(held: ReadonlyMap<Real, string>): readonly Hold[] {
    this.#held = held
    const before = this.#heldMembers
    const members = [...this.#services.values()].flatMap(service =>
      service.reals.map(real => ({
        service,
        real,
        key: keyOfMember(service, real),
        reason: this.heldBy(real),
      })),
    )
    this.#heldMembers = new Set(members.filter(({ reason }) => reason !== null).map(({ key }) => key))
    return members
      .filter(({ key, reason }) => before.has(key) !== (reason !== null))
      .map(({ service, real, reason }) => ({ service, real, reason, failure: this.#failureOf(real) }))
  }

  /** What is wrong with a server that its checks have taken down; null where they have not. */
  #failureOf(real: Real): CheckResult | null {
    const isDown = this.#checkedState(real) === 'down'
    return (isDown && this.cellsOf(real).find(({ health }) => health.state === 'down')?.health.last) || null
  }

  /** Why a server is held down, or null. */
  heldBy(real: Real): string | null {
    return this.#held.get(real) ?? null
  }

  /** True while a real server keeps the fallback out, false when none will; null while that is not known yet. */
  hasTraffic(service: Service): boolean | null {
    let isKnown = true
    for (const real of service.reals) {
      const state = this.stateOf(real)
      if (state === 'up' && keepsFallbackOut(real, this.weightOf(real))) return true
      if (state === 'unknown') isKnown = false
    }
    return isKnown ? false : null
  }

  /** Who listens to a job. */
  subscribers(id: string): readonly Subscriber[] {
    return (this.#cellsByJob.get(id) ?? []).map(cell => cell.subscriber)
  }

  /** Takes a result of a job. */
  result(id: string, result: CheckResult, now: number): Outcome {
    const transitions: Transition[] = []
    const reweighings: Reweighing[] = []
    let hurry: number | null = null
    for (const cell of this.#cellsByJob.get(id) ?? []) {
      const { service, real, use } = cell.subscriber
      const before = cell.health
      const weight = this.weightOf(real)
      cell.lastAt = now
      cell.health = this.#judge(cell, result, now)
      if (cell.health === before) continue
      if (isChanging(cell.health)) hurry = Math.min(hurry ?? Number.POSITIVE_INFINITY, use.policy.fastinter)
      if (cell.health.state === before.state) {
        const to = this.weightOf(real)
        if (to !== weight) reweighings.push({ service, real, from: weight, to, result })
        continue
      }
      const to = this.stateOf(real)
      const from = this.#stateWith(real, cell, before.state)
      const moved = from !== to && !this.#held.has(real)
      transitions.push({
        service,
        real,
        check: use.kind,
        from: moved ? from : before.state,
        to: moved ? to : cell.health.state,
        result,
        moved,
      })
    }
    return { transitions, reweighings, hurry }
  }

  #judge({ subscriber, health }: Cell, result: CheckResult, now: number): Health {
    const { service, real, use } = subscriber
    const isInService = health.state === 'unknown' && this.#isInService(service, real)
    return nextHealth(health, result, use.policy, now, isInService)
  }

  stateOf(real: Real): HealthState {
    if (real.address === null || this.#held.has(real)) return 'down'
    return this.#checkedState(real)
  }

  #checkedState(real: Real): HealthState {
    return combine(
      this.cellsOf(real).map(cell => cell.health.state),
      real.need,
    )
  }

  /** The weight for a server that is up: the configured one, or what its checks advise; the least where several do. */
  weightOf(real: Real): number {
    const { weight } = real.attributes
    let least: number | null = null
    for (const { health } of this.cellsOf(real)) {
      const advice = health.state === 'up' ? health.last?.advice : undefined
      if (advice) least = Math.min(least ?? Number.POSITIVE_INFINITY, advised(advice, weight))
    }
    return least ?? weight
  }

  cellsOf(real: Real): readonly Cell[] {
    return this.#cellsByReal.get(real) ?? []
  }

  #stateWith(real: Real, changed: Cell, state: HealthState): HealthState {
    return combine(
      this.cellsOf(real).map(cell => (cell === changed ? state : cell.health.state)),
      real.need,
    )
  }
}

/**
 * What was known under the last configuration, by service and real server. A service is the same one by what the kernel
 * calls it, else by its name: one with a new name or a new address keeps its health.
 */
class KnownCells {
  readonly #byKey = new Map<string, Map<string, Cell[]>>()
  readonly #byName = new Map<string, Map<string, Cell[]>>()

  constructor(cells: readonly Cell[]) {
    for (const cell of cells) {
      const { service, serviceKey, real } = cell.subscriber
      const ofService = this.#byKey.get(serviceKey) ?? new Map<string, Cell[]>()
      this.#byKey.set(serviceKey, ofService)
      this.#byName.set(service.name, ofService)
      entry(ofService, placeOf(real)).push(cell)
    }
  }

  /** The cell of the same question to the same server of the same service. */
  like({ service, serviceKey, real, question }: Subscriber): Cell | undefined {
    const find = (ofService: Map<string, Cell[]> | undefined) =>
      ofService?.get(placeOf(real))?.find(({ subscriber }) => subscriber.question === question)
    return find(this.#byKey.get(serviceKey)) ?? find(this.#byName.get(service.name))
  }
}

function placeOf({ host, port }: Real): string {
  return `${host} ${port}`
}

/** The same question, told the same: a check that is told of a service is told of its weights too. */
function isSameJob(job: Job, before: Job | undefined): boolean {
  return (
    before !== undefined &&
    before.check === job.check &&
    (!job.check.perService || JSON.stringify(before.target) === JSON.stringify(job.target))
  )
}

/** The table that these services want, by what the board knows. */
export function wantedTable(board: Board, services: readonly Service[], actual: Table): Table {
  return desired(
    services,
    (_, real) => board.stateOf(real),
    actual,
    real => board.weightOf(real),
  )
}

/** A share is never rounded to nothing: only 0 per cent is 0. */
function advised(advice: WeightAdvice, configured: number): number {
  if ('weight' in advice) return advice.weight
  const share = (configured * advice.percent) / 100
  return share > 0 ? Math.max(1, Math.round(share)) : 0
}

function entry<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? []
  map.set(key, list)
  return list
}
