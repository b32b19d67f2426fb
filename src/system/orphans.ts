/**
 * What commands leave behind them. A process group is not enough: what calls setsid(2) or forks twice leaves it. So lvsd
 * is a subreaper, to which the kernel gives every descendant whose parent has ended, and whatever comes from a check is
 * ended once the runs are over that it may come from. What hooks and the local mail server leave behind may stay; of
 * theirs, as of all, the end is taken note of. A subreaper rather than a cgroup, since it works under every init and
 * needs neither `Delegate=` nor a writable /sys/fs/cgroup in the unit.
 *
 * Descendants of a check are known by their OOM score: it is inherited, nothing else sets it to this value, and neither
 * setsid nor another environment or command line changes it. It is also what it says: when memory runs out, a check is
 * killed long before the director, whose unit asks for -900.
 */
import { readdirSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { becomeSubreaper, closeOnExec, reap } from './libc.js'
import {
  childrenOfThread,
  descendantsOf,
  oomScoreOf,
  type ProcessStat,
  setOomScore,
  statOf,
  threadsOf,
} from './process-files.js'

/**
 * `check`: nothing of it outlives its run. `worker`: a process in which checks run; nothing of it outlives it. `hook`:
 * what it leaves may stay. `director`: another lvsd, as this one.
 */
export type Sort = 'check' | 'worker' | 'hook' | 'director'

const MOST_SCORE = 1000
const CHECK_SCORE = 500
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
const MARK_ROUNDS = 5
/** A fork may take this long from the copy of the score to the place among its parent's children, in ticks of 10 ms. */
const LONGEST_FORK = 100
const STARTS_KEPT = 300

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

/** The scores under a director with the score `own`, which tell whose a process is as long as they are all different. */
export function scoresBeside(own: number): Readonly<Record<Sort, number>> & { readonly areMarks: boolean } {
  const capped = (score: number) => Math.min(score, MOST_SCORE)
  const director = capped(own + 1)
  const hook = capped(Math.max(own + 2, 0))
  const check = capped(Math.max(own + 3, CHECK_SCORE))
  const worker = capped(check + 1)
  const areMarks = worker > check && check > hook && hook > director
  return { worker, check, hook, director, areMarks }
}

let own = oomScoreOf('self') ?? 0
let scores = scoresBeside(own)
const orphans = new Map<number, Orphan>()
/** Children that this process had before it was lvsd. */
const inherited = new Set<number>()
/** When the latest commands were started, as in `ProcessStat`: those of checks, and all others. */
const starts = { check: [] as number[], other: [] as number[] }
let isPrepared = false
let isLookingAgain = false
let sweptAt = Number.NEGATIVE_INFINITY
/** Where the next look begins. */
let nextLook = 0
let isWatching = false
let isStarted: (pid: number) => boolean = () => false

/**
 * Before the first command: nothing but the standard descriptors reaches children, and what gets lost comes here.
 * `started`: whether a process is one that this thread has started and will ask for. The main thread does it for all.
 */
export function prepareForChildren(started: (pid: number) => boolean): void {
  if (isPrepared || !isMainThread) return
  isPrepared = true
  isStarted = started
  try {
    keepDescriptors()
    for (const pid of childrenOfThread(process.pid, process.pid)) inherited.add(pid)
    becomeSubreaper()
    process.on('SIGCHLD', sweepSoon)
  } catch {
    // Not Linux, or without koffi: what leaves its group is left, as it always was there.
  }
}

/** Those that lvsd was started with; Node's own are marked already. */
function keepDescriptors(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    try {
      if (fd > 2) closeOnExec(fd)
    } catch {
      // The one by which the folder was read.
    }
  }
}

/**
 * Right after the start of a command, in the same turn: its score, and that of what it has forked meanwhile. The program
 * is still being linked at this moment, unless this thread has lost the processor in between: then even an orphan may be
 * there, younger and with our own score.
 */
export function mark(pid: number, sort: Sort): void {
  setOomScore(pid, scores[sort])
  if (sort === 'worker') watchAlways()
  const alike = sort === 'check' ? starts.check : starts.other
  const stat = statOf(pid)
  if (sort !== 'worker' && alike.push(stat?.start ?? Number.NaN) > STARTS_KEPT) alike.shift()
  // One that has ended has no children any more: they are orphans.
  const hasEnded = !stat || stat.state === 'Z'
  // Each round finds what was forked in the one before.
  for (let round = 0; round < MARK_ROUNDS; round++) {
    // In this order: one whose parent ends in between is among the orphans, and in the other order it would be in neither.
    const descendants = hasEnded ? [] : descendantsOf(pid)
    const orphaned = childrenOfThread(process.pid, process.pid).filter(child => child > pid)
    const unmarked = [...descendants, ...orphaned].filter(child => oomScoreOf(child) === own)
    if (unmarked.length === 0) return
    for (const child of unmarked) setOomScore(child, scores[sort])
  }
}

