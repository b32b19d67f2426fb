/**
 * Ends processes that commands leave behind. A process group does not suffice: a process that calls setsid(2) or forks
 * twice leaves it. As a subreaper, lvsd becomes the parent of such orphans. Orphans of a check are killed when the runs
 * that they may belong to have ended. Orphans of hooks and of the local mail server may stay. lvsd reaps all orphans
 * that end.
 */
import { reap } from './libc.js'
import { childrenOfThread, descendantsOf, statOf, threadsOf } from './process-files.js'
import { markLate, markOf } from './process-marks.js'
import { isInherited, strangers, takesOrphans } from './subreaper.js'

/** Milliseconds between two sweeps while there is something left to do. */
const LOOK_EVERY = 100
/** Milliseconds after which a zombie that nothing in this process has reaped counts as an orphan. */
const UNASKED = 1000
const EXIT_ROUNDS = 3
/** Maximum milliseconds of a sweep, whatever the number of orphans. */
const LONGEST_SWEEP = 5
/** Milliseconds between two sweeps while there are workers: an orphan that leaves a worker causes no signal. */
const WATCH_EVERY = 1000
/** Orphans of a user's file while its worker lives: their maximum number, and the milliseconds that each may stay. */
const MOST_STAY = 32
const LONGEST_STAY = 60_000

interface Orphan {
  /**
   * The processes of the runs that were in progress when the orphan was recognized as one of a check, or of the workers
   * if it belongs to a worker. It is killed when they have ended. Null for an orphan that may stay.
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
/** The process with which the next sweep continues. */
let nextLook = 0
let isWatching = false

/** Starts periodic sweeps. Called when the first worker starts. */
export function watchOrphans(): void {
  if (isWatching || !takesOrphans()) return
  isWatching = true
  setInterval(sweepSoon, WATCH_EVERY).unref()
}

/** Kills all descendants of checks. Called when lvsd ends. */
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

/**
 * Sweeps now, or after a delay if the last sweep was less than `LOOK_EVERY` ago, so that frequent starts and ends of
 * processes do not keep lvsd busy.
 */
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

/** Examines all orphans. */
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

/** Examines the orphans. Returns false if the time did not suffice; the next sweep continues there. */
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
    // Together with its descendants, so that a process that restarts itself repeatedly is killed, too.
    for (const one of [pid, ...descendantsOf(pid)]) kill(one)
  }
}

/** Ends the stay of the oldest orphans if there are more than `MOST_STAY`. */
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

/** Returns the running commands of checks, and the running workers: children of all threads of this process. */
function runsUnderWay(found: ReadonlySet<number>): Runs {
  const runs = { check: new Set<number>(), worker: new Set<number>() }
  for (const thread of threadsOf(process.pid))
    for (const pid of childrenOfThread(process.pid, thread)) {
      const mark = found.has(pid) ? null : markOf(pid)
      if (mark) runs[mark].add(pid)
    }
  return runs
}

/** Reaps a zombie after a delay, because another part of this process may be about to reap its own child. */
function bury(pid: number, orphan: Orphan): void {
  orphan.endedAt ??= performance.now()
  if (orphan.isKilled || performance.now() - orphan.endedAt >= UNASKED) reap(pid)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // The process has ended, or belongs to another user.
  }
}
