/**
 * Marks processes by their sort with an OOM score, including all their descendants. A child inherits the score, nothing
 * else sets it to these values, and setsid or a changed environment or command line does not change it. The score also
 * has its usual effect: when memory runs out, the kernel kills a check long before the director, whose unit sets -900.
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
 * Sort of a process. `check`: its orphans are killed after its run. `worker`: runs checks; its orphans are killed when
 * it ends. `hook`: its orphans may stay. `director`: another lvsd.
 */
export type Sort = 'check' | 'worker' | 'hook' | 'director'

const MOST_SCORE = 1000
const CHECK_SCORE = 500
const MARK_ROUNDS = 5
/** Maximum time of a fork, in ticks of 10 ms, between copying the score and adding the child to its parent's children. */
const LONGEST_FORK = 100
const STARTS_KEPT = 300

/** Returns the scores below a director with the score `own`. They are usable if all differ (`areMarks`). */
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
/** Start times of the latest commands, as in `ProcessStat`: those of checks, and all others. */
const starts = { check: [] as number[], other: [] as number[] }

/**
 * Sets the score of a command directly after its start, and that of processes that it has forked since. Normally the
 * program is still being linked at this time. If this thread was preempted, there may even be an orphan, which is
 * younger than the command and has lvsd's own score.
 */
export function mark(pid: number, sort: Sort): void {
  setOomScore(pid, scores[sort])
  const alike = sort === 'check' ? starts.check : starts.other
  const stat = statOf(pid)
  if (sort !== 'worker' && alike.push(stat?.start ?? Number.NaN) > STARTS_KEPT) alike.shift()
  // A process that has ended has no children; they are orphans.
  const hasEnded = !stat || stat.state === 'Z'
  // Each round finds the processes that were forked during the previous one.
  for (let round = 0; round < MARK_ROUNDS; round++) {
    // Descendants first: if a parent ends between the two reads, its child is among the orphans. In the other order it
    // would be in neither list.
    const descendants = hasEnded ? [] : descendantsOf(pid)
    const orphaned = childrenOfThread(process.pid, process.pid).filter(child => child > pid)
    const unmarked = [...descendants, ...orphaned].filter(child => oomScoreOf(child) === own)
    if (unmarked.length === 0) return
    for (const child of unmarked) setOomScore(child, scores[sort])
  }
}

/** Returns the score of this process, from which those of its children are derived. */
export function ownScore(): number {
  return own
}

/** Called in a worker: processes that it starts are marked as under the director, which kills them if the worker ends. */
export function workBelow(director: number): void {
  own = oomScoreOf('self') ?? 0
  scores = scoresBeside(director)
}

/** Returns the sort of a process whose orphans must not stay, else null. */
export function markOf(pid: number): 'check' | 'worker' | null {
  const score = scores.areMarks ? oomScoreOf(pid) : null
  if (score === scores.check) return 'check'
  return score === scores.worker ? 'worker' : null
}

/**
 * Marks orphans that `mark` has missed: a process that was being forked when its parent got its score has inherited the
 * old score, and was not among the children yet. It was forked shortly after the start of a command. A process in
 * lvsd's own session was started otherwise. As the first process of a container (pid 1), lvsd also gets foreign orphans
 * and cannot distinguish them.
 */
export function markLate(pid: number, stat: ProcessStat): void {
  if (!scores.areMarks || process.pid === 1) return
  if (oomScoreOf(pid) !== own || stat.session === statOf('self')?.session) return
  const isAfter = (start: number) => stat.start >= start && stat.start - start <= LONGEST_FORK
  if (!starts.check.some(isAfter)) return
  const sort = starts.other.some(isAfter) ? 'hook' : 'check'
  for (const one of [pid, ...descendantsOf(pid)]) if (oomScoreOf(one) === own) setOomScore(one, scores[sort])
}
