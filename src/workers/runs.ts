/** Executes runs in a worker: loads files of checks, and starts and aborts runs as the core orders. */
import type { Answer, Check } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import { importCheck } from '../check/import-check.js'
import type { Run } from '../check/run.js'
import { startWatched, type Watcher } from '../check/run-code.js'
import { parseAddress } from '../core/address.js'
import type { OwnWord, Phase, PhaseTime } from '../core/model.js'
import { NEEDS_CODE } from '../probe/needs-code.js'
import { type PreparedProbe, prepareProbe, probeFrom, startProbe } from '../probe/start-probe.js'
import { messageOf } from './guards.js'
import { type Definition, type Order, PHASES, ROUNDS } from './messages.js'
import type { Outbox } from './outbox.js'
import { monotonicNow } from './process-facts.js'
import type { OwnState } from './shared.js'

interface Job extends Definition {
  readonly check: Check
  /** Undefined before the first run; null if the check is code, or if its probe deferred to the code. */
  prepared: PreparedProbe | null | undefined
  /** Text of the source address to which `target` and `prepared` are bound. */
  source: string | null
}

/** Maximum number of phases with the check's own names that are reported per run. */
const MOST_OWN = 32

type Start = Extract<Order, { do: 'start' }>

interface Live {
  readonly order: Start
  readonly job: Job
  readonly startedAt: number
  current: Run | null
  alarm: NodeJS.Timeout | undefined
  /** The current phase, if the check's code reported one. `told` is the phase that the core knows. */
  phase: Phase | OwnWord | null
  /** Number of reported phases with the check's own names. */
  ownWords: number
  told: Phase | OwnWord | null
  /** Number of phases whose ends are reported. */
  timesTold: number
}

/** Runs `begin` such that its later effects can be attributed to the run. */
export type Attribute = (run: number, begin: () => void) => void

export class Runs {
  readonly #outbox: Outbox
  readonly #shared: OwnState
  readonly #attribute: Attribute
  readonly #checks = new Map<string, Check>()
  readonly #jobs = new Map<number, Job>()
  readonly #live = new Map<number, Live>()
  readonly #tellsAtOnce: boolean

  /** `tellsAtOnce`: each phase is reported immediately and not at the next beat, because the code may block in it. */
  constructor(outbox: Outbox, shared: OwnState, attribute: Attribute, tellsAtOnce: boolean) {
    this.#outbox = outbox
    this.#shared = shared
    this.#attribute = attribute
    this.#tellsAtOnce = tellsAtOnce
  }

  /** Number of runs in progress. */
  get count(): number {
    return this.#live.size
  }

  take(order: Order): void {
    switch (order.do) {
      case 'load':
        void this.#load(order.module)
        break
      case 'define':
        this.#define(order.job, order.definition)
        break
      case 'forget':
        this.#jobs.delete(order.job)
        break
      case 'start':
        this.#start(order)
        break
      case 'abort':
        this.#abort(order.run)
        break
      case 'come-round':
        this.#comeRound()
    }
  }

  /** Data that arrived before the order is read in the same turn of the loop, and processed in the next. */
  #comeRound(): void {
    setImmediate(() =>
      setImmediate(() => {
        // The run whose time is over tells how far it has come.
        for (const live of this.#live.values()) this.#tellTimes(live)
        this.notePhases()
        this.#outbox.flush()
        this.#shared.round(ROUNDS)
      }),
    )
  }

  /** Reports the phase of each run. User code reports its phases immediately. */
  notePhases(): void {
    for (const live of this.#live.values()) this.#notePhase(live)
  }

  #notePhase(live: Live): void {
    const phase = live.current?.phase ?? live.phase
    if (!phase || phase === live.told) return
    this.#shared.setPhase(live.order.slot, phase as Phase)
    live.told = phase
  }

