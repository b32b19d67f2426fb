/** A worker's sign of life: its loop comes round on its timer, and says how late it was and what memory it holds. */
import Module from 'node:module'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Terms } from './messages.js'
import { threadDelay } from './process-facts.js'
import type { OwnState } from './shared.js'

/** Milliseconds between two collections of garbage that are asked for here. */
const COLLECT_EVERY = 500
/** The share of the limit by which the memory may grow after one; then the next comes at once. */
const GROWTH = 0.3

/** `more`: called with each beat. */
export function startBeat(
  shared: OwnState,
  { beat: every, limit }: Pick<Terms, 'beat' | 'limit'>,
  more: () => void,
): void {
  const collect = collector()
  let last = performance.now()
  let delayed = threadDelay()
  let collectedAt = last
  let kept = 0
  setInterval(() => {
    const now = performance.now()
    const late = now - last - every
    last = now
    const delay = threadDelay()
    // A thread that gets its turns late loses time that its timer does not show.
    const lost = Math.max(late, delay - delayed)
    delayed = delay
    // Less is what any timer is late by.
    if (lost > 10) shared.noteLost(lost)
    // V8 leaves garbage where it is while its own limit is far: only what is in use counts.
    const used = usedMegabytes()
    if (used > 0.6 * limit) {
      if (now - collectedAt >= COLLECT_EVERY || used > kept + GROWTH * limit) {
        collect()
        collectedAt = performance.now()
        kept = usedMegabytes()
        shared.noteUsed(Math.round(kept * 1024))
      }
    } else {
      kept = used
      shared.noteUsed(Math.round(used * 1024))
    }
    shared.round()
    more()
  }, every)
  shared.round()
}

function usedMegabytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return (used_heap_size + external_memory) / 1_048_576
}

/** The flag is the whole process's and stays set: who took it back would take it from a thread that begins just now. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

interface Loader {
  _load(...args: unknown[]): unknown
}

/**
 * A library is loaded when it is first needed, and the hundred files of a large one in a row: on a slow machine that takes
 * longer than any check may hold its thread. So each of them counts as a sign of life.
 */
export function beatWhileLoading(shared: OwnState): void {
  const loader = Module as unknown as Loader
  const load = loader._load
  loader._load = function (...args) {
    shared.beat()
    return load.apply(this, args)
  }
}
