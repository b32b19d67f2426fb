/**
 * What runs the checks: a clockwork, and on it an engine for what the core itself runs, checks that are data, and one for
 * each sort of checks that run in workers. What hangs in one of them takes no place from the others.
 */
import { readFileSync } from 'node:fs'
import { fly, type Start } from '../check/run.js'
import { type CheckWork, startCheck } from '../check/run-code.js'
import type { CheckResult } from '../core/model.js'
import { DEFERRED } from '../probe/needs-code.js'
import { type PreparedProbe, startProbe } from '../probe/start-probe.js'
import { type Clock, systemClock } from '../util/clock.js'
import type { WorkerLog } from '../workers/crew.js'
import { groupOf, Pool } from '../workers/pool.js'
import { type Begin, combined } from './connects-between.js'
import type { Engine, OnResult, Timing } from './executor.js'
import { placeOf } from './placement.js'
import { Clockwork } from './scheduler.js'
import type { ScheduleStats } from './stats.js'

/** Runs checks of any kind. Nobody but this knows which of them are probes. */
export interface Engines extends Engine<CheckWork> {
  stats(): ScheduleStats
  /** Resolves when nothing of them runs any more, workers included. */
  close(): void | Promise<void>
}

export interface EngineParts {
  readonly clock?: Clock
  readonly descriptors?: number
  /** Where starts and ends of workers are told. */
  readonly log?: WorkerLog
}

/** Descriptors kept back for the control socket, the kernel, the journal and what checks open beside their socket. */
const RESERVE = 64
/** Checks that are code may each be a process or a TLS handshake; more of them at once would only hold each other up. */
const MOST_CODE = 100

const SILENT: WorkerLog = { info: () => {}, warn: () => {}, error: () => {} }

/** Starts with no job. At most `concurrency` runs are under way at once, or fewer where descriptors are scarce. */
export function openEngines(
  onResult: OnResult,
  concurrency: number,
  { clock = systemClock, descriptors = descriptorLimit(), log = SILENT }: EngineParts = {},
): Engines {
  const clockwork = new Clockwork(clock, Math.min(concurrency, descriptors - RESERVE))
  const pool = new Pool(log, clock)
  const start: Start<Begin> = (begin, timeout, done, traced) => begin(timeout, done, traced)
  const engines = {
    core: clockwork.engine(start, onResult),
    here: clockwork.engine(start, onResult, MOST_CODE),
    checks: clockwork.engine(start, onResult, MOST_CODE),
    commands: clockwork.engine(start, onResult, MOST_CODE),
    user: clockwork.engine(start, onResult, MOST_CODE),
  }
  const engineOf = new Map<string, Engine<Begin>>()
  const remove = (id: string) => {
    engineOf.get(id)?.remove(id)
    engineOf.delete(id)
    pool.forget(id)
  }
  const put = (
    id: string,
    engine: Engine<Begin>,
    begin: Begin,
    { target, connects = 0 }: CheckWork,
    timing: Timing,
  ) => {
    remove(id)
    engineOf.set(id, engine)
    engine.set(id, connects > 0 ? combined(begin, target, connects) : begin, timing)
  }
  const setCode = (id: string, work: CheckWork, timing: Timing) => {
    if (work.check.module === undefined) return put(id, engines.here, bind(startCheck, work), work, timing)
    put(id, engines[groupOf(work.check)], bind(pool.start, { ...work, id }), work, timing)
  }
  return {
    set: (id, work, timing) => {
      const place = placeOf(work)
      if (place.kind !== 'core') return setCode(id, work, timing)
      // A server that redirects once goes on to do so: from now on it is asked by the code at once.
      const defer = () => setCode(id, work, { ...timing, firstIn: 0 })
      put(id, engines.core, deferring(place.prepared, defer), work, timing)
    },
    remove,
    soon: (id, ms) => engineOf.get(id)?.soon(id, ms),
    stats: () => clockwork.stats(),
    close: () => {
      clockwork.close()
      return pool.close()
    },
  }
}

/** Runs single checks, once and now, where the director would run them: for `lvsd probe`. */
export interface Executor {
  /** Never rejects. */
  run(work: CheckWork, timeout: number): Promise<CheckResult>
  close(): Promise<void>
}

export function openExecutor(log: WorkerLog = SILENT): Executor {
  const pool = new Pool(log)
  return {
    run: (work, timeout) => {
      const place = placeOf(work)
      if (place.kind === 'core' && !place.defers) return fly(startProbe, place.prepared, timeout)
      return work.check.module === undefined ? fly(startCheck, work, timeout) : pool.once(work, timeout)
    },
    close: () => pool.close(),
  }
}

function bind<Work>(start: Start<Work>, work: Work): Begin {
  return (timeout, done, traced) => start(work, timeout, done, traced)
}

function deferring(prepared: PreparedProbe, defer: () => void): Begin {
  return (timeout, done, traced) =>
    startProbe(prepared, timeout, answer => (answer === DEFERRED ? defer() : done(answer)), traced)
}

/** The soft limit on open files of this process, Infinity where there is none. */
export function descriptorLimit(): number {
  const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
}
