/** How many orders of the core the engine's thread takes before it looks at its sockets again. */

/** Milliseconds. The core sends the jobs of a start in slices as long. */
export const INTAKE = 4

export interface Intake<T> {
  /** Returns the next message; undefined: there is none. */
  readonly receive: () => { readonly message: T } | undefined
  readonly take: (message: T) => void
  /** Milliseconds of a steady clock. */
  readonly now: () => number
}

/**
 * Takes messages for `INTAKE` milliseconds, at least one. Returns true if there may be more: to take thousands of jobs takes long,
 * while checks that could begin wait, and the core for their results.
 */
export function takeSome<T>({ receive, take, now }: Intake<T>): boolean {
  const end = now() + INTAKE
  for (let got = receive(); got; got = receive()) {
    take(got.message)
    if (now() >= end) return true
  }
  return false
}
