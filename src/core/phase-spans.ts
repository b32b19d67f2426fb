/** How long each phase of a run took, for people. Pure. */
import type { PhaseTime } from './model.js'

export interface PhaseSpan {
  readonly phase: PhaseTime['phase']
  /** Milliseconds that it took, and from the start of the run to its end. */
  readonly took: number
  readonly end: number
}

/**
 * Returns the phases of a run that took `ms`, in tenths of a millisecond. They add up to the run: the last phase ends with it, and
 * the ends are rounded, not the differences.
 */
export function phaseSpans(phases: readonly PhaseTime[], ms: number): readonly PhaseSpan[] {
  const ends = phases.map((each, i) => Math.round(10 * (i === phases.length - 1 ? ms : each.ms)))
  return phases.map(({ phase }, i) => {
    const end = ends[i] as number
    return { phase, took: (end - (ends[i - 1] ?? 0)) / 10, end: end / 10 }
  })
}
