/**
 * Keeps V8 from optimizing during a start or a reload, and from taking more memory for new objects. The code of a start runs once for each server,
 * and soon no more, while V8 compiles it in threads of its own: a third of the processor time of a start with 1,000 servers. What a
 * start makes lives on, so a larger young generation saves no work: it is a page fault more for each 4 KiB. The flags are those of the
 * process, for all its threads. V8 refuses its own caches for the modules of Node.js while a flag differs, so a thread is to be there before.
 */
import { setFlagsFromString } from 'node:v8'

/** Milliseconds. */
const LONGEST_START = 10_000
/**
 * Bytes of bytecode that a function runs before V8 considers to optimize it (`--interrupt-budget`): the default of V8 11.3, that of
 * Node.js 20, and what it is for the milliseconds after a start.
 */
const BUDGET = { usual: 66 * 1024, low: 10_000, lowFor: 8000 } as const

/**
 * The flags that keep V8 from optimizing, and that let it again. V8 12.4, that of Node.js 22, does not take `--no-opt` back: it would
 * refuse each code cache of before from then on. No function has the name of the filter.
 */
const OPTIMIZING = process.versions.v8.startsWith('12.')
  ? { forbid: '--turbo-filter=~', allow: '--turbo-filter=*' }
  : { forbid: '--no-opt', allow: '--opt' }

/** Milliseconds in which a reload ends as a rule. */
const PAUSE = 2000

let timer: NodeJS.Timeout | undefined
let pause: NodeJS.Timeout | undefined
/** Milliseconds since the start of the process. */
let nextPause = 0

/** Called when a start begins: V8 optimizes again after `LONGEST_START` at the latest. */
export function limitLateOptimizing(): void {
  optimizeIn(LONGEST_START)
}

/**
 * V8 optimizes nothing more for now, no young generation grows, and V8 does not learn from what lives on now which objects to make in the
 * old one (`--allocation-site-pretenuring`, in threads whose young generation cannot grow): what the same code makes later is garbage soon,
 * and would stay there for seconds. Any thread may call this.
 */
export function optimizeLater(): void {
  setFlagsFromString(OPTIMIZING.forbid)
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-allocation-site-pretenuring')
}

/**
 * V8 optimizes again in `ms` milliseconds; young generations grow only while `letHeapGrow` lets them. For a while it decides sooner what
 * to optimize: what runs then runs all the time. A hundred checks a second would take half a minute to tell it, at twice the cost of each.
 */
export function optimizeIn(ms: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => {
    timer = undefined
    optimize()
    // Newer versions have Maglev for this, and other defaults.
    if (process.versions.v8.startsWith('11.3.')) lowerBudget()
  }, ms).unref()
}

/**
 * V8 optimizes nothing, and no young generation grows, until a reload should be over: its code runs once, as that of a start. In half of
 * the time at most, so that what runs all the time is optimized beside reloads that follow each other.
 */
export function pauseOptimizing(): void {
  const now = performance.now()
  if (timer || now < nextPause) return
  nextPause = now + 2 * PAUSE
  optimizeLater()
  pause = setTimeout(endPause, PAUSE).unref()
}

/** Ends such a pause now: V8 has the flags with which caches were made. */
export function endPause(): void {
  if (!pause) return
  clearTimeout(pause)
  pause = undefined
  optimize()
}

function optimize(): void {
  setFlagsFromString(OPTIMIZING.allow)
  setFlagsFromString('--allocation-site-pretenuring')
}

function lowerBudget(): void {
  setFlagsFromString(`--interrupt-budget=${BUDGET.low}`)
  setTimeout(() => setFlagsFromString(`--interrupt-budget=${BUDGET.usual}`), BUDGET.lowFor).unref()
}
