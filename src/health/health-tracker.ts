/** Owns the health store: takes configurations, results and overrides, and emits health events. */
import type { Check } from '../check/check.js'
import { isInService } from '../core/desired.js'
import { idsOf, nameOfKernelService } from '../core/kernel-services.js'
import type {
  CheckResult,
  ResolvedConfig,
  ResolvedReal,
  ResolvedService,
  Table,
  TableService,
} from '../core/model.js'
import type { Override } from '../core/override.js'
import { isUnjudgedAndEmpty, waitsInVain } from '../core/unserved.js'
import type { Doubts } from '../names/unresolved-names.js'
import type { Log } from '../system/log.js'
import { type Clock, steadyNow, systemClock } from '../util/clock.js'
import { Deadlines } from '../util/deadlines.js'
import type { Emitter } from '../util/emitter.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import { Availability } from './availability.js'
import { desiredTable, desiringTable } from './desired-table.js'
import type { HealthEvents, JobChanges, ResultOutcome, Transition, WeightChange } from './health-changes.js'
import type { MemorySection } from './health-memory.js'
import type { HealthSnapshot, RealHealth, ServiceHealth } from './health-snapshot.js'
import { HealthStore } from './health-store.js'
import type { Isolation } from './isolation.js'
import { nameOfCheck, type Subscriber, serverOf } from './jobs.js'
import { written } from './remembered-health.js'
import type { SharedJudgement } from './shared-judgement.js'

export interface HealthTrackerParts {
  readonly log: Pick<Log, 'warn'>
  readonly events: Emitter<HealthEvents>
  /** Returns the actual table, or null before the first read. */
  table(): Table | null
  /** Called with services whose desired table may have changed. */
  onDirty(services: readonly ResolvedService[]): void
  /** Called to run the job again in `ms` milliseconds, if it is not due sooner. */
  recheck(id: string, ms: number): void
  /** Absent: every failure counts. */
  readonly isolation?: Pick<Isolation, 'follow' | 'passed' | 'excuses' | 'current'> | null
  /** Why failures say nothing about servers at present, by the network of this director. Absent: they do. */
  readonly connectivity?: {
    /** `ms`: how long the run took. Null: the failure counts. */
    excuseOf(ms: number): string | null
  }
  /** Absent: this director judges alone. */
  readonly shared?: SharedJudgement | null
  /** The clocks of slow start and damping have changed: see `ruleMemory`. */
  onClocks?(): void
  /** Returns milliseconds of the steady clock. */
  readonly now?: () => number
  /** Returns milliseconds of the wall clock. */
  readonly wall?: () => number
  readonly alarm?: Clock['alarm']
}

const NONE: readonly never[] = []
/** Minimum milliseconds between two log lines about runs without a verdict. */
const NO_VERDICT_EVERY = 60_000
/** Milliseconds after which a check is asked again whose failure did not count for this director's network. */
const ASK_AGAIN = 1000
/** Real servers whose table is computed, compared and written in one turn: some five milliseconds. */
const PART_REALS = 1000

export class HealthTracker {
  readonly store: HealthStore
  readonly availability: Availability
  readonly #parts: HealthTrackerParts
  readonly #now: () => number
  /** When slow start and damping change something next, by real server. */
  readonly #deadlines: Deadlines<ResolvedReal>
  /** When panic and on-down change something next. */
  readonly #downDeadlines: Deadlines<ResolvedService | ResolvedReal>
  #hasStarted = false
  #lastNoVerdict = Number.NEGATIVE_INFINITY

