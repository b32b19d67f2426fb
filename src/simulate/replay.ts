/** Replays recorded results against another configuration, with the scheduler, the health and the table of the daemon. */
import type { Check } from '../check/check.js'
import type { CheckPolicy, Config, ResolvedConfig } from '../core/model.js'
import { type Job, nameOfCheck, type Subscriber } from '../health/jobs.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import { VirtualClock } from '../util/virtual-clock.js'
import { enlarged } from './enlarged-site.js'
import { type Missing, RecordedSeries, TOLERANCE } from './recorded-series.js'
import type { RecordedState, Recording } from './recording.js'
import { compareServers } from './replay-comparison.js'
import type { ReplayReport } from './replay-report.js'
import { SimulatedDirector } from './simulated-director.js'
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
  const replaying = new Replay(input)
  try {
    return await replaying.run()
  } finally {
    await replaying.close()
  }
}

class Replay {
  readonly #input: ReplayInput
  readonly #config: ResolvedConfig
  readonly #clock: VirtualClock
  readonly #director: SimulatedDirector
  readonly #from: number
  readonly #states = new Map<string, RecordedState[]>()
  readonly #missing: Record<Missing, number> = { 'shorter interval': 0, 'longer timeout': 0, gap: 0 }
  readonly #changes = { added: 0, changed: 0, removed: 0 }

  constructor(input: ReplayInput) {
    this.#input = input
    this.#config = enlarged(input.config, null)
    this.#from = input.recording.sessions[0]?.from ?? 0
    this.#clock = new VirtualClock({ start: this.#from })
    this.#director = new SimulatedDirector({
      config: this.#config,
      checks: input.checks,
      clock: this.#clock,
      world: {
        checked: (job, subscribers) => this.#checked(job, subscribers),
        firstIn: (job, subscribers) => this.#firstIn(job, subscribers),
      },
      observer: {
        transition: ({ service, real, to, hasMovedServer }) => {
          if (hasMovedServer) this.#note(`${service.name}/${nameOfReal(real)}`, to)
        },
        damping: ({ service, real, state }) => this.#note(`${service.name}/${nameOfReal(real)}`, state),
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

  async run(): Promise<ReplayReport> {
    const { recording, path, isInterrupted } = this.#input
    const { sessions, checks, problems } = recording
    const end = sessions.at(-1)?.to ?? this.#from
    await this.#director.start()
    const messages = this.#director.messages
    await this.#director.run(end + this.#lag(), isInterrupted)
    const to = Math.min(end, this.#clock.now())
    const subscribers = [...this.#director.health.store.allSubscribers()]
    const names = new Set(subscribers.map(nameOfCheck))
    const recorded = sessions.reduce(
      (sum, session) => sum + Math.max(0, Math.min(to, session.to) - session.from),
      0,
    )
    return {
      file: this.#config.file,
      recording: path,
      from: this.#from,
      to,
      isComplete: to >= end,
      unrecorded: to - this.#from - recorded,
      checks: this.#director.health.store.jobs.size,
      runs: this.#director.runs,
      missing: {
        shorterInterval: this.#missing['shorter interval'],
        longerTimeout: this.#missing['longer timeout'],
        gap: this.#missing.gap,
      },
      hasPolicies: [...checks.values()].every(([first]) => first?.policy !== undefined),
      notRecorded: [...names].filter(name => !checks.has(name)),
      notConfigured: [...checks.keys()].filter(name => !names.has(name)),
      servers: compareServers(recording, { states: this.#states, to, subscribers }),
      changes: { ...this.#changes },
      messages: this.#director.messages - messages,
      problems,
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
    const series = this.#seriesOf(subscribers, use.policy)
    const ask: Checked['ask'] = now => {
      const { outcome, missing } = series.take(now, use.policy)
      if (missing) this.#missing[missing]++
      return outcome
    }
    return { ask }
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
    const { checks, sessions } = this.#input.recording
    const results = subscribers
      .map(nameOfCheck)
      .flatMap(name => (checks.has(name) ? [checks.get(name) ?? []] : []))
    return new RecordedSeries(results[0] ?? [], sessions, policy)
  }
}
