/** Waits for conditions. */
import { setTimeout as pause } from 'node:timers/promises'

export { pause }

/** Default of `patience`: below Mocha's time limit. A lab beside other work needs many times as long as alone. */
export const PATIENCE = process.env.LAB_KIND === undefined ? 25_000 : 120_000

/**
 * Waits until `condition` is true, with a check every 10 ms, or after as long as a check takes: one that asks a director or starts
 * a command would take the processor of a guest from what it waits for. Fails after `patience` ms, before Mocha's time limit, with
 * `what` it waited for: by default the source text of the condition.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { patience = PATIENCE, what = `${condition}` }: { patience?: number; what?: string | (() => string) } = {},
): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    const began = performance.now()
    if (await condition()) return
    const now = performance.now()
    if (now > deadline)
      throw new Error(`not within ${patience} ms: ${typeof what === 'string' ? what : what()}`)
    await pause(Math.max(10, now - began))
  }
}
