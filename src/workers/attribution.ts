/** Finds the check that brought a worker down: the one that the fault names, the only candidate, or none. Pure. */
import type { Cause } from './cause.js'
import type { CheckRecord } from './check-record.js'
import { LATE, type Worker } from './worker.js'
import type { WorkerRun } from './worker-run.js'

export interface Attribution {
  /** Null if unknown. */
  readonly culprit: CheckRecord | null
  /** True if the culprit's run had already answered. */
  readonly isLate: boolean
  /** If the culprit is unknown: all checks that may be it. */
  readonly suspects: readonly CheckRecord[]
}

/** Milliseconds. A check that answered within this time before the end of the worker is a suspect, too. */
const SOON = 100

/**
 * True if the worker was killed from outside. lvsd's own checks never kill their process; the kernel does when memory
 * is short, and an operator may.
 */
export function isFromOutside({ handle }: Worker, cause: Cause): boolean {
  return !handle.isGuarded && cause.kind === 'died' && cause.detail === 'SIGKILL'
}

/**
 * Attributes the end of a worker. `begun` are the runs in progress. `isWide` extends the search to runs that ended
 * earlier; it is set if the previous worker ended without a known culprit.
 */
export function attributeTo(
  worker: Worker,
  cause: Cause,
  begun: readonly WorkerRun[],
  { now, isWide }: { readonly now: number; readonly isWide: boolean },
): Attribution {
  if (isFromOutside(worker, cause)) return { culprit: null, isLate: false, suspects: [] }
  const named = 'run' in cause && cause.run !== null ? worker.recordOf(cause.run) : null
  const isUnderWay = (record: CheckRecord) => begun.some(run => run.record === record)
  if (named) return { culprit: named, isLate: !isUnderWay(named), suspects: [] }
  const records = begun.map(({ record }) => record)
  const all = new Set([...records, ...worker.pastRecords(now - LATE)])
  const [only] = all
  if (only && all.size === 1) return { culprit: only, isLate: !isUnderWay(only), suspects: [] }
  const suspects = isWide ? all : new Set([...records, ...worker.pastRecords(now - SOON)])
  return { culprit: null, isLate: false, suspects: [...suspects] }
}
