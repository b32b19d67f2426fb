/**
 * Workers that fill the memory in one go: their loop does not come round, so that they do not tell how much they hold. What
 * the process has grown by since such a worker fell silent is held against it.
 */
import { residentMegabytes } from './process-facts.js'
import type { Station } from './station.js'

/** Milliseconds of silence from which on a look at the memory is worth it. */
const SILENT = 40
/** Megabytes of growth that are too much for a thread that is silent. */
const GROWTH = 48

export class MemoryWatch {
  /** What the process held when every loop last came round. */
  #before: number | null = null

  look(stations: readonly Station[]): void {
    const silent = stations.filter(({ handle }) => handle.isReady && handle.silence >= SILENT)
    const now = residentMegabytes()
    if (silent.length === 0) this.#before = now
    this.#before ??= now
    if (now - this.#before < GROWTH) return
    this.#before = null
    const [longest] = silent.sort((a, b) => b.handle.silence - a.handle.silence)
    longest?.handle.end({ kind: 'memory', limit: longest.handle.limit })
  }
}
