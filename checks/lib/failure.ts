import { type Answer, down } from '../../src/check/check.js'
import type { Reason } from '../../src/core/model.js'

/** Thrown to end a run with a word about the server: the reason, and the message as detail. */
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
