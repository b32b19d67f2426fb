/**
 * Runs all checks: a scheduler with one executor for the core (checks that are data) and one for each group of workers.
 * Checks that hang in one executor take no capacity from the others.
 */
import type { MarkedRun } from '../check/check.js'
import { runOnce, type StartRun } from '../check/run.js'
import { type CheckWork, startCheck } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import type { SourceChoice } from '../core/check-source.js'
import type { CheckResult } from '../core/model.js'
import { type PreparedProbe, probeFrom, startFrom, startProbe } from '../probe/start-probe.js'
import { descriptorLimit } from '../system/descriptor-limit.js'
import { isEpollSupported } from '../system/numeric-calls.js'
import { type Clock, systemClock } from '../util/clock.js'
import { groupOf, Pool } from '../workers/pool.js'
import type { WorkerLog } from '../workers/worker-group.js'
import type { CheckSources } from './check-sources.js'
import { type BeginRun, withConnectsBetween } from './connects-between.js'
import { dropEarlyEngine, engineProgram } from './engine/early-engine.js'
import { encodeFirst, type FirstJob, MOST_FIRST } from './engine/first-orders.js'
import { type IsSettled, NativeExecutor, PORTABLE } from './engine/native-executor.js'
import type { EngineProbe, EngineWork } from './engine/protocol.js'
import type { Executor, OnResult, Timing } from './executor.js'
import { beginCode } from './marked-code.js'
import { MarkedProbes } from './marked-probes.js'
import { codeTakesPath, orElse } from './path-probe.js'
import { placementOf } from './placement.js'
import { type OwnExecutor, Scheduler } from './scheduler.js'
import { bindingOf, type SourceBinding } from './source-binding.js'
import type { ScheduleCounts, ScheduleStats } from './stats.js'

/** Runs checks of any kind and hides which of them are probes. */
export interface Executors extends Executor<CheckWork> {
  stats(): ScheduleStats
  /** Number of runs that are due and wait for a place. */
  waiting(): number
  /** Returns where the source of checks is not as the kernel chooses it, or is a virtual address: by target. */
  sources(): ReadonlyMap<string, SourceChoice>
  /** When the first run of the engine began, in milliseconds since the start of the process; null: none has. */
  firstRun(): number | null
  /** Returns what the next start with the same jobs can begin at once; null: nothing. `servicesOf`: names; without one a job is not meant. */
  firstChecks(servicesOf: (job: string) => readonly string[]): FirstChecks | null
  /** Resolves when all runs and all workers have ended. */
  close(): void | Promise<void>
}

/** Checks that a start begins before its director is loaded. */
export interface FirstChecks {
  /** Identifies the program of the engine, which alone understands the bytes. */
  readonly program: string
  /** `FirstOrders`. */
  readonly bytes: Uint8Array
  /** For each of them the names of the services that have it. */
  readonly services: readonly (readonly string[])[]
}

/** What runs probes: Node's sockets, or epoll in a thread of its own. `auto`: epoll where it works, else Node's sockets. */
export type EngineChoice = 'auto' | 'portable' | 'native'

export interface ExecutorParts {
  readonly clock?: Clock
  readonly descriptors?: number
  /** Receives log lines about starts and ends of workers. */
  readonly log?: WorkerLog
  /** Called at a start, with the milliseconds since the run was due. */
  readonly onDelay?: (ms: number) => void
  /** Keeps virtual addresses from being the source; absent: the kernel chooses. Closed with the executors. */
  readonly sources?: CheckSources | null
  /** What runs the probes; absent: `portable`. */
  readonly engine?: EngineChoice
  /** True if further results of a job with this verdict may come later. Absent: each result comes at once. */
  readonly isSettled?: IsSettled
}

interface Bound {
  readonly binding: SourceBinding
  readonly executor: OwnExecutor<BeginRun>
}

