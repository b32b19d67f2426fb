/** One run of a check under way: what the probes and the code runner share with whoever keeps the time. */

import type { CheckResult, Phase, PhaseTime } from '../core/model.js'
import { harmless } from '../util/foreign-text.js'
import type { Answer } from './check.js'

export interface Run {
  /** Where it stands now; null for what has no phases. */
  readonly phase: Phase | null
  /** Filled only where phases are traced. */
  readonly phases: readonly PhaseTime[]
  /** Milliseconds from the start at which `wake` is wanted; Infinity for never. */
  readonly wakeAt: number
  /** Milliseconds since its start that are not to be counted: it waited for lvsd itself, or was begun anew. */
  readonly heldUp?: number
  wake(): void
  /** The deadline came: has read what arrived before it. False while that may be unread; then it is to be called again. */
  catchUp?(): boolean
  /** The deadline came: gives everything up and says what that means. */
  expire(timeout: number): Answer
  /** Gives everything up; nothing is said. */
  cancel(): void
}

/**
 * Begins a run. `done` is called at most once, never before this returns, never after `expire` or `cancel`, and with
 * everything already closed. The deadline is the caller's to judge.
 */
export type StartRun<Work> = (work: Work, timeout: number, done: OnDone, traced?: boolean) => Run
export type OnDone = (answer: Answer) => void

/** Milliseconds until a run past its deadline is asked again whether all has been read. */
const READING = 20

/** No phases were traced: one array for all. */
export const NO_PHASES: readonly PhaseTime[] = Object.freeze([])

/** The answer with what the core adds. What a server said in it is harmless from here on, wherever it is shown. */
export function resultOf(answer: Answer, run: Run, ms: number): CheckResult {
  const { ok, reason, advice } = answer
  const detail = harmless(answer.detail)
  const { phase, phases } = run
  // Time that is not counted lies within the phases too, and a run takes no less than its phases do.
  const result = { ok, reason, detail, phase, ms: Math.max(ms, phases.at(-1)?.ms ?? 0), phases }
  return advice ? { ...result, advice } : result
}

/** Runs once, now, under its own timers: for `lvsd probe` and for tests. Never rejects. */
export function runOnce<Work>(start: StartRun<Work>, work: Work, timeout: number): Promise<CheckResult> {
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  return new Promise(resolve => {
    let over = false
    let alarm: NodeJS.Timeout | undefined
    let deadline: NodeJS.Timeout | undefined
    const finish = (answer: Answer) => {
      over = true
      clearTimeout(alarm)
      clearTimeout(deadline)
      resolve(resultOf(answer, run, elapsed() - heldUp()))
    }
    const heldUp = () => run.heldUp ?? 0
    // What has already arrived is read before the deadline is judged: immediates run after the poll phase.
    const judge = () =>
      setImmediate(() => {
        const left = timeout + heldUp() - elapsed()
        if (over) return
        // A timer may be a millisecond early.
        if (left > 1) deadline = setTimeout(judge, left)
        else if (run.catchUp?.() === false) deadline = setTimeout(judge, READING)
        else finish(run.expire(timeout))
      })
    const setAlarm = () => {
      if (over || run.wakeAt >= timeout) return
      alarm = setTimeout(() => {
        run.wake()
        setAlarm()
      }, run.wakeAt - elapsed())
    }
    deadline = setTimeout(judge, timeout)
    const run = start(work, timeout, finish, true)
    setAlarm()
  })
}
