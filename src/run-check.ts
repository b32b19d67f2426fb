/** One run of a check that is code: one total deadline, its phases timed, every outcome a value. */
import { type Answer, type Check, down, type RunContext, type Target } from './check.js'
import { type Done, type Flight, fly, type Start } from './flight.js'
import type { CheckResult, Phase, PhaseTime, WeightAdvice } from './model.js'
import { answerFromError, isAbort, timedOut } from './probe/outcome.js'
import { groundedBy } from './probe/zone.js'

export interface CodeWork {
  readonly check: Check
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
}

/** Runs a check once, now: for `lvsd probe` and for tests. Never rejects. */
export function runCheck(work: CodeWork, timeout: number): Promise<CheckResult> {
  return fly(startCheck, work, timeout)
}

/** Starts a check that is code. One that ignores its signal is heard no more after the deadline. */
export const startCheck: Start<CodeWork> = (work, timeout, done) => new Run(work, timeout, done)

class Run implements Flight {
  phase: Phase = 'run'
  readonly phases: PhaseTime[] = []
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #abort = new AbortController()
  readonly #startedAt = performance.now()
  readonly #timeout: number
  readonly #done: Done
  #over = false

  constructor(work: CodeWork, timeout: number, done: Done) {
    this.#timeout = timeout
    this.#done = done
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
    if (this.#over) return
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
      return isAnswer(answer) ? answer : rubbish(check.name, answer)
    } catch (error) {
      return isAbort(error) ? timedOut(this.phase, this.#timeout) : answerFromError(error)
    }
  }

  #context(): RunContext {
    return { signal: this.#abort.signal, timeout: this.#timeout, phase: name => this.#enter(name) }
  }

  /** The time before the first phase is named belongs to that phase. */
  #enter(name: Phase): void {
    if (this.#over || name === this.phase) return
    if (this.phase !== 'run') this.#note()
    this.phase = name
  }

  #land(): void {
    this.#note()
    this.#over = true
  }

  #note(): void {
    this.phases.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}

/** Checks come from users too: what they return is looked at before it moves a table. */
function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null) return false
  const { ok, reason, detail, advice } = value as Record<string, unknown>
  const known = ok === true ? reason === null : (ok === false || ok === null) && typeof reason === 'string'
  return known && typeof detail === 'string' && (advice === undefined || isAdvice(advice))
}

function isAdvice(value: unknown): value is WeightAdvice {
  const [[word, number] = [], ...more] = Object.entries(value ?? {})
  return (
    more.length === 0 && (word === 'percent' || word === 'weight') && Number.isInteger(number) && number >= 0
  )
}

function rubbish(name: string, answer: unknown): Answer {
  const shown = asJson(answer)?.slice(0, 100) ?? typeof answer
  return down('error', `the check ${name} must return { ok, reason, detail }, not ${shown}`)
}

function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
