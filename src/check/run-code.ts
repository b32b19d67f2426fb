/** One run of a check that is code: one total deadline, its phases timed, every outcome a value. */

import type { CheckResult, Phase, PhaseTime, Weighing, WeightAdvice } from '../core/model.js'
import { type Answer, type Check, down, type RunContext, type Target } from './check.js'
import { answerFromError, isAbort, timedOut } from './error-to-answer.js'
import { type OnDone, type Run, runOnce, type StartRun } from './run.js'
import { groundedBy } from './zone.js'

export interface CodeWork {
  readonly check: Check
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
}

/** The same, with what may stand in for a run. */
export interface CheckWork extends CodeWork {
  /** Plain connects between two runs. */
  readonly connects?: number
  /** What is said in place of asking. */
  readonly answer?: Answer | null
}

/** Runs a check once, now: for `lvsd probe` and for tests. Never rejects. */
export function runCheck(work: CodeWork, timeout: number): Promise<CheckResult> {
  return runOnce(startCheck, work, timeout)
}

/** Starts a check that is code. One that ignores its signal is heard no more after the deadline. */
export const startCheck: StartRun<CodeWork> = (work, timeout, done) =>
  new CodeRun(work, timeout, done, UNWATCHED)

/** Who wants to know more of a run than its answer. */
export interface Watcher {
  /** A phase begins; the time of the one before it, where there was one. */
  phase(name: Phase, before: PhaseTime | null): void
  /** A run that was given up has come to its end all the same. */
  settled(): void
}

const UNWATCHED: Watcher = { phase: () => {}, settled: () => {} }

/** The same for one that is watched. */
export function startWatched(work: CodeWork, timeout: number, done: OnDone, watcher: Watcher): Run {
  return new CodeRun(work, timeout, done, watcher)
}

class CodeRun implements Run {
  phase: Phase = 'run'
  readonly phases: PhaseTime[] = []
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #abort = new AbortController()
  readonly #startedAt = performance.now()
  readonly #timeout: number
  readonly #done: OnDone
  readonly #watcher: Watcher
  #over = false

  constructor(work: CodeWork, timeout: number, done: OnDone, watcher: Watcher) {
    this.#timeout = timeout
    this.#done = done
    this.#watcher = watcher
    this.#run(work)
  }

  wake(): void {}

  expire(timeout: number): Answer {
    const answer = timedOut(this.phase, timeout)
    this.cancel()
    return answer
  }

  cancel(): void {
    if (this.#over) return
    this.#land()
    this.#abort.abort(new DOMException('the deadline of the check has passed', 'TimeoutError'))
  }

  async #run(work: CodeWork): Promise<void> {
    const answer = await this.#ask(work)
    if (this.#over) {
      this.#watcher.settled()
      return
    }
    this.#land()
    this.#done(answer)
  }

  /** Never rejects. */
  async #ask({ check, target, options }: CodeWork): Promise<Answer> {
    try {
      const grounded = groundedBy(target.address)
      if (grounded) return grounded
      if (!check.run) return down('error', `the check ${check.name} cannot run with these options`)
      const answer: unknown = await check.run(target, options, this.#context())
      return answerOf(answer) ?? invalidAnswer(check.name, answer)
    } catch (error) {
      return isAbort(error) ? timedOut(this.phase, this.#timeout) : answerFromError(error)
    }
  }

  #context(): RunContext {
    return { signal: this.#abort.signal, timeout: this.#timeout, phase: name => this.#enter(name) }
  }

  /** The time before the first phase is named belongs to that phase. */
  #enter(word: unknown): void {
    const name = phaseOf(word)
    if (this.#over || name === null || name === this.phase || this.phases.length >= MOST_PHASES) return
    if (this.phase !== 'run') this.#note()
    this.phase = name
    this.#watcher.phase(name, this.phases.at(-1) ?? null)
  }

  #land(): void {
    this.#note()
    this.#over = true
  }

  #note(): void {
    this.phases.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}

/** Phases of one run that are told: a run may name them in a loop. */
const MOST_PHASES = 64
/** Characters of a detail that are worth keeping anywhere, and those from which on even to cut it would fill the memory. */
const DETAIL = 4096
const LONGEST_DETAIL = 1_000_000

/** A check may name phases of its own, in a few words; what is none is not taken. */
function phaseOf(word: unknown): Phase | null {
  return typeof word === 'string' && /^[a-z0-9][a-z0-9 _-]{0,31}$/i.test(word) ? (word as Phase) : null
}

/**
 * Checks come from users too: what they return is looked at before it moves a table, each part of it once. The copy is
 * plain data, so that it can cross to another thread; null where it is no answer.
 */
export function answerOf(value: unknown): Answer | null {
  if (typeof value !== 'object' || value === null) return null
  const { ok, reason, detail, advice } = value as Record<string, unknown>
  const known = ok === true ? reason === null : (ok === false || ok === null) && isReason(reason)
  if (!known || typeof detail !== 'string') return null
  const word = ok === null ? 'no-verdict' : reason
  const answer = { ok, reason: word, detail: cut(detail) } as Answer
  if (advice === undefined) return answer
  const copy = adviceOf(advice)
  return copy && { ...answer, advice: copy }
}

/** A long text that was put together is made one piece by being cut. */
function cut(detail: string): string {
  const { length } = detail
  return length > LONGEST_DETAIL ? `a detail of ${length} characters` : detail.slice(0, DETAIL)
}

/** Any word will do: those of lvsd's own checks are in `model.ts`. `no-verdict` is none for a server that is down. */
function isReason(reason: unknown): boolean {
  return typeof reason === 'string' && /^[a-z][a-z0-9-]{0,30}$/.test(reason)
}

function adviceOf(value: unknown): WeightAdvice | null {
  if (typeof value !== 'object' || value === null) return null
  const { most, ...said } = value as { most?: unknown }
  const weighing = weighingOf(said)
  if (most === undefined || !weighing) return weighing
  const limit = weighingOf(most)
  return limit && { ...weighing, most: limit }
}

function weighingOf(value: unknown): Weighing | null {
  const [[word, number] = [], ...more] = Object.entries(value ?? {})
  const isKnown = (word === 'percent' || word === 'weight') && Number.isInteger(number) && number >= 0
  return more.length === 0 && isKnown ? ({ [word]: number } as unknown as Weighing) : null
}

function invalidAnswer(name: string, answer: unknown): Answer {
  const shown = asJson(answer)?.slice(0, 100) ?? typeof answer
  const { ok, reason } = (answer ?? {}) as { ok?: unknown; reason?: unknown }
  const advice =
    ok === false && !isReason(reason)
      ? '; `reason` is one word of lower-case letters, digits and hyphens'
      : ''
  return down('error', `the check ${name} must return { ok, reason, detail }, not ${shown}${advice}`)
}

function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
