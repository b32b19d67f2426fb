/**
 * Which sort a process is of, among those that lvsd has started and all that descends from them. Descendants are known by
 * their OOM score: it is inherited, nothing else sets it to this value, and neither setsid nor another environment or
 * command line changes it. It is also what it says: when memory runs out, a check is killed long before the director,
 * whose unit asks for -900.
 */
import {
  childrenOfThread,
  descendantsOf,
  oomScoreOf,
  type ProcessStat,
  setOomScore,
  statOf,
} from './process-files.js'

/**
 * `check`: nothing of it outlives its run. `worker`: a process in which checks run; nothing of it outlives it. `hook`:
 * what it leaves may stay. `director`: another lvsd, as this one.
 */
export type Sort = 'check' | 'worker' | 'hook' | 'director'

const MOST_SCORE = 1000
const CHECK_SCORE = 500
const MARK_ROUNDS = 5
/** A fork may take this long from the copy of the score to the place among its parent's children, in ticks of 10 ms. */
const LONGEST_FORK = 100
const STARTS_KEPT = 300

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
/** When the latest commands were started, as in `ProcessStat`: those of checks, and all others. */
const starts = { check: [] as number[], other: [] as number[] }

/**
 * Right after the start of a command, in the same turn: its score, and that of what it has forked meanwhile. The program
 * is still being linked at this moment, unless this thread has lost the processor in between: then even an orphan may be
 * there, younger and with our own score.
 */
export function mark(pid: number, sort: Sort): void {
  setOomScore(pid, scores[sort])
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

/** The score of this process, from which those of what it starts follow. */
export function ownScore(): number {
  return own
}

/** In a worker: what it starts is of the director, which takes care of it should the worker end. */
export function workBelow(director: number): void {
  own = oomScoreOf('self') ?? 0
  scores = scoresBeside(director)
}

/** Of which sort it is, where nothing of that sort may stay. */
export function markOf(pid: number): 'check' | 'worker' | null {
  const score = scores.areMarks ? oomScoreOf(pid) : null
  if (score === scores.check) return 'check'
  return score === scores.worker ? 'worker' : null
}

/**
 * Marks orphans that `mark` has missed: a fork that was under way when its parent got its score copied the old one, and
 * was not yet among the children. It was forked within a moment of a command's start; and whoever is in the session of lvsd
 * was started beside it. As the first process of a container, lvsd gets what others have started there too, and cannot tell.
 */
export function markLate(pid: number, stat: ProcessStat): void {
  if (!scores.areMarks || process.pid === 1) return
  if (oomScoreOf(pid) !== own || stat.session === statOf('self')?.session) return
  const isAfter = (start: number) => stat.start >= start && stat.start - start <= LONGEST_FORK
  if (!starts.check.some(isAfter)) return
  const sort = starts.other.some(isAfter) ? 'hook' : 'check'
  for (const one of [pid, ...descendantsOf(pid)]) if (oomScoreOf(one) === own) setOomScore(one, scores[sort])
}
