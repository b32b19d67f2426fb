/**
 * Results that come before the kernel's table has been read for the first time. They are judged after it: a first failure takes out a
 * server that has no traffic, and panic and slow start ask who had some (`core/desired.ts`).
 */
import type { CheckResult } from '../core/model.js'
import type { OnResult } from '../schedule/executor.js'

export class HeldResults {
  readonly #onResult: OnResult
  #held: (readonly [id: string, result: CheckResult])[] | null = []

  constructor(onResult: OnResult) {
    this.#onResult = onResult
  }

  take(id: string, result: CheckResult): void {
    if (this.#held) this.#held.push([id, result])
    else this.#onResult(id, result)
  }

  /** Hands on what was held, in its order, and from now on everything at once. */
  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const [id, result] of held) this.#onResult(id, result)
  }
}
