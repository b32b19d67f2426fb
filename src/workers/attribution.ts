/** Who brought a worker down: the run that it named, the only one there was, or nobody that is known. Pure. */
import type { Cause } from './cause.js'
import type { CheckRecord } from './check-record.js'
import { LATE, type Worker } from './worker.js'
import type { WorkerRun } from './worker-run.js'

export interface Attribution {
  /** Null where it is not known. */
  readonly culprit: CheckRecord | null
  /** Its run had answered before. */
  readonly isLate: boolean
  /** Where the culprit is not known: all that may be it. */
  readonly suspects: readonly CheckRecord[]
}

/** An answer not older than this makes its check a suspect at once. Milliseconds. */
const SOON = 100

/** No code of lvsd kills its own process; the kernel does where memory is short, and somebody may. */
export function isFromOutside({ handle }: Worker, cause: Cause): boolean {
  return !handle.isGuarded && cause.kind === 'died' && cause.detail === 'SIGKILL'
}

/** `isWide`: looks further back, for the last worker came down without a culprit. */
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
