/** Simulates a site whose servers fail at random, and measures what lvsd makes of it. */
import type { Check } from '../check/check.js'
import type { Change, Config, ResolvedConfig } from '../core/model.js'
import type { DampingChange, Transition } from '../health/health-changes.js'
import type { Job, Subscriber } from '../health/jobs.js'
import { endpointsOf } from '../hints/endpoints.js'
import { VirtualClock } from '../util/virtual-clock.js'
import { Distribution } from './distribution.js'
import { countReals, enlarged } from './enlarged-site.js'
import { FailureModel, type ModelledOutcome } from './failure-model.js'
import type { FailureSpec } from './failure-spec.js'
import { SentinelHints } from './sentinel-hints.js'
import { SimulatedDirector } from './simulated-director.js'
import type { Outcome } from './simulated-run.js'
import type { SimulationReport } from './simulation-report.js'
import type { Checked } from './world.js'

export interface SimulationInput {
  readonly config: Config
  readonly checks: ReadonlyMap<string, Check>
  /** Number of real servers; null: those of the configuration. */
  readonly reals: number | null
  readonly failures: FailureSpec
  readonly seed: number
  /** Milliseconds to simulate after all checks have a first result. */
  readonly for: number
  /** Milliseconds of real time after which it ends with what it has. */
  readonly within: number
  /** Milliseconds of the processor for each run of a check. */
  readonly cost: number
  /**
   * Runs of checks after the start whose processor time is measured. Later runs that are sure to change nothing are counted
   * instead of started, with the same report. Infinity: every run is started.
   */
  readonly measured: number
  /** Called with what happens, at milliseconds of the virtual clock. */
  readonly onEvent?: (at: number, event: SimulatedEvent) => void
  /** True ends it with what it has. */
  readonly isInterrupted?: () => boolean
}

/** A change of health, of damping, or of the table. */
export type SimulatedEvent = Transition | DampingChange | readonly Change[]

/** Milliseconds of the virtual clock in which all checks must have a first result, or the director is full. */
const START_LIMIT = 600_000
/** Milliseconds. Where a run takes longer, the ticks of the scheduler are late, which runs that are counted do not show. */
const MOST_COST = 10
const NOTHING_MEASURED = { runs: 0, microsecondsEach: 0 }

/** Returns what has happened. Equal inputs give equal reports, but for the figures of `run`. */
export async function simulate(input: SimulationInput): Promise<SimulationReport> {
  const simulation = new Simulation(input)
  try {
    return await simulation.run()
  } finally {
    await simulation.close()
  }
}

class Simulation {
  readonly #input: SimulationInput
  readonly #config: ResolvedConfig
  readonly #clock: VirtualClock
  readonly #director: SimulatedDirector
  readonly #model: FailureModel
  readonly #sentinels: SentinelHints
  readonly #servers = new Map<string, number>()
  /** When the server failed last, and when it was repaired last, by its number. */
  readonly #failedAt: Float64Array
  readonly #repairedAt: Float64Array
  /** 1: the server was out during its last failure. */
  readonly #isSeen: Uint8Array
  /** 1: the checks hold the server out. */
  readonly #isOut: Uint8Array
  readonly #detection = new Distribution()
  readonly #recovery = new Distribution()
  readonly #lateness = new Distribution()
  readonly #changes = { added: 0, changed: 0, removed: 0 }
  readonly #counts = { begun: 0, repaired: 0, unseen: 0, removals: 0, falseRemovals: 0, returns: 0, held: 0 }
  readonly #realBegan = performance.now()
  readonly #cpuBegan = process.cpuUsage()
  #isStarting = true
  /** Number of the next check. */
  #checks = 0
  #highestRss = 0

