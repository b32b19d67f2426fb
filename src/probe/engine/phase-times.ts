/** The phases of a run and their times. */
// The global `performance` is a getter, which costs more than the call.
import { performance } from 'node:perf_hooks'
import type { Phase, PhaseTime } from '../../core/model.js'

export class PhaseTimes {
  phase: Phase
  readonly phases: PhaseTime[] = []
  readonly #startedAt = performance.now()

  constructor(first: Phase) {
    this.phase = first
  }

  protected enter(phase: Phase): void {
    if (phase === this.phase) return
    this.note()
    this.phase = phase
  }

  /** The current phase ends. */
  protected note(): void {
    this.phases.push({ phase: this.phase, ms: performance.now() - this.#startedAt })
  }
}
