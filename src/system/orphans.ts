/**
 * What commands leave behind them. A process group is not enough: what calls setsid(2) or forks twice leaves it. As a
 * subreaper lvsd gets it, and whatever comes from a check is ended once the runs are over that it may come from. What hooks
 * and the local mail server leave behind may stay; of theirs, as of all, the end is taken note of.
 */
import { reap } from './libc.js'
import { childrenOfThread, descendantsOf, statOf, threadsOf } from './process-files.js'
import { markLate, markOf } from './process-marks.js'
import { isInherited, strangers, takesOrphans } from './subreaper.js'

/** While something is left to do, milliseconds. */
const LOOK_EVERY = 100
/** A child that has ended and that nobody has asked for so long was started by nobody here, milliseconds. */
const UNASKED = 1000
const EXIT_ROUNDS = 3
/** Of lvsd's time, milliseconds in each `LOOK_EVERY`, however many there are. */
const LONGEST_SWEEP = 5
/** While there are workers: a daemon that leaves one comes without a signal. Milliseconds. */
const WATCH_EVERY = 1000
/** What a user's file leaves behind while its worker lives on: so many at most, each for so many milliseconds. */
const MOST_STAY = 32
const LONGEST_STAY = 60_000

interface Orphan {
  /**
   * Runs that were under way when it was seen to be of a check, by the process of each; the workers, where it is of one
   * of these; null for one that may stay.
   */
  waitsFor: ReadonlySet<number> | null
  /** By `performance.now()`. */
  mayStayUntil: number
  isKilled: boolean
  endedAt: number | null
}

const orphans = new Map<number, Orphan>()
let isLookingAgain = false
let sweptAt = Number.NEGATIVE_INFINITY
/** Where the next look begins. */
let nextLook = 0
let isWatching = false

/** From the first worker on. */
export function watchOrphans(): void {
  if (isWatching || !takesOrphans()) return
  isWatching = true
  setInterval(sweepSoon, WATCH_EVERY).unref()
}

/** At the end of lvsd: all that descends from checks, wherever it stands. */
export function endOrphans(): void {
  if (!takesOrphans()) return
  for (const pid of strangers()) {
    const stat = statOf(pid)
    if (stat && !isInherited(pid)) markLate(pid, stat)
  }
  for (let round = 0; round < EXIT_ROUNDS; round++) {
    const left = descendantsOf(process.pid).filter(pid => markOf(pid) && statOf(pid)?.state !== 'Z')
    if (left.length === 0) return
    left.forEach(kill)
  }
}

/** Sweeps now, or soon where that was done a moment ago: whatever is started and ended around it, lvsd has other work. */
export function sweepSoon(): void {
  if (isLookingAgain) return
  const wait = sweptAt + LOOK_EVERY - performance.now()
  if (wait <= 0) {
    sweep()
    return
  }
  isLookingAgain = true
  setTimeout(again, wait).unref()
}

/** Looks at the children that nobody here has started. */
function sweep(): void {
  sweptAt = performance.now()
  const found = strangers()
  const are = new Set(found)
  for (const pid of orphans.keys()) if (!are.has(pid)) orphans.delete(pid)
  const isAll = found.length === 0 || look(found, are)
  const isBusy = !isAll || [...orphans.values()].some(({ waitsFor, endedAt }) => waitsFor || endedAt !== null)
  if (isBusy) sweepSoon()
}

function again(): void {
  isLookingAgain = false
  sweep()
}

/** True where there was time for all of them; the next look begins where this one has ended. */
function look(found: readonly number[], are: ReadonlySet<number>): boolean {
  const runs = runsUnderWay(are)
  endCrowd()
  const first = found.indexOf(nextLook)
  const turn = first <= 0 ? found : [...found.slice(first), ...found.slice(0, first)]
  for (const pid of turn) {
    nextLook = pid
    if (performance.now() - sweptAt > LONGEST_SWEEP) return false
    lookAt(pid, runs)
  }
  nextLook = 0
  return true
}

function lookAt(pid: number, runs: Runs): void {
  const stat = statOf(pid)
  if (!stat) return
  const orphan = orphans.get(pid) ?? { waitsFor: null, mayStayUntil: 0, isKilled: false, endedAt: null }
  orphans.set(pid, orphan)
  if (!orphan.waitsFor && !isInherited(pid)) markLate(pid, stat)
  const mark = orphan.waitsFor ? null : markOf(pid)
  const now = performance.now()
  if (mark) {
    orphan.waitsFor = runs[mark]
    orphan.mayStayUntil = mark === 'worker' ? now + LONGEST_STAY : Number.POSITIVE_INFINITY
  }
  if (stat.state === 'Z') bury(pid, orphan)
  else if (
    orphan.waitsFor &&
    !orphan.isKilled &&
    (now >= orphan.mayStayUntil || !isAny(orphan.waitsFor, runs))
  ) {
    orphan.isKilled = true
    // With all that it has started: what starts itself anew all the time must not stay ahead.
    for (const one of [pid, ...descendantsOf(pid)]) kill(one)
  }
}

/** The oldest of those that may stay for a while go where they are many. */
function endCrowd(): void {
  const staying = [...orphans.values()].filter(
    ({ mayStayUntil }) => mayStayUntil > 0 && mayStayUntil < Number.POSITIVE_INFINITY,
  )
  for (const orphan of staying.slice(0, Math.max(0, staying.length - MOST_STAY))) orphan.mayStayUntil = 0
}

type Runs = Readonly<Record<'check' | 'worker', ReadonlySet<number>>>

function isAny(those: ReadonlySet<number>, { check, worker }: Runs): boolean {
  return [...those].some(pid => check.has(pid) || worker.has(pid))
}

/** The commands of checks and the workers that run now: children of this thread, and of those that run checks. */
function runsUnderWay(found: ReadonlySet<number>): Runs {
  const runs = { check: new Set<number>(), worker: new Set<number>() }
  for (const thread of threadsOf(process.pid))
    for (const pid of childrenOfThread(process.pid, thread)) {
      const mark = found.has(pid) ? null : markOf(pid)
      if (mark) runs[mark].add(pid)
    }
  return runs
}

/** Other parts of this process, such as other threads, ask for their own children soon. */
function bury(pid: number, orphan: Orphan): void {
  orphan.endedAt ??= performance.now()
  if (orphan.isKilled || performance.now() - orphan.endedAt >= UNASKED) reap(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended, or is somebody else's.
  }
}
