/** Runs a long computation in slices, so that the event loop, and every check with it, runs in between. */
import { setImmediate } from 'node:timers/promises'

/** A computation that can be interrupted at each `yield`. */
export type Sliced<T> = Generator<void, T>

/** Maximum length of a slice in milliseconds. */
const TURN = 20

/** Runs the computation without interruption, for callers that have nothing else to do. */
export function runSync<T>(work: Sliced<T>): T {
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}

/** `now`: milliseconds of a steady clock. */
export async function runSliced<T>(work: Sliced<T>, now = () => performance.now()): Promise<T> {
  let end = now() + TURN
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (now() < end) continue
    await setImmediate()
    end = now() + TURN
  }
}
