/**
 * Keeps V8 from optimizing during a start. The code of a start runs once for each server, and soon no more, while V8 compiles it in
 * threads of its own: a third of the processor time of a start with 1,000 servers. The flags are those of the process, for all
 * its threads. V8 refuses its own caches for the modules of Node.js while a flag differs, so a thread is to be there before.
 */
import { setFlagsFromString } from 'node:v8'

/** Milliseconds. */
const LONGEST_START = 10_000

let timer: NodeJS.Timeout | undefined

/** Called when a start begins: V8 optimizes again after `LONGEST_START` at the latest. */
export function limitLateOptimizing(): void {
  optimizeIn(LONGEST_START)
}

/** V8 optimizes nothing more for now. Any thread may call this. */
export function optimizeLater(): void {
  setFlagsFromString('--no-opt')
}

/** V8 optimizes again in `ms` milliseconds. */
export function optimizeIn(ms: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => setFlagsFromString('--opt'), ms).unref()
}
