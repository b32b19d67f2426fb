/** What all searching of one run of a check may cost together. */
export interface Budget {
  /** Milliseconds; what is counted in steps is converted. Nothing is searched any more once it is used up. */
  left: number
}

/** Longer than any honest expression needs for what a check reads. */
const MOST = 100

export function newBudget(): Budget {
  return { left: MOST }
}