/** Descriptors reserved for the control socket, the kernel, the journal, and further files of checks. */
const RESERVE = 64
/** Part of the descriptors that the core's own runs may use while the engine has the rest. */
const CORE_SHARE = 0.25
/** Maximum concurrent runs of code per executor. Each may be a process or a TLS handshake. */
export const MOST_CODE = 100

const SILENT: WorkerLog = { info: () => {}, warn: () => {}, error: () => {} }

/** Opens the executors without jobs. At most `concurrency` runs are in progress, or fewer if descriptors are scarce. */
export function openExecutors(
  onResult: OnResult,
  concurrency: number,
  {
    clock = systemClock,
    descriptors = descriptorLimit(),
    log = SILENT,
    onDelay,
    sources = null,
    engine: choice = 'portable',
    isSettled = () => false,
  }: ExecutorParts = {},
): Executors {
  const free = descriptors - RESERVE
  const isNative = wantsNative(choice, log)
  if (!isNative) void dropEarlyEngine()
  const ofCore = isNative ? Math.max(1, Math.ceil(free * CORE_SHARE)) : free
  const scheduler = new Scheduler(clock, Math.min(concurrency, ofCore), onDelay)
  const pool = new Pool(log, clock)
  const marked = new MarkedProbes()
  const start: StartRun<BeginRun> = (begin, timeout, done, traced) => begin(timeout, done, traced)
  /** The jobs that run here. */
  const bound = new Map<string, Bound>()
  const report: OnResult = (id, result) => onResult(id, bound.get(id)?.binding.judged(result) ?? result)
  sources?.passOn((_, mayBeFrom) => {
    if (!mayBeFrom) return
    for (const [id, { binding, executor }] of bound)
      if (binding.isFromVirtual(mayBeFrom)) executor.beginAnew(id)
  })
  const executors = {
    core: scheduler.executor(start, report),
    here: scheduler.executor(start, report, MOST_CODE),
    checks: scheduler.executor(start, report, MOST_CODE),
    commands: scheduler.executor(start, report, MOST_CODE),
    user: scheduler.executor(start, report, MOST_CODE),
  }
  const executorOf = new Map<string, Omit<Executor<never>, 'set' | 'close'>>()
  const remove = (id: string) => {
    executorOf.get(id)?.remove(id)
    executorOf.delete(id)
    given.delete(id)
    bound.delete(id)
    pool.forget(id)
  }
  const put = (
    id: string,
    executor: OwnExecutor<BeginRun>,
    begin: BeginRun,
    work: CheckWork,
    timing: Timing,
    binding: SourceBinding,
  ) => {
    remove(id)
    executorOf.set(id, executor)
    bound.set(id, { binding, executor })
    const { target, path, connects = 0 } = work
    if (connects === 0) executor.set(id, begin, timing)
    else if (path) executor.set(id, marked.withConnectsBetween(begin, work, binding.begin), timing)
    else executor.set(id, withConnectsBetween(begin, target, connects, binding.begin), timing)
  }
  const setCode = (id: string, work: CheckWork, timing: Timing) => {
    const binding = bindingOf(work, sources)
    if (work.check.module === undefined) {
      const start = beginCode(work, binding.begin, (source, marked, ...terms) =>
        startCheck(workFrom(work, source, marked), ...terms),
      )
      return put(id, executors.here, start, work, timing, binding)
    }
    const start = beginCode(work, binding.begin, (source, marked, ...terms) =>
      pool.start({ ...work, id, source, marked }, ...terms),
    )
    put(id, executors[groupOf(work.check)], start, work, timing, binding)
  }
  const setHere = (id: string, work: CheckWork, timing: Timing, prepared: PreparedProbe) => {
    const binding = bindingOf(work, sources)
    // A server that redirects once will continue to do so, so its job runs as code from now on.
    const defer = () => setCode(id, work, { ...timing, firstIn: 0 })
    // Node's sockets have no mark.
    const begin =
      work.path && prepared.probe.kind !== 'fixed'
        ? marked.begin(prepared.probe, binding.begin, codeTakesPath(work) ? defer : null)
        : fallingBackToCode(startFrom(prepared, binding.begin), defer)
    put(id, executors.core, begin, work, timing, binding)
  }
  /** The jobs of the engine, to run them elsewhere. */
  const given = new Map<string, { readonly work: CheckWork; readonly timing: Timing }>()
  const takeBack = (id: string) => {
    const job = given.get(id)
    given.delete(id)
    executorOf.delete(id)
    return job
  }
  const cap = Math.max(1, Math.min(concurrency, Math.floor(free * (1 - CORE_SHARE))))
  let engine = isNative
    ? openEngine({
        clock,
        cap,
        sources,
        log,
        report: onResult,
        onDelay: ms => scheduler.delayed(ms),
        isSettled,
        workOf: id => engineWorkOf(given.get(id)?.work),
        onDeferred: id => {
          const job = takeBack(id)
          if (job) setCode(id, job.work, { ...job.timing, firstIn: 0 })
        },
        onGivenUp: jobs => {
          engine = null
          for (const { id, timing } of jobs) {
            const job = takeBack(id)
            if (!job) continue
            const place = placementOf(job.work)
            if (place.kind === 'core') setHere(id, job.work, timing, place.prepared)
            else setCode(id, job.work, timing)
          }
        },
      })
    : null
  const setNative = (id: string, work: CheckWork, timing: Timing, probe: EngineProbe, to: NativeExecutor) => {
    remove(id)
    given.set(id, { work, timing })
    executorOf.set(id, to)
    to.set(id, forEngine(work, probe), timing)
  }
  return {
    set: (id, work, timing) => {
      const place = placementOf(work)
      if (place.kind !== 'core') return setCode(id, work, timing)
      const { probe } = place.prepared
      if (engine?.hasRoom && probe.kind !== 'fixed') setNative(id, work, timing, probe, engine)
      else setHere(id, work, timing, place.prepared)
    },
    retime: (id, timing) => {
      const job = given.get(id)
      if (job) given.set(id, { ...job, timing })
      executorOf.get(id)?.retime(id, timing)
    },
    remove,
    soon: (id, ms) => executorOf.get(id)?.soon(id, ms),
    atOnce: (id, isAnew) => executorOf.get(id)?.atOnce(id, isAnew),
    giveUpConnecting: (id, least) => executorOf.get(id)?.giveUpConnecting(id, least),
    next: id => executorOf.get(id)?.next(id) ?? null,
    stats: () => (engine ? together(scheduler.stats(), engine.counts()) : scheduler.stats()),
    waiting: () => scheduler.waiting + (engine?.waiting ?? 0),
    firstRun: () => engine?.firstRun() ?? null,
    firstChecks: servicesOf => {
      const jobs = engine ? firstOf(given, id => servicesOf(id).length > 0) : []
      if (jobs.length === 0) return null
      const orders = { cap, hasSources: sources !== null, virtual: sources?.virtual ?? [], jobs }
      return {
        program: engineProgram(),
        bytes: encodeFirst(orders),
        services: jobs.map(({ id }) => servicesOf(id)),
      }
    },
    sources: () => new Map([...(sources?.choices() ?? []), ...(engine?.sources() ?? [])]),
    close: async () => {
      scheduler.close()
      sources?.close()
      marked.close()
      await Promise.all([engine?.close(), pool.close()])
    },
  }
}

