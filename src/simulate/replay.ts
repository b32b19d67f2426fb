/** Replays recorded results against another configuration, with the scheduler, the health and the table of the daemon. */
import type { Check } from '../check/check.js'
import type { CheckPolicy, Config, ResolvedConfig } from '../core/model.js'
import { type Job, nameOfCheck, type Subscriber } from '../health/jobs.js'
import { VirtualClock } from '../util/virtual-clock.js'
import { enlarged } from './enlarged-site.js'
import { recordedPolicy, withRecordedPolicies } from './recorded-policies.js'
import { type Missing, RecordedSeries, TOLERANCE } from './recorded-series.js'
import type { RecordedState, Recording } from './recording.js'
import { compareServers, nameOfServer, type Replayed } from './replay-comparison.js'
import type { ReplayReport } from './replay-report.js'
import { SimulatedDirector } from './simulated-director.js'
import type { TableChanges } from './simulation-report.js'
import type { Checked } from './world.js'

export interface ReplayInput {
  readonly config: Config
  readonly checks: ReadonlyMap<string, Check>
  readonly recording: Recording
  /** Where the recording was read. */
  readonly path: string
  readonly isInterrupted?: () => boolean
}

/** Milliseconds after a recorded run, so that the run that takes its result comes after it. */
const BEHIND = 1

export async function replay(input: ReplayInput): Promise<ReplayReport> {
  const { recording, path, isInterrupted } = input
  const { sessions, checks, problems } = recording
  const config = enlarged(input.config, null)
  const from = sessions[0]?.from ?? 0
  const end = sessions.at(-1)?.to ?? from
  const would = await replayed({ ...input, config })
  const to = Math.min(end, would.ended)
  const recorded = sessions.reduce(
    (sum, session) => sum + Math.max(0, Math.min(to, session.to) - session.from),
    0,
  )
  const { subscribers, changes, messages, runs, missing } = would
  const recordedJobs = new Set(
    subscribers.flatMap(one => (checks.get(nameOfCheck(one))?.length ? [one.jobId] : [])),
  )
  const jobsByName = new Map<string, Set<string>>()
  for (const one of subscribers) {
    const name = nameOfCheck(one)
    jobsByName.set(name, (jobsByName.get(name) ?? new Set()).add(one.jobId))
  }
  const names = [...jobsByName.keys()]
  // What happened is replayed too, so that both sides have the same errors.
  const asWas = isInterrupted?.()
    ? null
    : await replayed({ ...input, config: withRecordedPolicies(config, recording) })
  const isComplete = asWas !== null && asWas.ended >= end
  return {
    file: config.file,
    recording: path,
    from,
    to,
    isComplete,
    unrecorded: to - from - recorded,
    checks: would.jobs,
    runs,
    missing: {
      shorterInterval: missing['shorter interval'],
      longerTimeout: missing['longer timeout'],
      gap: missing.gap,
    },
    hasPolicies: [...checks.values()].every(([first]) => first?.policy !== undefined),
    notRecorded: names.filter(name => !checks.has(name)),
    notConfigured: [...checks.keys()].filter(name => !jobsByName.has(name)),
    servers: compareServers(recording, {
      would,
      was: isComplete ? asWas : null,
      to,
      subscribers,
      isRecorded: ({ jobId }) => recordedJobs.has(jobId),
      isOneOfSeveral: subscriber => (jobsByName.get(nameOfCheck(subscriber))?.size ?? 0) > 1,
      hasPolicy: subscriber => recordedPolicy(checks, nameOfCheck(subscriber)) !== null,
    }),
    changes,
    messages,
    problems,
  }
}

type ReplayParts = Omit<ReplayInput, 'config'> & { readonly config: ResolvedConfig }

/** What one replay has given. */
interface ReplayedAll extends Replayed {
  /** Milliseconds of the wall clock; before the end of the recording if it was interrupted. */
  readonly ended: number
  readonly jobs: number
  readonly runs: number
  readonly missing: Readonly<Record<Missing, number>>
  readonly changes: TableChanges
  readonly messages: number
  readonly subscribers: readonly Subscriber[]
}

async function replayed(parts: ReplayParts): Promise<ReplayedAll> {
  const replaying = new Replay(parts)
  try {
    return await replaying.run()
  } finally {
    await replaying.close()
  }
}

