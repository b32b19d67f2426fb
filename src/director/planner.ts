/** What a configuration would do, and what is wrong with it. Nothing is changed. One after another, in a thread. */
import { dirname, join } from 'node:path'
import { changeDocument } from '../api/build-table.js'
import { configurationProblem } from '../api/configuration-problem.js'
import { Busy, type Unusable } from '../api/control.js'
import { overrideStatus } from '../api/override-status.js'
import type { Assumed, PlanDocument } from '../api/table-types.js'
import type { DoctorDocument, Posted, ValidateDocument } from '../api/validate-types.js'
import { DOCTOR_SCHEMA } from '../api/versions.js'
import type { Loaded } from '../config/load.js'
import { loadConfigApart } from '../config/load-apart.js'
import { hasErrors } from '../config/problems/problem.js'
import { countChanges } from '../core/change-counts.js'
import type { HealthState, ResolvedConfig, ResolvedReal, ResolvedService, Table } from '../core/model.js'
import type { Override } from '../core/override.js'
import { withoutMarked } from '../core/service-path.js'
import { examineApart } from '../doctor/examine-apart.js'
import { resolveNow } from '../names/resolve-now.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import type { OverrideSources } from '../overrides/override-sources.js'
import { overridesUnder } from '../overrides/planned-overrides.js'
import type { Journal } from '../storage/journal.js'
import { version } from '../system/version.js'
import { Semaphore } from '../util/semaphore.js'
import { planned } from './planned.js'

export interface PlannerParts {
  readonly journal: Pick<Journal, 'owned' | 'names' | 'marks'>
  readonly sources: Pick<OverrideSources, 'commands' | 'windows' | 'each'>
  /** The active configuration. */
  config(): ResolvedConfig
  stateOf(real: ResolvedReal): HealthState
  /** The table of the kernel; null if it cannot be read. */
  table(): Promise<Table | null>
  /** Since when the kept configuration runs in place of the file; null: the file runs. */
  keptSince(): string | null
  /** Why the network is lost; null: it is not. */
  lost(): string | null
  readonly kernelName: 'netlink' | 'memory'
  /** Milliseconds of the wall clock. */
  readonly now: () => number
}

/** Maximum number of requests that wait for the one that runs. Each may hold a text of 16 MiB. */
const MOST_WAITING = 4

/** What the problems of a text name in place of a file. */
const POSTED = 'posted'

const ASSUMED = { up: 'up', down: 'down', kernel: 'unknown' } as const

export class Planner {
  readonly #parts: PlannerParts
  readonly #turn = new Semaphore(1)
  #waiting = 0

  constructor(parts: PlannerParts) {
    this.#parts = parts
  }

  validate(posted: Posted): Promise<ValidateDocument> {
    return this.#inTurn(async () => {
      const { config, problems } = await this.#load(posted)
      const reals = config?.services.flatMap(service => service.reals) ?? []
      return {
        ok: config !== null && !hasErrors(problems),
        services: config?.services.length ?? 0,
        reals: reals.length,
        checks: reals.reduce((sum, real) => sum + real.checks.length, 0),
        problems: problems.map(configurationProblem),
      }
    })
  }

  plan(posted: Posted | null, assume: Assumed): Promise<PlanDocument | Unusable> {
    return this.#inTurn(async () => {
      const { config, problems } = await this.#load(posted)
      if (config === null || hasErrors(problems)) return { problems }
      const { journal, table } = this.#parts
      const { config: resolved, doubts, troubles } = await resolveNow(config, journal.names)
      const actual = await table()
      if (actual === null) throw new Error("the kernel's table cannot be read")
      const now = this.#parts.now()
      const overrides = this.#overridesIn(resolved, now)
      const stateOf = this.#assumed(assume)
      // The services of checks through paths follow by themselves.
      const owned = withoutMarked(journal.owned, journal.marks)
      const changes = planned(resolved, stateOf, { actual, owned, doubts, overrides, now })
      return {
        schema: 1,
        file: posted === null ? config.file : null,
        assume,
        ...countChanges(changes),
        changes: changes.map(changeDocument),
        overrides: listed(resolved, overrides),
        troubles,
      }
    })
  }

  doctor(): Promise<DoctorDocument> {
    const { config, journal, keptSince, lost, kernelName } = this.#parts
    const { file } = config()
    const [pid, state] = [process.pid, 'running' as const]
    const daemon = {
      ...{ state, pid, version: version(), keptSince: keptSince(), lost: lost() },
      ...(kernelName === 'memory' && { isInMemory: true as const }),
    }
    return this.#inTurn(async () => ({
      schema: DOCTOR_SCHEMA,
      file,
      ...(await examineApart({ file, daemon, names: journal.names })),
    }))
  }

  /** The file of the active configuration, or a text as if it were beside that file. */
  async #load(posted: Posted | null): Promise<Loaded> {
    const { file } = this.#parts.config()
    if (posted === null) return loadConfigApart(file)
    const { text, format } = posted
    // Without an ending, the thread that reads it decides by the text.
    const ending = format === null ? '' : format === 'ldirectord' ? '.cf' : '.yaml'
    const folder = dirname(file)
    const path = join(folder, `posted${ending}`)
    const loaded = await loadConfigApart(path, { text, within: folder })
    const problems = loaded.problems.map(problem =>
      problem.file === path ? { ...problem, file: POSTED } : problem,
    )
    return { ...loaded, problems }
  }

  /** The override of each real server that would count, by commands, maintenance files and windows. */
  #overridesIn({ services }: ResolvedConfig, now: number): ReadonlyMap<ResolvedReal, Override> {
    const { sources } = this.#parts
    const files = this.#byName((service, real, all) =>
      all(service, real).filter(({ source }) => source === 'file'),
    )
    return overridesUnder(services, {
      now,
      orders: sources.commands.orders,
      earlyEnds: sources.windows.endedEarly,
      others: [(service, real) => files.get(keyOf(service, real)) ?? []],
    })
  }

  #assumed(assume: Assumed): (service: ResolvedService, real: ResolvedReal) => HealthState {
    if (assume !== 'now') return () => ASSUMED[assume]
    const states = this.#byName((_, real) => this.#parts.stateOf(real))
    return (service, real) => states.get(keyOf(service, real)) ?? 'unknown'
  }

  /** What is so of the real servers of the active configuration, by their names. */
  #byName<T>(
    of: (service: ResolvedService, real: ResolvedReal, all: ReturnType<OverrideSources['each']>) => T,
  ): ReadonlyMap<string, T> {
    const { config, sources } = this.#parts
    const all = sources.each(config())
    return new Map(
      config().services.flatMap(service =>
        service.reals.map(real => [keyOf(service, real), of(service, real, all)] as const),
      ),
    )
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING) throw new Busy('several configurations are being read already')
    this.#waiting++
    await this.#turn.acquire()
    this.#waiting--
    try {
      return await work()
    } finally {
      this.#turn.release()
    }
  }
}

function keyOf(service: ResolvedService, real: ResolvedReal): string {
  return JSON.stringify([service.name, nameOfReal(real)])
}

function listed(
  { services }: ResolvedConfig,
  overrides: ReadonlyMap<ResolvedReal, Override>,
): PlanDocument['overrides'] {
  return services.flatMap(({ name, reals }) =>
    reals.flatMap(real => {
      const override = overrideStatus(overrides.get(real) ?? null)
      return override ? [{ service: name, real: nameOfReal(real), override }] : []
    }),
  )
}
