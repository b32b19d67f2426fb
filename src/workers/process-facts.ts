/** What the kernel knows of this process and its threads. */
import { readFileSync } from 'node:fs'
import type { Activity } from './pulse.js'

/** What a thread of this process does; where the kernel does not tell, it counts as one that waits. */
export function activityOf(thread: number): Activity {
  try {
    const folder = `/proc/self/task/${thread}`
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

const PAGE = 4096

/** Megabytes that this process holds in memory. */
export function residentMegabytes(): number {
  try {
    const [, pages = '0'] = readFileSync('/proc/self/statm', 'latin1').split(' ')
    return (Number(pages) * PAGE) / 1e6
  } catch {
    return 0
  }
}

/** How often a thread of this process has asked for memory. proc_pid_stat(5): the tenth field is `minflt`; the second, a name in brackets, may hold blanks. */
export function pageFaultsOf(thread: number): number {
  try {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[7])
  } catch {
    return 0
  }
}
