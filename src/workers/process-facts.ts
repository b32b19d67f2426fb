/** What the kernel knows of this process and its threads. */
import { readFileSync } from 'node:fs'

/** Milliseconds that a thread of this process has waited for a processor so far; 0 where the kernel does not count it. */
export function waitedForProcessor(thread: number): number {
  try {
    const [, waited = '0'] = readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')
    return Number(waited) / 1e6
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
