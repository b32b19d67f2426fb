/** Ends errands that fill the memory. A heap has no limit that could be trusted, and buffers count in no heap. */
import { memoryUsage } from 'node:process'
import { pageFaultsOf } from '../workers/process-facts.js'

export interface Guarded {
  /** The kernel's number of its thread; 0 before it runs. */
  thread(): number
  /** Ends it; `message` says why. Resolves when its memory is free, or after a while. */
  end(message: string): Promise<void>
}

/** MB by which the process may grow while errands are under way, for each of them, and at most. */
const GROWTH = { ofAll: 80, ofEach: 16, most: 160 }
/** Milliseconds between two looks. */
const EVERY = 20

export const GREW = `it needs more than ${GROWTH.ofAll + GROWTH.ofEach} MB of memory`

const appetites = new Map<Guarded, Appetite>()
let timer: NodeJS.Timeout | undefined
let before = 0
let isEnding = false

/** Watches an errand until what is returned is called. */
export function guardMemory(errand: Guarded): () => void {
  if (appetites.size === 0) {
    before = memoryUsage.rss()
    timer = setInterval(look, EVERY)
  }
  appetites.set(errand, { inAll: 0, recent: 0 })
  return () => {
    appetites.delete(errand)
    if (appetites.size === 0) clearInterval(timer)
  }
}

/** Ends whoever asks for most memory when the process has grown by more than all that are under way may need. */
async function look(): Promise<void> {
  for (const [errand, last] of appetites) appetites.set(errand, appetiteOf(errand, last))
  const most = Math.min(GROWTH.most, GROWTH.ofAll + GROWTH.ofEach * appetites.size)
  if (isEnding || memoryUsage.rss() - before < most * 2 ** 20) return
  isEnding = true
  const [greediest] = [...appetites].sort(([, a], [, b]) => b.recent - a.recent)
  await greediest?.[0].end(GREW)
  // The C library may keep what was freed.
  before = memoryUsage.rss()
  isEnding = false
}

/** How often a thread has asked the kernel for memory: in all, and lately, which a pause of a few ticks does not hide. */
interface Appetite {
  readonly inAll: number
  readonly recent: number
}

function appetiteOf(errand: Guarded, last: Appetite): Appetite {
  const inAll = pageFaultsOf(errand.thread())
  return { inAll, recent: last.recent * 0.8 + (inAll - last.inAll) }
}
