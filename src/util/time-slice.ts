/** Runs a long computation in slices, so that the event loop, and every check with it, runs in between. */
import { setImmediate } from 'node:timers/promises'

/** A computation that can be interrupted at each `yield`. */
export type Sliced<T> = Generator<void, T>

/** Target length of a slice in milliseconds. The last step of a slice may exceed it. */
const TURN = 10

/** Number of small items, such as real servers, that are one step. */
const STEP = 32

/** Does the work for each item, and can be interrupted after each `STEP` of them. */
export function* eachInSteps<T>(items: Iterable<T>, work: (item: T, i: number) => void): Sliced<void> {
  let i = 0
  for (const item of items) {
    work(item, i)
    if (++i % STEP === 0) yield
  }
}

/** Runs the computation without interruption, for callers that have nothing else to do. */
export function runSync<T>(work: Sliced<T>): T {
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}

/** `now`: milliseconds of a steady clock. `turn`: milliseconds of a slice. */
export async function runSliced<T>(work: Sliced<T>, now = () => performance.now(), turn = TURN): Promise<T> {
  let end = now() + turn
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (now() < end) continue
    await setImmediate()
    end = now() + turn
  }
}
