/** Long computing in pieces, so that the event loop, and with it every check, has its turn between them. */
import { setImmediate } from 'node:timers/promises'

/** Work that may rest wherever it yields. */
export type Sliced<T> = Generator<void, T>

/** Milliseconds after which others have their turn. */
const TURN = 20

/** For those who have nothing else to do. */
export function runSync<T>(work: Sliced<T>): T {
  let step = work.next()
  while (!step.done) step = work.next()
  return step.value
}

export async function runSliced<T>(work: Sliced<T>): Promise<T> {
  let end = performance.now() + TURN
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() < end) continue
    await setImmediate()
    end = performance.now() + TURN
  }
}
