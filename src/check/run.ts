/** The interface of a run, shared by the probes, the code runner and the schedulers that enforce its deadline. */

import type { CheckResult, Phase, PhaseTime } from '../core/model.js'
import { harmless } from '../util/foreign-text.js'
import type { Answer } from './check.js'

export interface Run {
  /** The current phase; null for runs without phases. */
  readonly phase: Phase | null
  /** Filled only if phases are traced. */
  readonly phases: readonly PhaseTime[]
  /** Milliseconds after the start at which `wake` must be called; Infinity for never. */
  readonly wakeAt: number
  /** Milliseconds since the start that do not count, because the run waited for lvsd itself or was restarted. */
  readonly heldUp?: number
  wake(): void
  /** Called at the deadline. Returns false while data that arrived before it may be unread; the caller then calls it again. */
  catchUp?(): boolean
  /** Called at the deadline, after `catchUp`. Stops everything and returns the answer. */
  expire(timeout: number): Answer
  /** Stops everything; `done` is not called. */
  cancel(): void
}

/**
 * Starts a run. `done` is called at most once, never before this function returns, never after `expire` or `cancel`,
 * and after all resources are closed. The caller enforces the deadline.
 */
export type StartRun<Work> = (work: Work, timeout: number, done: OnDone, traced?: boolean) => Run
export type OnDone = (answer: Answer) => void

/** Milliseconds after which a run past its deadline is asked again whether it has read everything. */
const READING = 20

/** Shared empty array for runs whose phases are not traced. */
export const NO_PHASES: readonly PhaseTime[] = Object.freeze([])

/** Completes the answer with timing. The detail may contain text from a server, so it is sanitized for all later uses. */
export function resultOf(answer: Answer, run: Run, ms: number): CheckResult {
  const { ok, reason, advice } = answer
  const detail = harmless(answer.detail)
  const { phase } = run
  // Phase times include the time that does not count, and no phase is longer than the run.
  const isLonger = (run.phases.at(-1)?.ms ?? 0) > ms
  const phases = isLonger ? run.phases.map(time => ({ ...time, ms: Math.min(time.ms, ms) })) : run.phases
  const result = { ok, reason, detail, phase, ms, phases }
  return advice ? { ...result, advice } : result
}

/** Runs once, with its own timers, for `lvsd probe` and tests. Never rejects. */
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
      resolve(resultOf(answer, run, Math.max(0, elapsed() - heldUp())))
    }
    const heldUp = () => run.heldUp ?? 0
    // Immediates run after the poll phase, so data that has arrived is read before the deadline is evaluated.
    const judge = () =>
      setImmediate(() => {
        const left = timeout + heldUp() - elapsed()
        if (over) return
        // A timer may fire up to 1 ms early.
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
