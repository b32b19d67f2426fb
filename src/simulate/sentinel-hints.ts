/** The sentinels of a simulation (core/hints.ts): a failure in which the server refuses or closes gives a hint soon after. */
import type { Hint } from '../core/hints.js'
import type { Clock } from '../util/clock.js'
import type { FailureModel } from './failure-model.js'

export interface SentinelHintsParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly model: Pick<FailureModel, 'nextChange' | 'isDown' | 'isSilent'>
  /** Milliseconds from a failure to its hint. */
  readonly after: number
  give(ids: readonly string[], hint: Hint): void
}

const HINT: Hint = { kind: 'sentinel', detail: 'simulated: the idle connection was closed' }

export class SentinelHints {
  readonly #parts: SentinelHintsParts
  /** Jobs by the number of their server. */
  readonly #watched = new Map<number, string[]>()

  constructor(parts: SentinelHintsParts) {
    this.#parts = parts
  }

  /** Servers with a sentinel. */
  get size(): number {
    return this.#watched.size
  }

  /** The job of this server has a sentinel. */
  watch(server: number, id: string): void {
    const ids = this.#watched.get(server)
    if (ids) ids.push(id)
    else this.#watched.set(server, [id])
  }

  /** From now on failures give hints. */
  start(): void {
    for (const [server, ids] of this.#watched) this.#await(server, ids)
  }

  #await(server: number, ids: readonly string[]): void {
    const { clock, model, after, give } = this.#parts
    const wait = model.nextChange(server) - clock.now()
    if (!Number.isFinite(wait)) return
    clock.alarm(wait, () => {
      const isLost = model.isDown(server, clock.now()) && !model.isSilent(server)
      if (isLost) clock.alarm(after, () => give(ids, HINT))
      this.#await(server, ids)
    })
  }
}
