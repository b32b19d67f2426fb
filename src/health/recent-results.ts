/**
 * The last results of one check, for people. Bounded in memory: results that are alike in a row are one group. Of the last
 * runs, whose times differ although they are alike, the times are kept too.
 */
import type { CheckResult, Phase, PhaseTime } from '../core/model.js'
import { KEPT_RUNS, type LastTimes, NO_TIMES, readRun, readSince, type Times, writeRun } from './run-times.js'

/** Results in a row with the same verdict, reason and detail. */
export interface ResultGroup {
  /** The last one. In older groups the detail may be cut. */
  readonly result: CheckResult
  readonly count: number
  /** Times of the first and the last one, in milliseconds of the steady clock. */
  readonly from: number
  readonly at: number
  /**
   * The times of those of the last runs that are in this group, the newest first. Without those of the phases where a later
   * run went through others.
   */
  readonly runs: readonly LastTimes[]
}

/** Number of groups that are kept for each check. */
export const KEPT_GROUPS = 5
/** Maximum length of the detail in an older group, in UTF-16 code units. */
const OLD_DETAIL = 100

/** Number of verdicts that are kept for each check. */
export const KEPT_VERDICTS = 100

export class RecentResults {
  /** The verdicts before the last ones that are alike, as letters; the last ones, of which there are `#alike`. */
  #before = ''
  #letter = ''
  #alike = 0
  /** Older groups as compact texts, the oldest first: 5,000 servers may each have four of them. */
  #older: readonly string[] = []
  #last: CheckResult | null = null
  #count = 0
  /** Number of the last ones of these that went through the same phases: an answer that comes in two pieces may have one more. */
  #inPhase = 0
  #from = 0
  #at = 0
  #times: Times = NO_TIMES
  /** Place of the newest run in them. */
  #newest = 0

  add(result: CheckResult, now: number): void {
    this.#addVerdict(result.ok === null ? 'n' : result.ok ? 'p' : 'f')
    if (this.#last === null || !areAlike(this.#last, result)) {
      if (this.#last !== null) this.#older = [...this.#older, this.#packedLast()].slice(1 - KEPT_GROUPS)
      this.#count = 0
      this.#inPhase = 0
      this.#from = now
    } else if (!haveSamePhases(this.#last.phases, result.phases)) this.#inPhase = 0
    this.#last = withHintOf(this.#count > 0 ? this.#last : null, result)
    this.#newest = (this.#newest + 1) % KEPT_RUNS
    this.#times = writeRun(this.#times, this.#newest, now - this.#at, result)
    this.#count++
    this.#inPhase++
    this.#at = now
  }

  /** The last verdicts as letters, the oldest first: `p` passed, `f` failed, `n` no verdict. */
  get strip(): string {
    return lastOf(this.#before + this.#letter.repeat(this.#alike))
  }

  /** The groups, the oldest first. */
  get groups(): readonly ResultGroup[] {
    const groups = this.#older.map(unpacked)
    if (this.#last !== null)
      groups.push({
        ...{ result: this.#last, count: this.#count, inPhase: this.#inPhase },
        ...{ from: this.#from, at: this.#at },
      })
    let [age, at] = [0, this.#at]
    const newestFirst = groups.toReversed().map(({ inPhase, ...group }) => {
      const runs: LastTimes[] = []
      for (let i = 0; i < group.count && age < KEPT_RUNS; i++, age++) {
        const place = (this.#newest + KEPT_RUNS - age) % KEPT_RUNS
        runs.push(readRun(this.#times, place, i < inPhase ? group.result.phases.length : 0, at))
        at -= readSince(this.#times, place)
      }
      return { ...group, runs }
    })
    return newestFirst.reverse()
  }

  /** Most servers have one verdict again and again, which takes no more memory than a count. */
  #addVerdict(letter: string): void {
    if (letter !== this.#letter) {
      this.#before = this.strip
      this.#letter = letter
      this.#alike = 0
    }
    if (this.#alike < KEPT_VERDICTS) this.#alike++
    else this.#before = ''
  }

  #packedLast(): string {
    const { ok, reason, detail, phase, ms, phases, hint } = this.#last as CheckResult
    const times = phases.flatMap(each => [each.phase, hundredths(each.ms)])
    return JSON.stringify([
      this.#count,
      Math.min(this.#inPhase, KEPT_RUNS),
      Math.round(this.#from),
      Math.round(this.#at),
      ok,
      reason,
      shortened(detail),
      phase,
      hundredths(ms),
      hint === undefined ? null : shortened(hint),
      ...times,
    ])
  }
}

function lastOf(verdicts: string): string {
  return verdicts.slice(-KEPT_VERDICTS)
}

function areAlike(a: CheckResult, b: CheckResult): boolean {
  return a.ok === b.ok && a.reason === b.reason && a.detail === b.detail && a.phase === b.phase
}

/** A loop, because this is done for each result. */
function haveSamePhases(a: readonly PhaseTime[], b: readonly PhaseTime[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i]?.phase !== b[i]?.phase) return false
  return true
}

/** A failure that a hint brought forward is told with it while failures alike follow. */
function withHintOf(before: CheckResult | null, result: CheckResult): CheckResult {
  const isKept = before?.hint !== undefined && result.ok === false && result.hint === undefined
  return isKept ? { ...result, hint: before.hint } : result
}

interface Group extends Omit<ResultGroup, 'runs'> {
  /** Number of the last of its runs that have the phases of its last one, as far as their times are kept. */
  readonly inPhase: number
}

function unpacked(text: string): Group {
  const [count, inPhase, from, at, ok, reason, detail, phase, ms, hint, ...times] = JSON.parse(text)
  const phases = times.flatMap((word: Phase | number, i: number) =>
    i % 2 === 0 ? [{ phase: word as Phase, ms: times[i + 1] as number }] : [],
  )
  const result = { ok, reason, detail, phase, ms, phases, ...(hint !== null && { hint }) }
  return { result, count, inPhase, from, at }
}

/** Does not split a surrogate pair. */
function shortened(detail: string): string {
  if (detail.length <= OLD_DETAIL) return detail
  return `${detail.slice(0, OLD_DETAIL - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

function hundredths(ms: number): number {
  return Math.round(ms * 100) / 100
}
