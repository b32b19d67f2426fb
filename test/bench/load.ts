/** Whether this machine had other work to do while something was measured. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { now } from './farm.js'
import { cpuMs } from './processes.js'

/** Milliseconds of a tick of /proc/stat (USER_HZ). */
const TICK_MS = 10
/** Load average before a run, for each processor, and share of all that others take meanwhile, from which figures are worse. */
const BUSY = { load: 0.5, share: 0.05 }

export interface Load {
  /** Load average of a minute, before and after. The measurement itself makes the latter. */
  readonly before: number
  readonly after: number
  /** Share of all processors that other processes took, 0 to 1. */
  readonly others: number
  readonly isBusy: boolean
}

/**
 * Begins to watch. The result tells of the time until it is called. `isFirst`: false if something was measured just before; then the
 * load average is that of this, and what others take counts alone.
 */
export function watchLoad(isFirst: boolean): () => Load {
  const begun = { load: loadNow(), at: now(), busy: busyMs(), own: cpuMs(process.pid) }
  return () => {
    const taken = busyMs() - begun.busy - (cpuMs(process.pid) - begun.own)
    const others = Math.max(0, taken / ((now() - begun.at) * cpus().length))
    return {
      ...{ before: begun.load, after: loadNow(), others },
      isBusy: (isFirst && begun.load > BUSY.load * cpus().length) || others > BUSY.share,
    }
  }
}

export function sentenceOf({ before, after, others, isBusy }: Load): string {
  const figures = `load ${before.toFixed(1)} before, ${after.toFixed(1)} after; others took ${(100 * others).toFixed(0)} % of the processors`
  return `${figures}${isBusy ? ': THIS MACHINE WAS BUSY, times are too long, ratios of one run hold better' : ''}`
}

function loadNow(): number {
  return loadavg()[0] ?? 0
}

/** Milliseconds that all processors have worked: user, nice, system, irq, softirq and steal of the first line (proc(5)). */
function busyMs(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const [user = 0, nice = 0, system = 0, , , ...interrupts] = line.trim().split(/\s+/).slice(1, 9).map(Number)
  return [user, nice, system, ...interrupts].reduce((sum, ticks) => sum + ticks, 0) * TICK_MS
}