/**
 * Returns jobs from all over the site, so that the next start has some of them whatever has been edited. A check through a service needs a
 * mark, which is found at each start. One on a grid has its time from other directors.
 */
function firstOf(
  given: ReadonlyMap<string, { readonly work: CheckWork; readonly timing: Timing }>,
  isMeant: (id: string) => boolean,
): FirstJob[] {
  const all = [...given].filter(([, { work, timing }]) => !work.path && timing.grid === undefined)
  const count = Math.min(MOST_FIRST, all.length)
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]).flatMap(job => {
    const work = job && isMeant(job[0]) ? engineWorkOf(job[1].work) : null
    if (!job || !work) return []
    const [id, { timing }] = job
    const { interval, timeout } = timing
    return [{ id, work, timing: { interval, timeout, firstIn: 0 } }]
  })
}

/** Returns what the engine needs of a work; null if the engine does not run it. */
function engineWorkOf(work: CheckWork | undefined): EngineWork | null {
  if (!work) return null
  const place = placementOf(work)
  if (place.kind !== 'core' || place.prepared.probe.kind === 'fixed') return null
  return forEngine(work, place.prepared.probe)
}

function forEngine(work: CheckWork, probe: EngineProbe): EngineWork {
  const { target, connects = 0, source, path } = work
  const { address, port } = target
  // The case of nearly all.
  if (!source && !path) return { probe, connects, target: { address, port } }
  const more = { ...(source && { source }), ...(path && { path, codeTakesPath: codeTakesPath(work) }) }
  return { probe, connects, target: { address, port }, ...more }
}

