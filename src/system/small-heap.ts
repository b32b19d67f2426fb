/** Sets how V8 trades memory for time. */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'

/** Milliseconds in which a reload ends as a rule. */
const BUSY = 3000
/** The factor by which V8 lets a young generation grow: the default from Node.js 20 to 26. */
const USUAL_GROWTH = 2

/** Milliseconds in which a young generation of 16 MiB is full once, with 5,000 checks a second: V8 looks then whether to mark. */
const LOOKED_WITHIN = 8000
/** Percent of what the old generation may grow by until V8 would mark it by itself. */
const GROWN = 2

/** Percent by which the heap may grow until V8 marks it again; 8 MB are the least. */
const GROWTH = 10

let timer: NodeJS.Timeout | undefined
let endCollecting = () => {}

/**
 * Makes V8 collect garbage sooner, so that a daemon holds little more than it uses. At 1,000
 * real servers it holds 45 MB less, at 5,000 80 MB, after reloads 150 MB; a check in the main thread costs 10 to
 * 20 % more. Without it the heap may grow to four times of what is in use, and stays so. Nor does a young generation grow: little of
 * what checks make outlives a run, and 30 MB of new objects would be no faster than 2.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size')
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Lets the heap grow for `ms` milliseconds, and keeps it small afterwards: what a reload makes lives on, and to collect
 * garbage around it costs as much as to make it. Meanwhile V8 takes the code cache of the thread that reads the configuration, which it
 * refuses with other flags. At 5,000 real servers a reload of one change takes half the time, and the
 * process holds 40 MB more, until the collection that follows.
 */
export function letHeapGrow(ms = BUSY): void {
  setFlagsFromString('--no-optimize-for-size')
  // V8 has set it with the other flag, and does not take it back: threads would have a small young generation.
  setFlagsFromString('--max-semi-space-size=0')
  endCollecting()
  setFlagsFromString('--heap-growing-percent=0')
  setFlagsFromString(`--semi-space-growth-factor=${USUAL_GROWTH}`)
  collectIn(ms, true)
}

/** Calls `keepHeapSmall` in `ms` milliseconds, has the garbage of the start collected, and lets V8 end each marking later on. */
export function keepHeapSmallIn(ms: number): void {
  collectIn(ms, false)
}

/** `isOfOneThread`: only the main thread has garbage. */
function collectIn(ms: number, isOfOneThread: boolean): void {
  clearTimeout(timer)
  timer = setTimeout(() => {
    keepHeapSmall()
    collectOnce(isOfOneThread)
  }, ms).unref()
}

/**
 * Lets V8 collect all garbage, step by step, if the old generation has grown. What runs all the time leaves nothing there, so what a
 * reload has left would stay for hours. Once: where a start takes long, what it makes would be marked again and again.
 */
function collectOnce(isOfOneThread: boolean): void {
  const collected = new PerformanceObserver(list => {
    if (!list.getEntries().some(isOfAll)) return
    endCollecting()
    if (isOfOneThread) letMarkingEnd()
  })
  endCollecting = () => {
    endCollecting = () => {}
    collected.disconnect()
    setFlagsFromString('--incremental-marking-hard-trigger=0')
  }
  collected.observe({ entryTypes: ['gc'] })
  setFlagsFromString(`--incremental-marking-hard-trigger=${GROWN}`)
  timer = setTimeout(() => {
    endCollecting()
    letMarkingEnd()
  }, LOOKED_WITHIN).unref()
}

/**
 * The heap stays near to what is in use, but V8 does not collect all garbage as soon as the limit is reached, however little is marked by
 * then: with `--optimize-for-size` it does, and moves much of what lives on, for 20 to 60 ms of a turn where all servers change.
 */
function letMarkingEnd(): void {
  setFlagsFromString('--no-optimize-for-size')
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
}

function isOfAll(entry: object): boolean {
  return (entry as Collection).detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR
}

/** An entry of the kind `gc`. */
interface Collection {
  readonly detail: { readonly kind: number }
}