class Replay {
  readonly #parts: ReplayParts
  readonly #clock: VirtualClock
  readonly #director: SimulatedDirector
  readonly #from: number
  readonly #end: number
  readonly #states = new Map<string, RecordedState[]>()
  readonly #passes = new Map<string, number[]>()
  readonly #missing: Record<Missing, number> = { 'shorter interval': 0, 'longer timeout': 0, gap: 0 }
  readonly #changes = { added: 0, changed: 0, removed: 0 }
  #runs = 0

  constructor(parts: ReplayParts) {
    const { config, checks, recording } = parts
    this.#parts = parts
    this.#from = recording.sessions[0]?.from ?? 0
    this.#end = recording.sessions.at(-1)?.to ?? this.#from
    this.#clock = new VirtualClock({ start: this.#from })
    this.#director = new SimulatedDirector({
      config,
      checks,
      clock: this.#clock,
      world: {
        checked: (job, subscribers) => this.#checked(job, subscribers),
        firstIn: (job, subscribers) => this.#firstIn(job, subscribers),
      },
      observer: {
        transition: change => {
          if (change.hasMovedServer) this.#note(nameOfServer(change), change.to)
        },
        damping: change => this.#note(nameOfServer(change), change.state),
        applied: changes => {
          for (const { op } of changes) {
            if (op.startsWith('add')) this.#changes.added++
            else if (op.startsWith('set')) this.#changes.changed++
            else this.#changes.removed++
          }
        },
      },
    })
  }

  async run(): Promise<ReplayedAll> {
    const director = this.#director
    await director.start()
    const messages = director.messages
    await director.run(this.#end + this.#lag(), this.#parts.isInterrupted)
    const { store } = director.health
    return {
      states: this.#states,
      passes: this.#passes,
      ended: this.#clock.now(),
      jobs: store.jobs.size,
      runs: this.#runs,
      missing: this.#missing,
      changes: this.#changes,
      messages: director.messages - messages,
      subscribers: [...store.allSubscribers()],
    }
  }

  close(): Promise<void> {
    return this.#director.close()
  }

  /** Milliseconds after which a run has a result that began when the last recorded one did. */
  #lag(): number {
    const jobs = [...this.#director.health.store.jobs.values()]
    return jobs.reduce(
      (most, { use: { policy } }) => Math.max(most, policy.interval * TOLERANCE + policy.timeout),
      0,
    )
  }

  #note(name: string, state: RecordedState['state']): void {
    const states = this.#states.get(name) ?? []
    this.#states.set(name, states)
    states.push({ t: this.#clock.now(), state })
  }

  #checked({ use }: Job, subscribers: readonly Subscriber[]): Checked {
    const { policy } = use
    const series = this.#seriesOf(subscribers, policy)
    let hasPassed = false
    const ask: Checked['ask'] = now => {
      const { outcome, missing } = series.take(now, policy)
      // Runs after the end are there for the results of those before it.
      if (now <= this.#end) {
        this.#runs++
        if (missing) this.#missing[missing]++
      }
      if (missing) return outcome
      const passes = outcome.answer.ok === true && outcome.after <= policy.timeout
      if (passes && !hasPassed) this.#notePass(subscribers, now + outcome.after)
      hasPassed = passes
      return outcome
    }
    return { ask }
  }

  #notePass(subscribers: readonly Subscriber[], t: number): void {
    for (const name of new Set(subscribers.map(nameOfServer))) {
      const passes = this.#passes.get(name) ?? []
      this.#passes.set(name, passes)
      passes.push(t)
    }
  }

  /** The run is in the phase of the recorded runs, so that it finds what they found. */
  #firstIn({ use }: Job, subscribers: readonly Subscriber[]): number {
    const { interval } = use.policy
    const anchor = this.#seriesOf(subscribers, use.policy).anchor ?? this.#from
    const phase = (anchor + BEHIND - this.#from) % interval
    return phase < 0 ? phase + interval : phase
  }

  /** Returns the results of the first subscriber that has any. */
  #seriesOf(subscribers: readonly Subscriber[], policy: CheckPolicy): RecordedSeries {
    const { checks, sessions } = this.#parts.recording
    const results = subscribers
      .map(nameOfCheck)
      .flatMap(name => (checks.has(name) ? [checks.get(name) ?? []] : []))
    return new RecordedSeries(results[0] ?? [], sessions, policy)
  }
}
