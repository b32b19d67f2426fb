/** Keeps the memory of a daemon that has started near to what it uses. */

import { optimizeIn } from './late-optimizing.js'
import { dropProgramPages } from './program-pages.js'
import { letHeapGrow } from './small-heap.js'
import { keepMallocSmall } from './small-malloc.js'

/** Milliseconds after a start until the first results are in. */
export const FIRST_RESULTS = 2000
/** Milliseconds after a start until the code that runs all the time has run. */
const SETTLED = 10_000

/**
 * Called once, after the start, when the checks have begun: what a start makes, the first results included, lives on, and collecting
 * garbage around it would cost time. V8 optimizes from then on, too.
 */
export function keepMemorySmall(): void {
  letHeapGrow(FIRST_RESULTS)
  optimizeIn(FIRST_RESULTS)
  keepMallocSmall()
  setTimeout(() => void dropProgramPages(), SETTLED).unref()
}
