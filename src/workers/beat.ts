/** A worker's sign of life: its loop comes round on its timer, and says how late it was and what memory it holds. */
import Module from 'node:module'
import { getHeapStatistics } from 'node:v8'
import type { SharedState } from './shared.js'

/** `more`: called with each beat. */
export function startBeat(shared: SharedState, every: number, more: () => void): void {
  let last = performance.now()
  setInterval(() => {
    const now = performance.now()
    const late = now - last - every
    last = now
    // Less is what any timer is late by.
    if (late > 10) shared.lose(late)
    const { total_heap_size, external_memory } = getHeapStatistics()
    shared.used = Math.round((total_heap_size + external_memory) / 1024)
    shared.beat()
    more()
  }, every)
  shared.beat()
}

interface Loader {
  _load(...args: unknown[]): unknown
}

/**
 * A library is loaded when it is first needed, and the hundred files of a large one in a row: on a slow machine that takes
 * longer than any check may hold its thread. So each of them counts as a sign of life.
 */
export function beatWhileLoading(shared: SharedState): void {
  const loader = Module as unknown as Loader
  const load = loader._load
  loader._load = function (...args) {
    shared.beat()
    return load.apply(this, args)
  }
}
