/** A run of a check in a simulation: what it finds is known when it starts. */
import type { Answer } from '../check/check.js'
import { timedOut } from '../check/error-to-answer.js'
import { NO_PHASES, type OnDone, type Run } from '../check/run.js'
import type { Clock } from '../util/clock.js'

/** What a run finds. */
export interface Outcome {
  readonly answer: Answer
  /** Milliseconds until the answer is there; if that is later than the time limit, the run times out. */
  readonly after: number
}

/** Called with the outcome of a run just before its result is reported. */
type OnEnd = (outcome: Outcome) => void

export class SimulatedRun implements Run {
  readonly phase = null
  readonly phases = NO_PHASES
  readonly wakeAt = Number.POSITIVE_INFINITY
  readonly #outcome: Outcome
  readonly #onEnd: OnEnd
  readonly #cancel: () => void

  constructor(outcome: Outcome, clock: Pick<Clock, 'alarm'>, onEnd: OnEnd, done: OnDone) {
    this.#outcome = outcome
    this.#onEnd = onEnd
    this.#cancel = Number.isFinite(outcome.after)
      ? clock.alarm(outcome.after, () => {
          onEnd(outcome)
          done(outcome.answer)
        })
      : () => {}
  }

  wake(): void {}

  expire(timeout: number): Answer {
    this.#cancel()
    this.#onEnd(this.#outcome)
    return timedOut(null, timeout)
  }

  cancel(): void {
    this.#cancel()
  }
}