  /** Reports the phases that have ended since the last report. Code reports each when the next one begins. */
  #tellTimes(live: Live): void {
    const { order, current } = live
    if (!order.traced || !current) return
    const { phases } = current
    while (live.timesTold < phases.length) this.#tellTime(live, phases[live.timesTold] as PhaseTime)
  }

  #tellTime(live: Live, time: PhaseTime): void {
    this.#outbox.say({ say: 'phase', run: live.order.run, time, place: live.timesTold++ })
  }

  async #load(module: string): Promise<void> {
    let problem: string | null = null
    try {
      this.#checks.set(module, (await importCheck(module)) as unknown as Check)
    } catch (error) {
      problem = messageOf(error)
    }
    this.#outbox.say({ say: 'loaded', module, problem })
  }

  #define(number: number, definition: Definition): void {
    const check = this.#checks.get(definition.module)
    if (check) this.#jobs.set(number, { ...definition, check, prepared: undefined, source: null })
  }

  #start(order: Start): void {
    const job = this.#jobFrom(order)
    if (!job) {
      this.#outbox.say({ say: 'settled', run: order.run })
      return
    }
    const live: Live = {
      order,
      job,
      startedAt: performance.now(),
      current: null,
      alarm: undefined,
      phase: null,
      ownWords: 0,
      told: null,
      timesTold: 0,
    }
    this.#live.set(order.run, live)
    this.#shared.setPhase(order.slot, 'run')
    this.#attribute(order.run, () => this.#begin(live))
  }

  /** Returns the job, bound to the source of this run. A run in progress keeps the one that it has. */
  #jobFrom(order: Start): Job | undefined {
    const job = this.#jobs.get(order.job)
    const source = order.source ?? null
    const { marked } = order
    if (!job || (job.source === source && !marked)) return job
    const address = source === null ? null : parseAddress(source)
    // Its ports are those of this run, and only its code marks its packets.
    if (marked) return { ...job, target: { ...job.target, source: address, marked }, prepared: null }
    const { prepared } = job
    const bound = {
      ...job,
      target: { ...job.target, source: address },
      prepared: prepared ? probeFrom(prepared, address) : prepared,
      source,
    }
    this.#jobs.set(order.job, bound)
    return bound
  }

  #begin(live: Live): void {
    try {
      const { job } = live
      if (job.prepared === undefined) job.prepared = preparedFor(job)
      if (job.prepared) this.#beginProbe(live, job.prepared)
      else this.#beginCode(live)
    } catch (error) {
      this.#answer(live, answerFromError(error))
    }
  }

  #beginProbe(live: Live, prepared: PreparedProbe): void {
    const { timeout } = live.order
    const done = (answer: Answer) => {
      if (answer !== NEEDS_CODE) {
        this.#answer(live, answer)
        return
      }
      // A server that redirects once will continue to do so.
      live.job.prepared = null
      clearTimeout(live.alarm)
      live.timesTold = 0
      this.#beginCode(live)
    }
    // Probes are always traced: they have few phases, and the last one is reported with the answer.
    live.current = startProbe(prepared, timeout, done, true)
    this.#setAlarm(live)
  }

  #setAlarm(live: Live): void {
    const { current, order, startedAt } = live
    if (!current || current.wakeAt >= order.timeout) return
    live.alarm = setTimeout(
      () => {
        current.wake()
        this.#setAlarm(live)
      },
      startedAt + current.wakeAt - performance.now(),
    )
  }

  #beginCode(live: Live): void {
    const { job, order } = live
    const { run, slot, traced } = order
    const watcher: Watcher = {
      phase: (name, before) => {
        if (!PHASES.includes(name) && ++live.ownWords <= MOST_OWN)
          this.#outbox.say({ say: 'entered', run, phase: name })
        if (this.#tellsAtOnce) this.#shared.setPhase(slot, name)
        else live.phase = name
        if (traced && before) this.#tellTime(live, before)
      },
      settled: () => this.#outbox.say({ say: 'settled', run }),
    }
    live.current = startWatched(job, order.timeout, answer => this.#answer(live, answer), watcher)
  }

  #answer(live: Live, answer: Answer): void {
    const { order } = live
    if (!this.#live.delete(order.run)) return
    clearTimeout(live.alarm)
    this.#notePhase(live)
    this.#tellTimes(live)
    this.#outbox.say({ say: 'answer', run: order.run, answer, at: monotonicNow() })
  }

  #abort(run: number): void {
    const live = this.#live.get(run)
    // The run has already answered.
    if (!live) return
    this.#live.delete(run)
    clearTimeout(live.alarm)
    const isCode = live.job.prepared === null
    live.current?.cancel()
    if (!isCode) this.#outbox.say({ say: 'settled', run })
  }
}

function preparedFor({ check, target, options }: Job): PreparedProbe | null {
  const probe = check.probe?.(target, options) ?? null
  return probe && probeFrom(prepareProbe(probe), target.source ?? null)
}
