/** Keeps the memory of a daemon that has started near to what it uses. */

import { optimizeIn } from './late-optimizing.js'
import { dropProgramPages } from './program-pages.js'
import { keepHeapSmallIn } from './small-heap.js'
import { keepMallocSmall } from './small-malloc.js'

/** Limits of milliseconds after a start until the first results are in. */
const [SOONEST, LATEST] = [2000, 10_000]
/** Milliseconds after a start until the code that runs all the time has run. */
const SETTLED = 10_000

/**
 * Returns the milliseconds to wait for the first results: as long as the start has taken, since that shows how many servers there are,
 * and how busy this machine is. `now`: milliseconds since the start of the process.
 */
export function firstResultsIn(now = performance.now()): number {
  return Math.min(Math.max(SOONEST, now), LATEST)
}

/**
 * Called once, after the start, when the checks have begun: what a start makes, the first results included, lives on, and collecting
 * garbage around it would cost time. V8 optimizes from then on, too.
 */
export function keepMemorySmall(): void {
  const ms = firstResultsIn()
  keepHeapSmallIn(ms)
  optimizeIn(ms)
  keepMallocSmall()
  setTimeout(() => void dropProgramPages(), SETTLED).unref()
}
