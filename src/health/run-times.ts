/**
 * Times of the last runs of one check: written in place into numbers that are there once, so that a result makes no object. For each
 * run the distance from the one before, its duration, and the ends of its phases but the last, which ends with the run; two of
 * them in one number, as floats.
 */
import type { CheckResult } from '../core/model.js'

/** Number of runs of a check whose times are kept. */
export const KEPT_RUNS = 5

/** The times of one run, in milliseconds. */
export interface LastTimes {
  /** Of its result, by the steady clock. */
  readonly at: number
  readonly ms: number
  /** From its start to the end of each phase. */
  readonly phases: readonly number[]
}

/** Those of `KEPT_RUNS` runs. Empty before the first. */
export type Times = number[]

export const NO_TIMES: Times = []

/** Two floats, and the number that has the bits of both. It is NaN only if one of them is. */
const two = new Float32Array(2)
const asOne = new Float64Array(two.buffer)

/**
 * Writes a run to the place. Returns the numbers: others if the run has more phases than those before. `since`: milliseconds
 * from the run before.
 */
export function writeRun(times: Times, place: number, since: number, { ms, phases }: CheckResult): Times {
  const width = widthFor(phases.length)
  const wide = times.length < KEPT_RUNS * width ? widened(times, width) : times
  let at = place * (wide.length / KEPT_RUNS)
  two[0] = since
  two[1] = ms
  wide[at++] = asOne[0] as number
  for (let i = 0; i + 1 < phases.length; i += 2) {
    two[0] = phases[i]?.ms as number
    two[1] = i + 2 < phases.length ? (phases[i + 1]?.ms as number) : 0
    wide[at++] = asOne[0] as number
  }
  return wide
}

/** Reads the run at the place, which has this number of phases, and whose result came `at`. */
export function readRun(times: Times, place: number, phases: number, at: number): LastTimes {
  const first = place * (times.length / KEPT_RUNS)
  const [, ms] = floats(times[first])
  const ends = Array.from({ length: phases }, (_, i) =>
    i === phases - 1 ? ms : floats(times[first + 1 + (i >> 1)])[i % 2 === 0 ? 0 : 1],
  )
  return { at, ms, phases: ends }
}

/** Reads the milliseconds from the run before. */
export function readSince(times: Times, place: number): number {
  return floats(times[place * (times.length / KEPT_RUNS)])[0]
}

function widthFor(phases: number): number {
  return 1 + (phases >> 1)
}

/** Fractions from the start: V8 would make other arrays of whole numbers. */
function widened(times: Times, width: number): Times {
  const wide = new Array<number>(KEPT_RUNS * width).fill(0.5)
  const before = times.length / KEPT_RUNS
  times.forEach((pair, i) => {
    wide[Math.floor(i / before) * width + (i % before)] = pair
  })
  return wide
}

function floats(pair = 0): readonly [number, number] {
  asOne[0] = pair
  return [two[0] as number, two[1] as number]
}
