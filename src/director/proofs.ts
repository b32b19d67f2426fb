/** Results that wait for a proof, one after the other, so that they are passed on in their order. */
import { setImmediate } from 'node:timers/promises'
import type { CheckResult } from '../core/model.js'

/** Results that are proved before other work of lvsd gets a turn: some two milliseconds. */
const IN_A_ROW = 20

export class Proofs {
  /** Number of results that wait, by job. */
  readonly #waiting = new Map<string, number>()
  #queue: Promise<void> = Promise.resolve()
  #inARow = 0

  /** True while a result of this job waits. */
  has(id: string): boolean {
    return this.#waiting.has(id)
  }

  /** Proves a result of this job in its turn, and passes on what `prove` returns. It must not reject. */
  add(
    id: string,
    prove: () => CheckResult | Promise<CheckResult>,
    pass: (result: CheckResult) => void,
  ): void {
    this.#waiting.set(id, (this.#waiting.get(id) ?? 0) + 1)
    this.#queue = this.#queue.then(async () => {
      const proved = await prove()
      this.#leave(id)
      pass(proved)
      if (++this.#inARow % IN_A_ROW === 0) await setImmediate()
    })
  }

  #leave(id: string): void {
    const left = (this.#waiting.get(id) ?? 1) - 1
    if (left > 0) this.#waiting.set(id, left)
    else this.#waiting.delete(id)
  }
}
