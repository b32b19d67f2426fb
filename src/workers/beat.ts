/** The heartbeat of a worker: a timer of its event loop that records how late it fired and how much memory is in use. */
import Module from 'node:module'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Terms } from './messages.js'
import { threadDelay } from './process-facts.js'
import type { OwnState } from './shared.js'

/** Minimum milliseconds between two garbage collections that this file requests. */
const COLLECT_EVERY = 500
/** Growth of memory, as a fraction of the limit, after which the next collection is not delayed. */
const GROWTH = 0.3

/** Starts the heartbeat. `every` is in milliseconds, `limit` in megabytes. `more` is called at each beat. */
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
    // A thread that waits for a CPU loses time that its own timer does not show.
    const lost = Math.max(late, delay - delayed)
    delayed = delay
    // A timer is normally up to 10 ms late.
    if (lost > 10) shared.noteLost(lost)
    // V8 does not collect garbage while its own limit is far away, so memory is measured after a collection.
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

/**
 * Returns the `gc` function. The flag applies to the whole process and stays set: clearing it could affect a thread
 * that starts at the same time.
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

interface Loader {
  _load(...args: unknown[]): unknown
}

/**
 * Counts each loaded module as a beat. Loading a large library with a hundred files can block a slow machine longer
 * than a check may block its thread.
 */
export function beatWhileLoading(shared: OwnState): void {
  const loader = Module as unknown as Loader
  const load = loader._load
  loader._load = function (...args) {
    shared.beat()
    return load.apply(this, args)
  }
}
