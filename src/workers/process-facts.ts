/** Process data from the kernel. */
import { readProcFile } from '../system/process-files.js'
import type { Activity } from './liveness.js'

/** Returns the activity of a process's main thread. If the kernel does not provide it, the thread counts as sleeping. */
export function activityOf(pid: number): Activity {
  const folder = `/proc/${pid}/task/${pid}`
  const [used = '0'] = (readProcFile(`${folder}/schedstat`) ?? '').split(' ')
  const stat = readProcFile(`${folder}/stat`)
  if (stat === null) return { used: 0, isAsleep: true }
  // Format `1234 (name) S …`; the name may contain any character.
  return { used: Number(used) / 1e6, isAsleep: stat[stat.lastIndexOf(')') + 2] === 'S' }
}

/** Returns the total milliseconds that the calling thread has waited for a CPU; 0 if the kernel does not provide it. */
export function threadDelay(): number {
  const [, delay = '0'] = (readProcFile('/proc/thread-self/schedstat') ?? '').split(' ')
  return Number(delay) / 1e6
}

const SINCE_BOOT = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Returns milliseconds of a clock that is the same in all processes of the machine. */
export function monotonicNow(): number {
  return SINCE_BOOT + performance.now()
}

const PAGE = 4096

/** Returns the megabytes of memory that a process uses, without mapped files. */
export function ownMegabytesOf(pid: number): number {
  const [, pages = '0', ofFiles = '0'] = (readProcFile(`/proc/${pid}/statm`) ?? '').split(' ')
  return ((Number(pages) - Number(ofFiles)) * PAGE) / 1e6
}
