/** What the kernel knows of processes. */
import { readProcFile } from '../system/process-files.js'
import type { Activity } from './liveness.js'

/** What the main thread of a process does; where the kernel does not tell, it counts as one that waits. */
export function activityOf(pid: number): Activity {
  const folder = `/proc/${pid}/task/${pid}`
  const [used = '0'] = (readProcFile(`${folder}/schedstat`) ?? '').split(' ')
  const stat = readProcFile(`${folder}/stat`)
  if (stat === null) return { used: 0, isAsleep: true }
  // `1234 (name) S …`; the name may hold anything.
  return { used: Number(used) / 1e6, isAsleep: stat[stat.lastIndexOf(')') + 2] === 'S' }
}

/** Milliseconds for which the calling thread has waited for a processor, in all; 0 where the kernel does not tell. */
export function threadDelay(): number {
  const [, delay = '0'] = (readProcFile('/proc/thread-self/schedstat') ?? '').split(' ')
  return Number(delay) / 1e6
}

const SINCE_BOOT = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Milliseconds by a clock that is the same in all processes of the machine. */
export function monotonicNow(): number {
  return SINCE_BOOT + performance.now()
}

const PAGE = 4096

/** Megabytes that another process holds for itself alone, without the files that it has mapped. */
export function ownMegabytesOf(pid: number): number {
  const [, pages = '0', ofFiles = '0'] = (readProcFile(`/proc/${pid}/statm`) ?? '').split(' ')
  return ((Number(pages) - Number(ofFiles)) * PAGE) / 1e6
}