  constructor(parts: HealthTrackerParts) {
    this.#parts = parts
    this.#now = parts.now ?? steadyNow
    const clock = { now: this.#now, alarm: parts.alarm ?? systemClock.alarm }
    this.#deadlines = new Deadlines({ clock, onDue: reals => this.#due(reals) })
    this.#downDeadlines = new Deadlines({ clock, onDue: keys => this.#downDue(keys) })
    this.store = new HealthStore(
      (service, real, isDrained) => isInService(service, real, parts.table(), isDrained),
      parts.table,
      {
        setDeadline: (real, at) => this.#deadlines.set(real, at),
        setDownDeadline: (key, at) => this.#downDeadlines.set(key, at),
        onChange: () => parts.onClocks?.(),
        wall: parts.wall ?? Date.now,
        shared: parts.shared,
      },
    )
    const tell = (...traffic: HealthEvents['traffic']) => parts.events.emit('traffic', ...traffic)
    this.availability = new Availability(this.store, tell, this.#now)
  }

  /**
   * Takes a configuration and returns the changes for the schedule. Call `override` next: an override refers to objects
   * of the configuration.
   */
  applyConfig(config: ResolvedConfig, checks: ReadonlyMap<string, Check>, doubts: Doubts): JobChanges {
    const changes = this.store.applyConfig(config, checks, this.#now(), doubts)
    // The same jobs ask the same servers.
    if (changes.added.length + changes.removed.length > 0)
      this.#parts.isolation?.follow([...this.store.jobs.values()].map(serverOf))
    return changes
  }

  /** Replaces the overrides of all real servers. */
  override(overrides: ReadonlyMap<ResolvedReal, Override>): void {
    const changes = this.store.override(overrides, this.#now())
    for (const change of changes) this.#parts.events.emit('override', change)
    this.#touch([...changes.map(({ service }) => service), ...this.#tellDamping(), ...this.#tellDown()])
  }

  /** Weights of these services change with time. */
  step(services: readonly ResolvedService[]): void {
    this.#touch(services)
  }

  /** Applies a result of a job and emits the events that follow. */
  result(id: string, given: CheckResult): void {
    const { events, recheck } = this.#parts
    const subscribers = this.store.subscribers(id)
    const excuse = this.#excuseOf(subscribers, given)
    const result = excuse ?? given
    if (result.ok === null && subscribers[0]) this.#logNoVerdict(subscribers[0], result)
    if (subscribers.length > 0 && events.hears('result')) events.emit('result', subscribers, result)
    // One event reports the isolation or the loss; the checks without a verdict are not counted.
    if (excuse) return
    const { transitions, weightChanges, verdicts, recheckIn } = this.store.result(id, result, this.#now())
    if (recheckIn !== null) recheck(id, recheckIn)
    if (verdicts.length > 0) for (const verdict of verdicts) events.emit('verdict', verdict)
    this.#tellMoves({ transitions, weightChanges })
  }

  /** Applies what the directors of the site say together of these jobs, and emits the events that follow. */
  heard(ids: readonly string[]): void {
    for (const id of ids) {
      const moves = this.store.heard(id, this.#now())
      if (moves.transitions.length + moves.weightChanges.length > 0) this.#tellMoves(moves)
    }
  }

  #tellMoves({ transitions, weightChanges }: Pick<ResultOutcome, 'transitions' | 'weightChanges'>): void {
    const hasMoved = transitions.length + weightChanges.length > 0
    const moved = hasMoved ? this.#tellMoved(transitions, weightChanges) : NONE
    const damped = this.#tellDamping()
    const down = this.#tellDown()
    // The case of nearly all results, which therefore costs little.
    if (moved.length + damped.length + down.length > 0) this.#touch([...moved, ...damped, ...down])
  }

  #tellMoved(
    transitions: readonly Transition[],
    weightChanges: readonly WeightChange[],
  ): readonly ResolvedService[] {
    const { events } = this.#parts
    for (const transition of transitions) events.emit('transition', transition)
    for (const change of weightChanges) events.emit('weight', change)
    return servicesOf(transitions, weightChanges)
  }

  /** A step of slow start, or the end of a hold. */
  #due(reals: readonly ResolvedReal[]): void {
    const now = this.#now()
    const services = reals.flatMap(real => {
      const service = this.store.rules.serviceOf(real)
      if (service) this.store.look(service, real, now)
      return service ?? []
    })
    this.#touch([...services, ...this.#tellDamping(), ...this.#tellDown()])
  }

  /** The end of a panic by time, or the removal of a quiesced server. */
  #downDue(keys: readonly (ResolvedService | ResolvedReal)[]): void {
    const now = this.#now()
    for (const key of keys) {
      const service = this.store.down.serviceOf(key)
      if (service) this.store.lookDown(service, 'reals' in key ? null : key, now)
    }
    this.#touch([...this.#tellDamping(), ...this.#tellDown()])
  }

  /** Tells panics and removals, and returns the services whose table may have changed. */
  #tellDown(): readonly ResolvedService[] {
    const { down } = this.store
    const changes = down.takeChanges()
    if (changes.length > 0) for (const change of changes) this.#parts.events.emit('panic', change)
    const removals = down.takeRemovals()
    if (removals.length > 0) for (const removal of removals) this.#parts.events.emit('removal', removal)
    return down.takeTouched()
  }

  /** Returns the services of the changes. */
  #tellDamping(): readonly ResolvedService[] {
    const changes = this.store.rules.takeChanges()
    if (changes.length === 0) return NONE
    for (const change of changes) this.#parts.events.emit('damping', change)
    return changes.map(({ service }) => service)
  }