  constructor(input: SimulationInput) {
    this.#input = input
    const { config, checks, seed, failures, cost, reals } = input
    this.#config = enlarged(config, reals)
    this.#clock = new VirtualClock({ seed })
    for (const real of this.#config.services.flatMap(service => service.reals)) {
      const key = keyOf(real)
      if (!this.#servers.has(key)) this.#servers.set(key, this.#servers.size)
    }
    const servers = this.#servers.size
    this.#failedAt = new Float64Array(servers).fill(Number.NEGATIVE_INFINITY)
    this.#repairedAt = new Float64Array(servers).fill(Number.NEGATIVE_INFINITY)
    this.#isSeen = new Uint8Array(servers)
    this.#isOut = new Uint8Array(servers)
    this.#model = new FailureModel(failures, {
      servers,
      seed,
      start: this.#clock.now(),
      listener: {
        failed: (server, at) => this.#failed(server, at),
        repaired: (server, at) => this.#repaired(server, at),
      },
    })
    this.#director = new SimulatedDirector({
      config: this.#config,
      checks,
      clock: this.#clock,
      cost,
      world: { checked: (job, subscribers) => this.#checked(job, subscribers) },
      longestSure: this.#model.longest,
      observer: {
        transition: (transition, outcome) => {
          this.#tell(transition)
          this.#transition(transition, outcome)
        },
        damping: change => {
          this.#tell(change)
          if (change.hold === 'held') this.#counts.held++
        },
        applied: changes => {
          this.#tell(changes)
          this.#applied(changes)
        },
        delay: ms => this.#lateness.add(ms),
      },
    })
    this.#sentinels = new SentinelHints({
      ...{ clock: this.#clock, model: this.#model, after: failures.hint },
      give: (ids, hint) => this.#director.hint(ids, hint),
    })
  }

  async run(): Promise<SimulationReport> {
    const director = this.#director
    await director.start()
    await director.run(START_LIMIT, () => director.waiting === 0 || this.#isOver())
    const started = { ms: this.#clock.now(), ...this.#taken() }
    this.#isStarting = false
    this.#sentinels.start()
    const began = this.#clock.now()
    const runsBefore = director.runs
    const messagesBefore = director.messages
    const measured = director.waiting === 0 ? await this.#runFor(this.#input.for) : NOTHING_MEASURED
    const end = this.#clock.now()
    for (const server of this.#servers.values()) this.#model.follow(server, end)
    const simulated = end - began
    return {
      seed: this.#input.seed,
      failures: this.#input.failures,
      file: this.#config.file,
      services: this.#config.services.length,
      reals: countReals(this.#config.services),
      checks: director.health.store.jobs.size,
      ended: this.#endedBy(simulated),
      wanted: this.#input.for,
      simulated,
      start: { ...started, messages: messagesBefore, waiting: director.waiting },
      counts: { ...this.#counts },
      detection: this.#detection.summary(),
      recovery: this.#recovery.summary(),
      changes: { ...this.#changes },
      messages: director.messages - messagesBefore,
      refusals: director.refusals,
      runs: director.runs - runsBefore,
      hints: this.#hints(),
      lateness: this.#lateness.summary(),
      stalledFor: director.stats().stalledFor,
      cost: this.#input.cost,
      run: this.#costs(measured),
    }
  }

  /** Lets this time pass. Returns how much of the processor each run took that was started. */
  async #runFor(ms: number): Promise<SimulationReport['run']['measured']> {
    const director = this.#director
    const { measured, cost } = this.#input
    const end = this.#clock.now() + ms
    const runsBefore = director.runs
    const cpuBefore = process.cpuUsage()
    const isCounting = cost <= MOST_COST
    const enough = isCounting ? measured : Number.POSITIVE_INFINITY
    if (enough > 0) await director.run(end, () => director.runs - runsBefore >= enough || this.#isOver())
    const runs = director.runs - runsBefore
    const { user, system } = process.cpuUsage(cpuBefore)
    director.beginCounting()
    await director.run(end, () => this.#isOver())
    return { runs, microsecondsEach: runs === 0 ? 0 : (user + system) / runs }
  }

  close(): Promise<void> {
    return this.#director.close()
  }

  /** The counts of the start, which begin anew. */
  #taken() {
    const changes = { ...this.#changes }
    Object.assign(this.#changes, { added: 0, changed: 0, removed: 0 })
    for (const distribution of [this.#detection, this.#recovery, this.#lateness]) distribution.clear()
    return { changes }
  }

  #endedBy(simulated: number): SimulationReport['ended'] {
    if (this.#director.waiting > 0 && !this.#isOver()) return 'full'
    if (simulated >= this.#input.for) return 'complete'
    return this.#input.isInterrupted?.() ? 'interrupted' : 'time'
  }

  #hints(): SimulationReport['hints'] {
    const { given, broughtForward, dropped } = this.#director.hints
    const { jobs } = this.#director.health.store
    const withoutKnocking = this.#config.settings.knock && endpointsOf(jobs.values()).size > 0
    return {
      ...{ sentinels: this.#sentinels.size, given: given.sentinel, broughtForward, dropped },
      withoutKnocking,
    }
  }

  #isOver(): boolean {
    return this.#input.isInterrupted?.() || performance.now() - this.#realBegan > this.#input.within
  }

  #costs(measured: SimulationReport['run']['measured']): SimulationReport['run'] {
    const { user, system } = process.cpuUsage(this.#cpuBegan)
    this.#highestRss = process.resourceUsage().maxRSS * 1024
    return {
      seconds: (performance.now() - this.#realBegan) / 1000,
      cpuSeconds: (user + system) / 1e6,
      runs: this.#director.runs,
      counted: this.#director.counted,
      measured,
      highestRss: this.#highestRss,
    }
  }

  // -------------------------------------------------------------- what happens

  #checked({ id, use, target }: Job, subscribers: readonly Subscriber[]): Checked {
    const server = this.#servers.get(keyOf(subscribers[0]?.real ?? target)) ?? 0
    // Of services that share a check, one that wants a sentinel suffices.
    if (subscribers.some(subscriber => subscriber.use.sentinel)) this.#sentinels.watch(server, id)
    const answers = this.#model.answersOf(server, this.#checks++, use.policy)
    return {
      ask: now => this.#model.outcome(server, now, answers),
      sure: () => {
        const until = this.#model.wellUntil(server)
        return until === null ? null : { until, runs: answers.sure }
      },
      skip: runs => answers.skip(runs),
    }
  }

  #tell(event: SimulatedEvent): void {
    this.#input.onEvent?.(this.#clock.now(), event)
  }

  #failed(server: number, at: number): void {
    this.#failedAt[server] = at
    this.#isSeen[server] = this.#isOut[server] ?? 0
    if (!this.#isStarting) this.#counts.begun++
  }

  #repaired(server: number, at: number): void {
    this.#repairedAt[server] = at
    if (this.#isStarting) return
    this.#counts.repaired++
    if (this.#isSeen[server] === 0) this.#counts.unseen++
  }

  #transition({ real, from, to, hasMovedServer }: Transition, outcome: Outcome | null): void {
    if (!hasMovedServer) return
    const server = this.#servers.get(keyOf(real)) ?? 0
    const { isDown = this.#model.isDown(server, this.#clock.now()) } = (outcome ??
      {}) as Partial<ModelledOutcome>
    this.#isOut[server] = to === 'down' ? 1 : 0
    if (to === 'down') this.#isSeen[server] = isDown ? 1 : 0
    if (this.#isStarting || from === 'unknown') return
    if (to === 'down') this.#wentDown(server, isDown)
    if (to === 'up') this.#cameUp(server)
  }

  #wentDown(server: number, isDown: boolean): void {
    this.#counts.removals++
    if (isDown) this.#detection.add(this.#clock.now() - (this.#failedAt[server] ?? 0))
    else this.#counts.falseRemovals++
  }

  #cameUp(server: number): void {
    this.#counts.returns++
    // Else it was removed falsely.
    if (this.#isSeen[server] === 1) this.#recovery.add(this.#clock.now() - (this.#repairedAt[server] ?? 0))
  }

  #applied(changes: readonly Change[]): void {
    for (const { op } of changes) {
      if (op.startsWith('add')) this.#changes.added++
      else if (op.startsWith('set')) this.#changes.changed++
      else this.#changes.removed++
    }
  }
}

function keyOf({
  address,
  port,
}: {
  readonly address: { readonly text: string } | null
  readonly port: number
}) {
  return `${address?.text} ${port}`
}
