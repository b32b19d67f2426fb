/** Counts what happens between two scrapes. The work for each event is O(1). */
import type { LogEvent } from '../core/log-events.js'
import { isEvent, LOG_EVENTS } from '../core/log-events.js'
import {
  type Change,
  type CheckResult,
  keyOfMember,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'
import { differingOf } from '../core/shared-config.js'
import type { EventListener } from '../events/event-bus.js'
import type { Transition } from '../health/health-changes.js'
import type { Subscriber } from '../health/jobs.js'
import type { Round } from '../reconcile/reconciler-types.js'
import { eachInSteps, runSliced, type Sliced } from '../util/time-slice.js'
import { Durations } from './durations.js'

export const OUTCOMES = ['passed', 'failed', 'none'] as const
export type Outcome = (typeof OUTCOMES)[number]
export type Outcomes = Record<Outcome, number>

export interface ServiceTally {
  readonly results: Outcomes
  /** Sum of the durations of runs that have a verdict. */
  seconds: number
  readonly transitions: { up: number; down: number; unknown: number }
}

/** Events that begin and end the failure of a file, and the field that names it. */
const FILES: Partial<Record<LogEvent, { readonly isFailing: boolean; readonly file?: string }>> = {
  'state.failed': { isFailing: true },
  'state.works': { isFailing: false },
  'journal.failed': { isFailing: true, file: 'journal' },
  'journal.works': { isFailing: false, file: 'journal' },
  'config.not-kept': { isFailing: true, file: 'accepted configuration' },
  'config.kept': { isFailing: false, file: 'accepted configuration' },
}

export class Tallies {
  readonly events = new Map<LogEvent, number>(knownEvents().map(name => [name, 0]))
  /** Files of the state folder that cannot be written. */
  readonly failingFiles = new Set<string>()
  /** By the kind of check. */
  readonly runs = new Map<string, Outcomes>()
  /** By the name of the service. */
  readonly services = new Map<string, ServiceTally>()
  /** Number of transitions by `keyOfMember`, of real servers that had one. */
  readonly reals = new Map<string, number>()
  readonly changes: Record<Change['op'], number> = {
    'add-service': 0,
    'set-service': 0,
    'delete-service': 0,
    'add-real': 0,
    'set-real': 0,
    'delete-real': 0,
  }
  /** Of the last configuration. */
  #current: readonly ResolvedService[] = []
  /** Of the configuration whose servers have counts. */
  #followed: readonly ResolvedService[] = []
  #forgetting: Promise<void> | null = null
  readonly runDurations = new Durations('lvsd_check_duration_seconds')
  readonly delays = new Durations('lvsd_schedule_delay_seconds')
  readonly rounds = new Durations('lvsd_reconcile_duration_seconds')

  /** Handles the events of the director. */
  readonly listener: EventListener = {
    result: (subscribers, result) => this.#result(subscribers, result),
    transition: transition => this.#transition(transition),
    applied: changes => {
      for (const { op } of changes) this.changes[op]++
    },
    config: config => this.#forget(config),
  }

  /** Counts an event of the log. */
  event(name: LogEvent, fields: object): void {
    this.events.set(name, (this.events.get(name) ?? 0) + 1)
    const failure = FILES[name]
    if (!failure) return
    const file = failure.file ?? String((fields as { readonly file?: unknown }).file)
    if (failure.isFailing) this.failingFiles.add(file)
    else this.failingFiles.delete(file)
  }

  /** A run of a check has begun `ms` milliseconds after it was due. */
  readonly delay = (ms: number): void => this.delays.add(Math.max(0, ms) / 1000)

  readonly round = ({ isWhole, ms }: Round): void => this.rounds.add(ms / 1000, isWhole ? 'whole' : 'partial')

  serviceOf(name: string): ServiceTally {
    let tally = this.services.get(name)
    if (!tally) {
      tally = { results: noOutcomes(), seconds: 0, transitions: { up: 0, down: 0, unknown: 0 } }
      this.services.set(name, tally)
    }
    return tally
  }

  #result(subscribers: readonly Subscriber[], { ok, ms }: CheckResult): void {
    const outcome = ok === null ? 'none' : ok ? 'passed' : 'failed'
    const kind = subscribers[0]?.use.kind ?? ''
    let runs = this.runs.get(kind)
    if (!runs) {
      runs = noOutcomes()
      this.runs.set(kind, runs)
    }
    runs[outcome]++
    if (ok !== null) this.runDurations.add(ms / 1000, kind)
    for (const { service } of subscribers) {
      const tally = this.serviceOf(service.name)
      tally.results[outcome]++
      if (ok !== null) tally.seconds += ms / 1000
    }
  }

  #transition({ service, real, to, hasMovedServer }: Transition): void {
    if (!hasMovedServer) return
    this.serviceOf(service.name).transitions[to]++
    const key = keyOfMember(service, real)
    this.reals.set(key, (this.reals.get(key) ?? 0) + 1)
  }

  /** Forgets what the configuration no longer has. The counts of servers go in time slices, so a little later. */
  #forget({ services }: ResolvedConfig): void {
    const names = new Set(services.map(({ name }) => name))
    for (const name of this.services.keys()) if (!names.has(name)) this.services.delete(name)
    this.#current = services
    this.#forgetReals()
  }

  #forgetReals(): void {
    this.#forgetting ??= runSliced(this.#forgettingReals()).finally(() => {
      this.#forgetting = null
      // A configuration that came after the last step.
      if (this.#followed !== this.#current) this.#forgetReals()
    })
  }

  /** Resolves when the counts of servers that have gone are forgotten. */
  async idle(): Promise<void> {
    while (this.#forgetting) await this.#forgetting
  }

  *#forgettingReals(): Sliced<void> {
    while (this.#followed !== this.#current) {
      const [gone, fresh] = differingOf(this.#followed, this.#current)
      this.#followed = this.#current
      if (this.reals.size === 0) return
      // Of a service with thousands of servers, most are the same objects as before.
      const left = yield* without(gone, realsOf(fresh))
      const keys = new Set(yield* without(fresh, realsOf(gone)))
      yield* eachInSteps(left, key => {
        if (!keys.has(key)) this.reals.delete(key)
      })
    }
  }
}

function realsOf(services: readonly ResolvedService[]): ReadonlySet<ResolvedReal> {
  return new Set(services.flatMap(({ reals }) => reals))
}

/** Returns the keys of the real servers of these services that are not among `others`. */
function* without(
  services: readonly ResolvedService[],
  others: ReadonlySet<ResolvedReal>,
): Sliced<readonly string[]> {
  const keys: string[] = []
  for (const service of services)
    yield* eachInSteps(service.reals, real => {
      if (!others.has(real)) keys.push(keyOfMember(service, real))
    })
  return keys
}

function noOutcomes(): Outcomes {
  return { passed: 0, failed: 0, none: 0 }
}

function knownEvents(): readonly LogEvent[] {
  return (Object.keys(LOG_EVENTS) as LogEvent[]).filter(isEvent)
}