function watchAlways(): void {
  if (isWatching || !isPrepared) return
  isWatching = true
  setInterval(sweepSoon, WATCH_EVERY).unref()
}

/** The score of this process, from which those of what it starts follow. */
export function ownScore(): number {
  return own
}

/** In a worker: what it starts is of the director, which takes care of it should the worker end. */
export function workBelow(director: number): void {
  own = oomScoreOf('self') ?? 0
  scores = scoresBeside(director)
}

/** At the end of lvsd: all that descends from checks, wherever it stands. */
export function endMarked(): void {
  if (!isPrepared) return
  for (const pid of strangersNow()) {
    const stat = statOf(pid)
    if (stat) markLate(pid, stat)
  }
  for (let round = 0; round < EXIT_ROUNDS; round++) {
    const left = descendantsOf(process.pid).filter(pid => markOf(pid) && statOf(pid)?.state !== 'Z')
    if (left.length === 0) return
    left.forEach(kill)
  }
}

/** Of which sort it is, where nothing of that sort may stay. */
function markOf(pid: number): 'check' | 'worker' | null {
  const score = scores.areMarks ? oomScoreOf(pid) : null
  if (score === scores.check) return 'check'
  return score === scores.worker ? 'worker' : null
}

/** Sweeps now, or soon where that was done a moment ago: whatever is started and ended around it, lvsd has other work. */
function sweepSoon(): void {
  if (isLookingAgain) return
  const wait = sweptAt + LOOK_EVERY - performance.now()
  if (wait <= 0) {
    sweep()
    return
  }
  isLookingAgain = true
  setTimeout(again, wait).unref()
}

/** Looks at the children that nobody here has started. The kernel gives orphans to the main thread, whose id is the pid. */
function sweep(): void {
  sweptAt = performance.now()
  const strangers = strangersNow()
  const are = new Set(strangers)
  for (const pid of orphans.keys()) if (!are.has(pid)) orphans.delete(pid)
  for (const pid of inherited) if (!are.has(pid)) inherited.delete(pid)
  const isAll = strangers.length === 0 || look(strangers, are)
  const isBusy = !isAll || [...orphans.values()].some(({ waitsFor, endedAt }) => waitsFor || endedAt !== null)
  if (isBusy) sweepSoon()
}

function strangersNow(): readonly number[] {
  return childrenOfThread(process.pid, process.pid).filter(pid => !isStarted(pid))
}

/**
 * Marks orphans that `mark` has missed: a fork that was under way when its parent got its score copied the old one, and
 * was not yet among the children. It was forked within a moment of a command's start; and whoever is in the session of lvsd
 * was started beside it. As the first process of a container, lvsd gets what others have started there too, and cannot tell.
 */
function markLate(pid: number, stat: ProcessStat): void {
  if (!scores.areMarks || process.pid === 1) return
  if (inherited.has(pid) || oomScoreOf(pid) !== own || stat.session === statOf('self')?.session) return
  const isAfter = (start: number) => stat.start >= start && stat.start - start <= LONGEST_FORK
  if (!starts.check.some(isAfter)) return
  const sort = starts.other.some(isAfter) ? 'hook' : 'check'
  for (const one of [pid, ...descendantsOf(pid)]) if (oomScoreOf(one) === own) setOomScore(one, scores[sort])
}

function again(): void {
  isLookingAgain = false
  sweep()
}

/** True where there was time for all of them; the next look begins where this one has ended. */
function look(strangers: readonly number[], are: ReadonlySet<number>): boolean {
  const runs = runsUnderWay(are)
  endCrowd()
  const first = strangers.indexOf(nextLook)
  const turn = first <= 0 ? strangers : [...strangers.slice(first), ...strangers.slice(0, first)]
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
  if (!orphan.waitsFor) markLate(pid, stat)
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
function runsUnderWay(strangers: ReadonlySet<number>): Runs {
  const runs = { check: new Set<number>(), worker: new Set<number>() }
  for (const thread of threadsOf(process.pid))
    for (const pid of childrenOfThread(process.pid, thread)) {
      const mark = strangers.has(pid) ? null : markOf(pid)
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