  /** Returns the result without a verdict that takes the place of a failure while lvsd itself is cut off; else null. */
  #excuseOf([first]: readonly Subscriber[], result: CheckResult): CheckResult | null {
    const { isolation, connectivity } = this.#parts
    if (!first) return null
    const address = serverOf(first)
    if (result.ok) isolation?.passed(address)
    if (result.ok !== false || !this.store.isAtStake(first.jobId)) return null
    const isolated = isolation?.excuses(address, result.ms) ? isolation : null
    const why = isolated
      ? `lvsd is isolated: ${isolated.current?.detail ?? 'it was so while the check ran'}`
      : (connectivity?.excuseOf(result.ms) ?? null)
    if (why === null) return null
    if (!isolated) this.#parts.recheck(first.jobId, ASK_AGAIN)
    return { ...result, ok: null, reason: 'no-verdict', detail: `${why}; ${result.detail}` }
  }

  /** Returns the desired table of the named services (null: all). `actual` is the actual table. */
  desired(actual: Table, names: ReadonlySet<string> | null) {
    if (!this.#hasStarted) this.#startWith(actual)
    const services = names
      ? [...names].flatMap(name => this.store.service(name) ?? [])
      : (this.store.config?.services ?? [])
    return {
      table: desiredTable(this.store, services, actual),
      ids: services.flatMap(idsOf),
      untouched: this.store.doubtful.untouched(actual),
    }
  }

  /** True if lvsd waits in vain for the servers of the service, and `table`, the actual one, has none. */
  isUnjudgedAndEmpty(service: ResolvedService, table: Table): boolean {
    const { store } = this
    return isUnjudgedAndEmpty(service, {
      table,
      isAvailable: one => store.isAvailable(one),
      isAwaited: real => {
        const { state, override } = store.dispositionOf(real)
        return state === 'unknown' && override !== 0
      },
      isUnjudged: real =>
        real.address !== null && waitsInVain(store.checkStatesOf(real), real.need, this.#now()),
    })
  }

  /** Divides services (names) into parts of some `PART_REALS` real servers; one with more is a part of its own. */
  *parts(names: Iterable<string>): Iterable<ReadonlySet<string>> {
    let part = new Set<string>()
    let count = 0
    for (const name of names) {
      const { length } = this.store.service(name)?.reals ?? []
      if (count > 0 && count + length > PART_REALS) {
        yield part
        part = new Set()
        count = 0
      }
      part.add(name)
      count += length
    }
    yield part
  }

  /**
   * As `desired` for all services, in time slices: each service as it is at its step. With another configuration it begins
   * anew.
   */
  *desiring(actual: Table): Sliced<ReturnType<HealthTracker['desired']>> {
    if (!this.#hasStarted) this.#startWith(actual)
    const { config } = this.store
    const table = new Map<string, TableService>()
    for (const service of config?.services ?? []) {
      for (const [key, wanted] of yield* desiringTable(this.store, [service], actual)) table.set(key, wanted)
      yield
      if (this.store.config !== config) return yield* this.desiring(actual)
    }
    const ids = (config?.services ?? []).flatMap(idsOf)
    return { table, ids, untouched: this.store.doubtful.untouched(actual) }
  }

  #startWith(actual: Table): void {
    this.#hasStarted = true
    const now = this.#now()
    for (const service of this.store.rules.startWith(actual)) this.store.look(service, null, now)
    this.#tellDamping()
    this.#tellDown()
  }

  /** Returns the health and the desired table of these services. `actual` is the actual table. */
  snapshot(services: readonly ResolvedService[], actual: Table): HealthSnapshot {
    return runSync(this.snapshotting(services, actual))
  }

  /**
   * Same as `snapshot`, in time slices: each service as it is at its step. If another configuration has come since the
   * caller has read it, a service that it changes is as it has it, and one that it does not have is left out.
   */
  *snapshotting(services: readonly ResolvedService[], actual: Table): Sliced<HealthSnapshot> {
    const desired = new Map<string, TableService>()
    const all: ServiceHealth[] = []
    for (const given of services) {
      const one = yield* this.#snapshotOf(given, actual)
      if (!one) continue
      for (const [key, wanted] of one.desired) desired.set(key, wanted)
      all.push(one.health)
      yield
    }
    return { desired, services: all }
  }

  /** Both of the same configuration. Null: there is no such service any more. */
  *#snapshotOf(
    given: ResolvedService,
    actual: Table,
  ): Sliced<{ readonly health: ServiceHealth; readonly desired: Table } | null> {
    const { store } = this
    const service = store.config === null ? given : store.service(given.name)
    if (!service) return null
    const health = yield* this.#serviceHealth(service)
    const desired = yield* desiringTable(store, [health.service], actual)
    const isSame = store.config === null || store.service(given.name) === health.service
    return isSame ? { health, desired } : yield* this.#snapshotOf(given, actual)
  }

  *#serviceHealth(service: ResolvedService): Sliced<ServiceHealth> {
    const { config } = this.store
    const reals: RealHealth[] = []
    yield* eachInSteps(service.reals, real => {
      reals.push(this.#realHealth(service, real))
    })
    const now = this.store.config === config ? service : this.store.service(service.name)
    // Its real servers are others now.
    if (now && now !== service) return yield* this.#serviceHealth(now)
    return {
      service,
      traffic: this.availability.of(service) ?? null,
      ...(service.also && { lacking: this.store.unservedOf(service).map(nameOfKernelService) }),
      panic: this.store.down.panicOf(service),
      reals,
    }
  }

  #realHealth(service: ResolvedService, real: ResolvedReal): RealHealth {
    const { store } = this
    return {
      real,
      state: store.stateOf(real),
      since: store.standingOf(real)?.since ?? null,
      remembered: store.standingOf(real)?.remembered ?? null,
      override: store.overrideOf(real),
      rise: store.rules.riseOf(real, this.#now()),
      hold: store.rules.holdOf(real),
      down: store.down.downOf(service, real, this.#now()),
      checks: store.checkStatesOf(real).map(checkState => ({
        ...checkState,
        said: this.#parts.shared?.viewOf(checkState.subscriber.jobId) ?? [],
      })),
      passing: store.passing(real),
    }
  }

  /** The states of checks, servers and services, for the next run. */
  memory(): MemorySection {
    const { store, availability } = this
    return {
      name: 'health',
      snapshot: () =>
        written(
          {
            services: store.config?.services ?? [],
            trafficOf: service => availability.of(service) ?? store.recalled.traffic(service) ?? undefined,
            standingOf: real => store.standingOf(real),
            checkStatesOf: real => store.checkStatesOf(real),
          },
          this.#now(),
        ),
      restore: (value, ageMs) => store.recalled.restore(value, ageMs, this.#now()),
    }
  }

  /** The clocks of slow start and damping, for the next run. */
  ruleMemory(): MemorySection {
    const { rules } = this.store
    return {
      name: 'rules',
      snapshot: () => rules.save(this.#now()),
      restore: (value, ageMs) => rules.restore(value, ageMs),
    }
  }

  /** The clocks of panic and on-down, for the next run. */
  downMemory(): MemorySection {
    const { down } = this.store
    return {
      name: 'down',
      snapshot: () => down.save(this.#now()),
      restore: (value, ageMs) => down.restore(value, ageMs),
    }
  }

  /** Cancels `traffic` events that are still to be emitted, and changes by time. */
  close(): void {
    this.#deadlines.close()
    this.#downDeadlines.close()
    this.availability.close()
  }

  #touch(services: readonly ResolvedService[]): void {
    if (services.length === 0) return
    this.#parts.onDirty(services)
    this.availability.touch(services)
  }

  #logNoVerdict(subscriber: Subscriber, { detail }: CheckResult): void {
    const now = this.#now()
    if (now - this.#lastNoVerdict < NO_VERDICT_EVERY) return
    this.#lastNoVerdict = now
    this.#parts.log.warn(
      'run.no-verdict',
      { job: nameOfCheck(subscriber), detail },
      'a check had no verdict; the health of its server does not change',
    )
  }
}

/** Returns the services whose table the changes may change. */
function servicesOf(
  transitions: readonly Transition[],
  weightChanges: readonly WeightChange[],
): readonly ResolvedService[] {
  const moved = [...transitions.filter(({ hasMovedServer }) => hasMovedServer), ...weightChanges]
  return moved.map(({ service }) => service)
}
