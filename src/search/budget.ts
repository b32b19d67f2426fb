/** Limits the cost of all searches of one run together. */
export interface Budget {
  /** Milliseconds left; costs counted in steps are converted. At 0 or below, nothing more is searched. */
  left: number
}

/** Budget of one run in milliseconds. No reasonable expression needs more for the answer to a check. */
const MOST = 100

export function newBudget(): Budget {
  return { left: MOST }
}
