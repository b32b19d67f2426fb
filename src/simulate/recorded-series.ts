/**
 * The runs of one check as a recording has them. A recording has the changes alone; the runs between two changes found the same, and
 * follow from the recorded policy: one per interval, or after `fastinter` while `rise` or `fall` is not reached.
 */
import { down, noVerdict, up } from '../check/answer.js'
import { isChanging, nextHealth, unknownHealth } from '../core/health.js'
import type { CheckPolicy, Health } from '../core/model.js'
import type { RecordedResult, Session } from './recording.js'
import type { Outcome } from './simulated-run.js'

/** Equal runs at equal distances. Times are milliseconds. */
interface Piece {
  /** Start of the first run. */
  readonly start: number
  readonly spacing: number
  readonly count: number
  /** Number of the first run in the series. */
  readonly first: number
  readonly result: RecordedResult
  readonly policy: CheckPolicy
}

/** Why there is no result for a run. `gap`: nothing was recorded. */
export type Missing = 'shorter interval' | 'longer timeout' | 'gap'

export type Found =
  | { readonly outcome: Outcome; readonly missing: null }
  | { readonly missing: Missing; readonly outcome: Outcome }

/** Share of a distance by which a run may be earlier or later than the recorded one whose result it takes. */
export const TOLERANCE = 1 / 4
/** Intervals that differ by less than this share count as the same. */
const ALIKE = 0.1

export class RecordedSeries {
  readonly #pieces: readonly Piece[]
  readonly #sessions: readonly Session[]
  #at = 0
  #taken = -1

  /** `policy` is used until the recording has one. */
  constructor(results: readonly RecordedResult[], sessions: readonly Session[], policy: CheckPolicy) {
    this.#pieces = piecesOf(results, sessions, policy)
    this.#sessions = sessions
  }

  /** Number of runs. */
  get runs(): number {
    const last = this.#pieces.at(-1)
    return last ? last.first + last.count : 0
  }

  /** Start of a run in the grid that the check kept, or null without results. */
  get anchor(): number | null {
    return (
      (this.#pieces.find(({ spacing, policy }) => spacing === policy.interval) ?? this.#pieces[0])?.start ??
      null
    )
  }

  /**
   * Returns what a run finds that starts at `now` with the policy of another configuration: what the next recorded run found
   * whose time it is. Each recorded run is taken once. Times must not go back.
   */
  take(now: number, { interval, timeout }: Pick<CheckPolicy, 'interval' | 'timeout'>): Found {
    const slack = interval * TOLERANCE
    if (!this.#sessions.some(({ from, to }) => now >= from - slack && now <= to + slack))
      return missing('gap')
    while ((this.#pieces[this.#at + 1]?.start ?? Number.POSITIVE_INFINITY) <= now) this.#at++
    const spacing = this.#pieces[this.#at]?.spacing ?? interval
    const tolerance = Math.min(spacing, interval) * TOLERANCE
    // Both run at their own times: of the runs that may be meant, the one that follows the last in the ratio of the intervals. With
    // the same interval none is left out, also where the recorded runs were late.
    const lag = Math.abs(interval - spacing) <= spacing * ALIKE ? spacing : tolerance
    const expected = this.#taken + Math.max(1, Math.round(interval / spacing))
    const run = Math.min(this.#runAt(now + tolerance), Math.max(this.#runAt(now - lag), expected))
    if (run <= this.#taken) return missing(this.#isOver(now) ? 'gap' : 'shorter interval')
    this.#taken = run
    return outcomeOf(this.#pieceOf(run), timeout)
  }

  /** Number of the last run that has started at this time, which is close to `#at`; -1 if there is none. */
  #runAt(time: number): number {
    for (let at = Math.min(this.#at + 2, this.#pieces.length - 1); at >= 0; at--) {
      const piece = this.#pieces[at] as Piece
      if (piece.start > time) continue
      return piece.first + Math.min(piece.count - 1, Math.floor((time - piece.start) / piece.spacing))
    }
    return -1
  }

  /** True if the check has no run at this time, although others were recorded. */
  #isOver(now: number): boolean {
    const piece = this.#pieces[this.#at]
    return !piece || now < piece.start || now > piece.start + (piece.count + 1) * piece.spacing
  }

  #pieceOf(run: number): Piece {
    let at = Math.min(this.#at + 2, this.#pieces.length - 1)
    while ((this.#pieces[at] as Piece).first > run) at--
    return this.#pieces[at] as Piece
  }
}

function missing(why: Missing): Found {
  return { missing: why, outcome: { answer: noVerdict(`not in the recording: ${why}`), after: 1 } }
}

function outcomeOf({ result, policy }: Piece, timeout: number): Found {
  const { ok, reason, detail, advice, ms } = result
  if (reason === 'timeout') {
    if (timeout > policy.timeout) return missing('longer timeout')
    return { missing: null, outcome: { answer: down('timeout', detail), after: Number.POSITIVE_INFINITY } }
  }
  const answer = ok === null ? noVerdict(detail) : ok ? up(detail, advice) : down(reason ?? 'error', detail)
  return { missing: null, outcome: { answer, after: ms } }
}

/** Returns the runs. Between two changes they are repeated up to half a distance before the next change. */
function piecesOf(
  results: readonly RecordedResult[],
  sessions: readonly Session[],
  otherwise: CheckPolicy,
): readonly Piece[] {
  const pieces: Piece[] = []
  let policy = otherwise
  let health: Health = unknownHealth(0)
  let first = 0
  for (const [i, result] of results.entries()) {
    policy = result.policy ?? policy
    const next = startOf(results[i + 1])
    const to = sessions.find(session => session.to >= result.t)?.to ?? result.t
    for (let start = startOf(result); ; ) {
      health = nextHealth(health, resultOf(result), policy, start)
      const isFast = isChanging(health) && result.ok !== null
      const spacing = isFast ? Math.min(policy.interval, result.ms + policy.fastinter) : policy.interval
      const runs =
        next <= to
          ? Math.ceil((next - start) / spacing - 1 / 2)
          : Math.floor((to - start) / spacing + TOLERANCE) + 1
      const left = Math.max(1, runs)
      const count = isFast ? 1 : left
      pieces.push({ start, spacing, count, first, result, policy })
      first += count
      if (!isFast || left === 1) break
      start += spacing
    }
  }
  return pieces
}

/** Start of the run of a result, in milliseconds. */
function startOf(result: RecordedResult | undefined): number {
  return result ? result.t - result.ms : Number.POSITIVE_INFINITY
}

function resultOf({ ok, reason, detail, ms }: RecordedResult) {
  return { ok, reason, detail, ms, phase: null, phases: [] }
}