/** False for `auto` on a machine whose constants and layouts the engine does not have, which is logged. */
function wantsNative(choice: EngineChoice, log: WorkerLog, isSupported = isEpollSupported()): boolean {
  if (choice !== 'auto' || isSupported) return choice !== 'portable'
  const error = `there is no thread for checks on ${process.platform} ${process.arch}`
  log.warn('engine.portable', { error }, PORTABLE)
  return false
}

/** Returns null if the engine does not work on this machine. */
function openEngine(parts: ConstructorParameters<typeof NativeExecutor>[0]): NativeExecutor | null {
  try {
    return new NativeExecutor(parts)
  } catch (error) {
    parts.log.error('engine.portable', { error: (error as Error).message }, PORTABLE)
    return null
  }
}

/**
 * The statistics of both schedulers. The delays of both are in those of the first. What stops the process stalls both, and
 * counts once.
 */
function together(core: ScheduleStats, engine: ScheduleCounts): ScheduleStats {
  const since = [core.sinceStall, engine.sinceStall].filter(ms => ms !== null)
  return {
    engine: 'native',
    jobs: core.jobs + engine.jobs,
    running: core.running + engine.running,
    lateness: core.lateness,
    stalls: Math.max(core.stalls, engine.stalls),
    stalledFor: Math.max(core.stalledFor, engine.stalledFor),
    sinceStall: since.length > 0 ? Math.min(...since) : null,
    noVerdicts: core.noVerdicts + engine.noVerdicts,
  }
}

/** Runs single checks in the same place as the director does, for `lvsd probe`. */
export interface OneShot {
  /** Never rejects. */
  run(work: CheckWork, timeout: number): Promise<CheckResult>
  close(): Promise<void>
}

export function openOneShot(log: WorkerLog = SILENT, sources: CheckSources | null = null): OneShot {
  const pool = new Pool(log)
  return {
    run: (work, timeout) => {
      const place = placementOf(work)
      const source = bindingOf(work, sources).begin()
      if (place.kind === 'core' && !place.defers)
        return runOnce(startProbe, probeFrom(place.prepared, source), timeout)
      if (work.check.module === undefined) return runOnce(startCheck, workFrom(work, source), timeout)
      return pool.once({ ...work, source }, timeout)
    },
    close: () => {
      sources?.close()
      return pool.close()
    },
  }
}

function workFrom(work: CheckWork, source: Address | null, marked: MarkedRun | null = null): CheckWork {
  return source || marked ? { ...work, target: { ...work.target, source, marked } } : work
}

function fallingBackToCode(begin: BeginRun, defer: () => void): BeginRun {
  return (timeout, done, traced) => begin(timeout, orElse(done, defer), traced)
}
