/**
 * Where checks that are code run: in workers that can be ended, apart from the thread that judges health, writes the table
 * and answers operators. A worker is a process (`worker-process.ts` says why).
 *
 * Why it is built so. A check depends on what servers send and, where a user wrote it, on what he did not think of. Either can
 * block its process, throw when nobody listens any more, end it, or fill the memory, and nothing inside of a process protects
 * its neighbours from that. So the core gives each group of checks a worker of its own and relies on nothing that the
 * worker says of itself:
 *
 * - The core keeps the deadline. At its end the answer names the phase in which the run stood, which the two share (`shared.ts`).
 * - A worker's loop beats into what they share. The core judges the beats by its own ticks (`liveness.ts`); the memory that a worker
 *   holds it is told with the beats, and by the kernel.
 * - A worker that blocks, exits, throws where nothing catches it, or holds too much is ended at once. Its runs are asked again
 *   elsewhere, from the start of their time: nothing of it is held against a server.
 * - The culprit is found by the worker's own word where it can still say one and users' code runs, which is told run from run there
 *   (`attribution.ts`); one that only hangs says nothing, and where several runs may be the cause it is found by running
 *   the suspects alone (`quarantine.ts`). It is down, with a sentence that names its file, and asked more and more rarely.
 *
 * What it costs: a definition crosses once for each job; a run is one entry in a list of orders and one in a list of reports.
 */
import type { Check, Target } from '../check/check.js'
import { type Run, runOnce, type StartRun } from '../check/run.js'
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
  /** Unlike those of all other jobs. */
  readonly id: string
  readonly check: Pick<Check, 'name' | 'module' | 'origin' | 'startsProcesses'>
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
}

/** Milliseconds between two looks at the workers: where users' code is under way, and else. */
const CLOSE_LOOK = 25
const LOOK = 50
const SWEEP = 1000
/** Workers that the shipped checks share. */
const SHIPPED = 2
/** Milliseconds that workers are given to end when lvsd stops. */
const LAST_PATIENCE = 1000

export type Group = 'checks' | 'commands' | 'user'

/** Which workers run it; each file of a user has one of its own. */
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

  /** Starts a run of a job, as an engine does. No worker is started before that. */
  readonly start: StartRun<WorkerJob> = (work, timeout, done, traced = false): Run => {
    const { record, group } = this.#knownOf(work)
    const run = new WorkerRun(record, this.#clock, { timeout, done, traced })
    group.start(run)
    this.#arm()
    return run
  }

  /** The job is no more. */
  forget(id: string): void {
    const known = this.#known.get(id)
    if (!known) return
    this.#known.delete(id)
    known.group.leave(known.record)
  }

  /** Runs one work once, now, with its phases: for `lvsd probe` and tests. Never rejects. */
  async once(work: Omit<WorkerJob, 'id'>, timeout: number): Promise<CheckResult> {
    const id = `once ${++this.#once}`
    const result = await runOnce(this.start, { ...work, id }, timeout)
    this.forget(id)
    return result
  }

  /** Ends all workers; resolves when they are gone, or soon after that where one cannot be ended. */
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
    // What the main thread has to do before another one starts commands.
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
        // A quarantine opens one when the memory of another is free: nobody may ask for anything in that moment.
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

  /** A look that comes late counts as one in time: what lvsd itself has missed says nothing about a worker. */
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
