/**
 * A director on a virtual clock: the scheduler, the health, the desired table, the differences and the kernel's messages are
 * those of the daemon. Only what checks find is made up, by a `World`; and the table is one in memory.
 */
import { setImmediate } from 'node:timers/promises'
import type { Check } from '../check/check.js'
import type { StartRun } from '../check/run.js'
import { isChanging } from '../core/health.js'
import type { Hint } from '../core/hints.js'
import type { CheckResult, ResolvedConfig } from '../core/model.js'
import { scheduleJobs } from '../director/schedule-jobs.js'
import type { HealthEvents } from '../health/health-changes.js'
import { HealthTracker } from '../health/health-tracker.js'
import { workOf } from '../health/jobs.js'
import { type HintCounts, Hints } from '../hints/hints.js'
import { memoryKernel } from '../ipvs/memory.js'
import { Reconciler } from '../reconcile/reconciler.js'
import { Calendar } from '../schedule/calendar.js'
import type { Executor, Timing } from '../schedule/executor.js'
import { MOST_CODE } from '../schedule/executors.js'
import { placementOf } from '../schedule/placement.js'
import { Scheduler } from '../schedule/scheduler.js'
import { memoryJournal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { VirtualClock } from '../util/virtual-clock.js'
import { groupOf } from '../workers/pool.js'
import { counting, type MessageCount } from './counting-socket.js'
import { type Outcome, SimulatedRun } from './simulated-run.js'
import type { Checked, Observer, World } from './world.js'

export interface SimulatedDirectorParts {
  readonly config: ResolvedConfig
  readonly checks: ReadonlyMap<string, Check>
  readonly clock: VirtualClock
  readonly world: World
  readonly observer: Observer
  /** Milliseconds of the processor for each run of a check. */
  readonly cost?: number
  /**
   * Milliseconds that a run takes at most that is sure to pass: `World` says which are. Absent: every run is started, also those
   * that change nothing.
   */
  readonly longestSure?: number | undefined
}

/** Milliseconds of real time after which signals and other work get a turn. */
const TURN = 20
/** Milliseconds for which the start of runs may keep a result waiting. */
const BATCH = 20
/**
 * Milliseconds between two rounds of the reconciler. A round takes no time of the virtual clock; the daemon pauses after each, for
 * about this time where the table is large.
 */
const BETWEEN_ROUNDS = 50

type Places = Record<'core' | 'here' | 'checks' | 'commands' | 'user', Executor<SimulatedWork>>

interface SimulatedWork {
  readonly id: string
  readonly checked: Checked
  isFirst: boolean
}

interface Placed {
  readonly place: Executor<SimulatedWork>
  readonly checked: Checked
}

export class SimulatedDirector {
  readonly health: HealthTracker
  readonly #parts: SimulatedDirectorParts
  readonly #scheduler: Scheduler
  readonly #reconciler: Reconciler
  readonly #places: Places
  readonly #placed = new Map<string, Placed>()
  readonly #hints: Hints
  readonly #sent: MessageCount = { messages: 0 }
  readonly #refusals = new Set<string>()
  readonly #calendar: Calendar | null
  /** True: runs that are sure to pass are counted. */
  #isCounting = false
  #runs = 0
  #counted = 0
  #waiting = 0
  #outcome: Outcome | null = null
  readonly #dirty = new Set<string>()
  #nextRound = Number.NEGATIVE_INFINITY
  #isRoundAsked = false

  constructor(parts: SimulatedDirectorParts) {
    const { config, clock, observer } = parts
    this.#parts = parts
    const { longestSure } = parts
    this.#calendar =
      longestSure === undefined
        ? null
        : new Calendar({ now: clock.now, longest: longestSure + BATCH, counted: this.#count })
    const { concurrency } = config.settings
    this.#scheduler = new Scheduler(clock, concurrency, ms => observer.delay?.(ms), this.#calendar)
    const executor = (most?: number) => this.#scheduler.executor(this.#begin, this.#report, most)
    this.#places = {
      core: executor(),
      here: executor(MOST_CODE),
      checks: executor(MOST_CODE),
      commands: executor(MOST_CODE),
      user: executor(MOST_CODE),
    }
    this.#reconciler = new Reconciler({
      kernel: memoryKernel(undefined, undefined, socket => counting(socket, this.#sent)),
      journal: memoryJournal(),
      log: this.#log(),
      clock,
      desired: (actual, names) => this.health.desired(actual, names),
      onApplied: changes => observer.applied?.(changes),
    })
    this.health = new HealthTracker({
      log: this.#log(),
      now: clock.now,
      alarm: clock.alarm,
      wall: clock.now,
      table: () => this.#reconciler.table,
      onDirty: services => {
        for (const { name } of services) this.#dirty.add(name)
        this.#askForRound()
      },
      recheck: (id, ms) => this.#placed.get(id)?.place.soon(id, ms),
      events: {
        hears: event => event === 'transition' || event === 'damping',
        emit: (event, ...details) => this.#emit(event, details),
      },
    })
    this.#hints = new Hints({
      clock,
      executors: {
        next: id => this.#uncounted(id)?.next(id) ?? null,
        atOnce: (id, isAnew) => {
          const place = this.#uncounted(id)
          // The question takes the job out of the calendar, where its runs follow each other at its interval.
          place?.next(id)
          place?.atOnce(id, isAnew)
        },
      },
      isChanging: id => this.health.store.checksOf(id).some(({ health, own }) => isChanging(own ?? health)),
    })
  }

  /** Brings the checks of these jobs forward, as the daemon does. */
  hint(ids: readonly string[], hint: Hint): void {
    this.#hints.give(ids, hint)
  }

  get hints(): HintCounts {
    return this.#hints.counts
  }

  /** Runs of checks so far. */
  get runs(): number {
    return this.#runs + this.#counted
  }

  /** Of these: the runs that were counted. */
  get counted(): number {
    return this.#counted
  }

  /** From now on runs that are sure to pass are counted. */
  beginCounting(): void {
    this.#isCounting = true
  }

  /** Checks without a first result. */
  get waiting(): number {
    return this.#waiting
  }

  /** Messages to the kernel so far. */
  get messages(): number {
    return this.#sent.messages
  }

  /** Sentences about what the kernel would refuse. */
  get refusals(): readonly string[] {
    return [...this.#refusals]
  }

  stats() {
    return this.#scheduler.stats()
  }

  /** Activates the configuration. All checks are due. */
  async start(): Promise<void> {
    const { config, checks } = this.#parts
    const changes = this.health.applyConfig(config, checks, new Map())
    this.health.override(new Map())
    await this.#reconciler.resync()
    scheduleJobs(
      {
        set: (id, _, timing) => this.#setJob(id, timing),
        remove: id => this.#placed.get(id)?.place.remove(id),
        soon: (id, ms) => this.#placed.get(id)?.place.soon(id, ms),
      },
      changes,
      { random: this.#parts.clock.random },
    )
  }

  /** Lets the time pass up to `end`, or until `isOver` returns true. */
  async run(end: number, isOver: () => boolean = () => false): Promise<void> {
    const { clock } = this.#parts
    let rest = performance.now() + TURN
    while (!isOver() && clock.turn(end)) {
      if (this.#isRoundDue) await this.#settle()
      if (performance.now() < rest) continue
      await setImmediate()
      rest = performance.now() + TURN
    }
    if (this.#dirty.size > 0) await this.#settle()
  }

  async close(): Promise<void> {
    this.#hints.close()
    this.#scheduler.close()
    this.health.close()
    await this.#reconciler.stop()
  }

  /** The time passes to that of the next round, whatever else happens then. */
  #askForRound(): void {
    const { clock } = this.#parts
    if (this.#isRoundAsked || clock.now() >= this.#nextRound) return
    this.#isRoundAsked = true
    clock.alarm(this.#nextRound - clock.now(), () => {
      this.#isRoundAsked = false
      // An alarm may be earlier by a rounding error.
      this.#nextRound = clock.now()
    })
  }

  /** What else happens meanwhile does not bring a round forward that was asked for: alarms are up to 1 ms late. */
  get #isRoundDue(): boolean {
    return this.#dirty.size > 0 && !this.#isRoundAsked && this.#parts.clock.now() >= this.#nextRound
  }

  async #settle(): Promise<void> {
    const names = [...this.#dirty]
    this.#dirty.clear()
    this.#nextRound = this.#parts.clock.now() + BETWEEN_ROUNDS
    this.#reconciler.markDirty(names)
    await this.#reconciler.idle()
  }

  /** Returns the executor of a job whose runs are no longer counted. */
  #uncounted(id: string): Executor<SimulatedWork> | null {
    const placed = this.#placed.get(id)
    if (!placed) return null
    this.#skipCounted(id, placed.checked)
    return placed.place
  }

  #skipCounted(id: string, checked: Checked): void {
    const counted = this.#calendar?.recall(id) ?? 0
    if (counted > 0) checked.skip?.(counted)
  }

  #setJob(id: string, timing: Timing): void {
    const job = this.health.store.jobs.get(id)
    if (!job) return
    const { kind } = placementOf(workOf(job))
    const place = this.#places[kind === 'worker' ? groupOf(job.check) : kind]
    this.#waiting++
    const { world } = this.#parts
    const subscribers = this.health.store.subscribers(id)
    const checked = world.checked(job, subscribers)
    this.#placed.set(id, { place, checked })
    const firstIn = world.firstIn?.(job, subscribers)
    const placed = firstIn === undefined ? timing : { ...timing, firstIn }
    place.set(id, { id, checked, isFirst: true }, placed)
    // A job that is placed again keeps its phase.
    if (firstIn !== undefined) place.retime(id, placed)
  }

  #begin: StartRun<SimulatedWork> = (work, _, done) => {
    const { clock, cost = 0 } = this.#parts
    this.#runs++
    this.#skipCounted(work.id, work.checked)
    const outcome = work.checked.ask(clock.now())
    clock.spend(cost)
    return new SimulatedRun(
      outcome,
      clock,
      ended => {
        this.#outcome = ended
        if (!work.isFirst) return
        work.isFirst = false
        this.#waiting--
      },
      done,
    )
  }

  #report = (id: string, given: CheckResult, { checked }: SimulatedWork): void => {
    const result = this.#hints.explained(id, given)
    this.health.result(id, result)
    this.#outcome = null
    this.#hints.judged(id, result)
    // A further pass of a check that is up, without a streak, is the identity in `nextHealth`.
    if (!this.#isCounting || !result.ok || !this.health.store.isSettled(id, true)) return
    const sure = checked.sure?.()
    if (sure) this.#calendar?.promise(id, sure)
  }

  #count = (ms: number): void => {
    const { clock, cost = 0 } = this.#parts
    this.#counted++
    this.#scheduler.delayed(ms)
    clock.spend(cost)
  }

  #emit(event: keyof HealthEvents, details: readonly unknown[]): void {
    const { observer } = this.#parts
    if (event === 'transition')
      observer.transition?.(details[0] as HealthEvents['transition'][0], this.#outcome)
    if (event === 'damping') observer.damping?.(details[0] as HealthEvents['damping'][0])
  }

  #log(): Log {
    const nothing = () => {}
    return {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (_, fields, message) =>
        void this.#refusals.add('kernel' in fields ? String(fields.kernel) : message),
      isLevelEnabled: () => false,
      flush: nothing,
    }
  }
}
