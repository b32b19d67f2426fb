/** What the kernel knows of processes. */
import { readFileSync } from 'node:fs'
import type { Activity } from './pulse.js'

/** What the main thread of a process does; where the kernel does not tell, it counts as one that waits. */
export function activityOf(pid: number): Activity {
  try {
    const folder = `/proc/${pid}/task/${pid}`
    const [used = '0'] = readFileSync(`${folder}/schedstat`, 'latin1').split(' ')
    const stat = readFileSync(`${folder}/stat`, 'latin1')
    // `1234 (name) S …`; the name may hold anything.
    return { used: Number(used) / 1e6, isAsleep: stat[stat.lastIndexOf(')') + 2] === 'S' }
  } catch {
    return { used: 0, isAsleep: true }
  }
}

/** Milliseconds for which the calling thread has waited for a processor, in all; 0 where the kernel does not tell. */
export function threadDelay(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

const SINCE_BOOT = Number(process.hrtime.bigint()) / 1e6 - performance.now()

/** Milliseconds by a clock that is the same in all processes of the machine. */
export function monotonicNow(): number {
  return SINCE_BOOT + performance.now()
}

const PAGE = 4096

/** Megabytes that another process holds for itself alone, without the files that it has mapped. */
export function ownMegabytesOf(pid: number): number {
  try {
    const [, pages = '0', ofFiles = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
    return ((Number(pages) - Number(ofFiles)) * PAGE) / 1e6
  } catch {
    return 0
  }
}
