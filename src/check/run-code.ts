/** Runs a check that is code: one deadline for the whole run, timed phases, and every outcome returned as a value. */

import type { Address } from '../core/address.js'
import type { WantedSource } from '../core/check-source.js'
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

/** The same, with substitutes for a run. */
export interface CheckWork extends CodeWork {
  /** Set if it goes to the virtual address through one real server. It then needs a probe, or code with `takesPath`. */
  readonly path?: PathUse
  /** Number of plain connects between two runs. */
  readonly connects?: number
  /** Answer to give instead of a run. */
  readonly answer?: Answer | null
  /** The source that the configuration gives. Absent: lvsd sees to it that it is no virtual address. */
  readonly source?: WantedSource
}

/** How the packets of a check reach its target through one real server. */
export interface PathUse {
  /** Key of the path (`core/service-path.ts`). */
  readonly key: string
  /** Address of the real server. */
  readonly via: Address
  /** The forwarding and the real server, for people: `gate to [2001:db8::1]:80`. */
  readonly how: string
  /** The firewall mark of its packets. Absent: it has none yet, so the check cannot run. */
  readonly mark?: number
}

/** Runs a check once, for `lvsd probe` and tests. Never rejects. */
export function runCheck(work: CodeWork, timeout: number): Promise<CheckResult> {
  return runOnce(startCheck, work, timeout)
}

/** Starts a check that is code. If it ignores its signal, its answer after the deadline is discarded. */
export const startCheck: StartRun<CodeWork> = (work, timeout, done) =>
  new CodeRun(work, timeout, done, UNWATCHED)

/** Receives events of a run in addition to its answer. */
export interface Watcher {
  /** A phase begins. `before` is the time of the previous phase, or null. */
  phase(name: Phase, before: PhaseTime | null): void
  /** A run that expired or was cancelled has ended. */
  settled(): void
}

const UNWATCHED: Watcher = { phase: () => {}, settled: () => {} }

/** Like `startCheck`, with a watcher. */
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

  /** The time before the first named phase counts for that phase. */
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

/** Maximum number of phases recorded per run, because a check may report phases in a loop. */
const MOST_PHASES = 64
/**
 * Limits in characters. A detail is cut to DETAIL; one over LONGEST_DETAIL is replaced, because cutting it would need
 * too much memory.
 */
const DETAIL = 4096
const LONGEST_DETAIL = 1_000_000
/** The reason of every answer with `ok: null`, and of no other. */
const NO_VERDICT = 'no-verdict'

/** A check may define its own phases with short names. Returns null for anything else. */
function phaseOf(word: unknown): Phase | null {
  return typeof word === 'string' && /^[a-z0-9][a-z0-9 _-]{0,31}$/i.test(word) ? (word as Phase) : null
}

/**
 * Validates and copies what a check returned, because user checks are not trusted. Each property is read once. The copy
 * is plain data, so it can be sent to another thread. Returns null if the value is not a valid answer.
 */
export function answerOf(value: unknown): Answer | null {
  if (typeof value !== 'object' || value === null) return null
  const { ok, reason, detail, advice } = value as Record<string, unknown>
  const known =
    ok === true ? reason === null : ok === false ? isReason(reason) : ok === null && isWord(reason)
  if (!known || typeof detail !== 'string') return null
  const word = ok === null ? NO_VERDICT : reason
  const answer = { ok, reason: word, detail: cut(detail) } as Answer
  if (advice === undefined) return answer
  const copy = adviceOf(advice)
  return copy && { ...answer, advice: copy }
}

/** Returns the beginning of the detail. Cutting also flattens a string that was built by concatenation. */
function cut(detail: string): string {
  const { length } = detail
  return length > LONGEST_DETAIL ? `a detail of ${length} characters` : detail.slice(0, DETAIL)
}

/** True for any word that can be the reason of a failure; the words of the shipped checks are in model.ts. */
function isReason(reason: unknown): boolean {
  return isWord(reason) && reason !== NO_VERDICT
}

function isWord(reason: unknown): boolean {
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
  const advice = ok === false ? adviceOnReason(reason) : ''
  return down('error', `the check ${name} must return { ok, reason, detail }, not ${shown}${advice}`)
}

function adviceOnReason(reason: unknown): string {
  if (reason === NO_VERDICT) return '; a run without a verdict has `ok: null`'
  return isWord(reason) ? '' : '; `reason` is one word of lower-case letters, digits and hyphens'
}

function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
