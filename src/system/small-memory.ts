/** Keeps the memory of a daemon that has started near to what it uses. */
import { dropProgramPages } from './program-pages.js'
import { keepHeapSmall } from './small-heap.js'
import { keepMallocSmall } from './small-malloc.js'

/** Milliseconds after a start until the code that runs all the time has run. */
const SETTLED = 10_000

/** Called once, after the start: what a start makes lives on, and collecting garbage around it would cost time. */
export function keepMemorySmall(): void {
  keepHeapSmall()
  keepMallocSmall()
  setTimeout(() => void dropProgramPages(), SETTLED).unref()
}
