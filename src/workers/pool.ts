/**
 * Runs checks that are code in workers, separate from the thread that judges health, writes the table and answers
 * operators. A worker is a process, see worker-process.ts for the reason.
 *
 * Reason for this design: a check depends on data from servers and, if a user wrote it, on untested code. It can block
 * its process, throw asynchronously, exit, or exhaust the memory, and nothing within a process protects its neighbours.
 * The core therefore gives each group of checks its own workers and does not rely on what a worker reports:
 *
 * - The core enforces the deadline. The answer at the deadline names the phase of the run, which is in shared memory
 *   (shared.ts).
 * - The event loop of a worker writes a heartbeat to shared memory. The core compares it with its own ticks (liveness.ts).
 *   The memory in use is reported by the worker and by the kernel.
 * - A worker that blocks, exits, has an uncaught exception or uses too much memory is ended at once. Its runs are
 *   repeated in another worker with their full time, so this does not count against a server.
 * - The culprit is reported by the worker itself, if it still can and runs user code, where runs are tracked separately
 *   (attribution.ts). A check that hangs reports nothing; if several runs are candidates, they are repeated one at a time
 *   (quarantine.ts). The culprit's result is down, with a detail that names its file, and it runs at growing intervals.
 *
 * Cost: a definition is sent once per job; a run is one entry in a list of orders and one in a list of reports.
 */
import type { Check, MarkedRun, Target } from '../check/check.js'
import { type Run, runOnce, type StartRun } from '../check/run.js'
import type { Address } from '../core/address.js'
import type { CheckResult } from '../core/model.js'
import { prepareToRun } from '../system/processes.js'
import { type Clock, systemClock } from '../util/clock.js'
import { waitAtMost } from '../util/with-timeout.js'
import { CheckRecord, fileOf } from './check-record.js'
import { MemoryGate } from './memory-gate.js'
import type { Worker } from './worker.js'
import { WorkerGroup, type WorkerLog } from './worker-group.js'
import { WorkerRun } from './worker-run.js'

export interface WorkerJob {
  /** Unique among all jobs. */
  readonly id: string
  readonly check: Pick<Check, 'name' | 'module' | 'origin' | 'startsProcesses'>
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
  /** The source address of this run; null or absent: the kernel chooses. */
  readonly source?: Address | null
  /** Set if this run takes the path of a service. */
  readonly marked?: MarkedRun | null
}

/** Milliseconds between two ticks while user code is running, and otherwise. */
const CLOSE_LOOK = 25
const LOOK = 50
const SWEEP = 1000
/** Number of workers that the shipped checks share. */
const SHIPPED = 2
/** Milliseconds that workers have to end when lvsd stops. */
const LAST_PATIENCE = 1000

export type Group = 'checks' | 'commands' | 'user'

/** Returns the group of workers that runs a check. Each file of a user has its own group. */
export function groupOf({ origin, startsProcesses }: WorkerJob['check']): Group {
  if (origin === 'user') return 'user'
  return startsProcesses ? 'commands' : 'checks'
}

interface Known {
  readonly work: WorkerJob
  readonly record: CheckRecord
  readonly group: WorkerGroup
}

export class Pool {
  readonly #clock: Clock
  readonly #log: WorkerLog
  readonly #groups = new Map<string, WorkerGroup>()
  readonly #known = new Map<string, Known>()
  readonly #gone = new Set<Promise<unknown>>()
  readonly #gate = new MemoryGate()
  #disarm: (() => void) | null = null
  #lookedAt = 0
  #sweptAt = 0
  #isClosed = false
  #once = 0

  constructor(log: WorkerLog, clock: Clock = systemClock) {
    this.#log = log
    this.#clock = clock
  }

  /** Starts a run of a job, and a worker if needed. */
  readonly start: StartRun<WorkerJob> = (work, timeout, done, traced = false): Run => {
    const { record, group } = this.#knownOf(work)
    const run = new WorkerRun(record, this.#clock, {
      timeout,
      done,
      traced,
      source: work.source?.text ?? null,
      marked: work.marked ?? null,
    })
    group.start(run)
    this.#arm()
    return run
  }

  /** Removes a job. */
  forget(id: string): void {
    const known = this.#known.get(id)
    if (!known) return
    this.#known.delete(id)
    known.group.leave(known.record)
  }

  /** Runs a check once and records its phases, for `lvsd probe` and tests. Never rejects. */
  async once(work: Omit<WorkerJob, 'id'>, timeout: number): Promise<CheckResult> {
    const id = `once ${++this.#once}`
    const result = await runOnce(this.start, { ...work, id }, timeout)
    this.forget(id)
    return result
  }

  /** Ends all workers. Resolves when they have ended, or after `LAST_PATIENCE` if one does not end. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#disarm?.()
    for (const group of this.#groups.values()) group.close()
    await waitAtMost(LAST_PATIENCE, Promise.all(this.#gone))
  }

  #knownOf(work: WorkerJob): Known {
    const known = this.#known.get(work.id)
    if (known && known.work.check === work.check && known.work.target === work.target) return known
    this.forget(work.id)
    const { target, options, check, id } = work
    const group = this.#groupFor(check)
    const record = new CheckRecord(id, { module: check.module ?? '', target, options })
    group.enter()
    const added = { work, record, group }
    this.#known.set(id, added)
    return added
  }

  #groupFor(check: WorkerJob['check']): WorkerGroup {
    const isUsers = groupOf(check) === 'user'
    const { module = '' } = check
    const name = isUsers ? fileOf(module) : groupOf(check)
    const group = this.#groups.get(name) ?? this.#openGroup(name, isUsers ? module : null)
    this.#groups.set(name, group)
    return group
  }

  #openGroup(name: string, module: string | null): WorkerGroup {
    // The main thread must do this before another thread starts commands.
    prepareToRun()
    return new WorkerGroup({
      name,
      module,
      size: name === 'checks' ? SHIPPED : 1,
      startsProcesses: name === 'commands',
      clock: this.#clock,
      log: this.#log,
      gate: this.#gate,
      opened: ({ handle: { gone } }) => {
        this.#gone.add(gone)
        void gone.then(() => this.#gone.delete(gone))
        // The quarantine opens a worker when memory becomes available. There may be no request at that time that starts
        // the ticks.
        this.#arm()
      },
    })
  }

  // -------------------------------------------------------------- looks

  #arm(): void {
    if (this.#disarm || this.#isClosed) return
    const wait = [...this.#groups.values()].some(group => group.isRisky) ? CLOSE_LOOK : LOOK
    this.#disarm = this.#clock.alarm(wait, () => this.#look(wait))
  }

  /** A late tick counts with its nominal length, because a delay of lvsd itself says nothing about a worker. */
  #look(ms: number): void {
    this.#disarm = null
    const workers = this.#workers
    this.#lookedAt += ms
    for (const worker of workers) worker.handle.tick(ms)
    if (this.#lookedAt - this.#sweptAt >= SWEEP) {
      this.#sweptAt = this.#lookedAt
      for (const group of this.#groups.values()) group.sweep()
    }
    if (this.#workers.length > 0) this.#arm()
  }

  get #workers(): Worker[] {
    return [...this.#groups.values()].flatMap(group => group.workers)
  }
}
