import { type Answer, down } from '../../src/check/check.js'
import type { Reason } from '../../src/core/model.js'

/** Thrown to end a run with an answer about the server. The message becomes its detail. */
export class CheckFailure extends Error {
  readonly reason: Reason

  constructor(reason: Reason, detail: string) {
    super(detail)
    this.reason = reason
  }

  get answer(): Answer {
    return down(this.reason, this.message)
  }
}
