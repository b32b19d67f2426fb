/**
 * The answer that passed last, by its bytes: the servers of a site often answer the same, and a judge makes the same of
 * equal bytes, so these are compared in place of being parsed again. Only an answer that came in one piece counts.
 */
import type { Answer } from '../../check/check.js'
import type { Phase } from '../../core/model.js'

/** Bytes of the longest answer that is kept; there may be 10,000 judges. */
const LONGEST = 2048

export class Recall {
  #bytes = Buffer.alloc(0)
  #answer: Answer | null = null
  /** The phase in which that answer was complete. */
  phase: Phase = 'first byte'

  /** Returns the answer to these bytes if it is known. */
  answerTo(bytes: Buffer): Answer | null {
    return this.#answer !== null && bytes.equals(this.#bytes) ? this.#answer : null
  }

  /** `bytes` are copied. */
  keep(bytes: Buffer, answer: Answer, phase: Phase): void {
    if (answer.ok !== true || bytes.length > LONGEST) return
    if (this.#bytes.length !== bytes.length) this.#bytes = Buffer.allocUnsafeSlow(bytes.length)
    bytes.copy(this.#bytes)
    this.#answer = answer
    this.phase = phase
  }
}
