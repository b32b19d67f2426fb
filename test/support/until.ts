/** Waits for conditions. */
import { setTimeout as pause } from 'node:timers/promises'

export { pause }

/** Default of `patience`: below Mocha's time limit. A lab beside other work needs many times as long as alone. */
export const PATIENCE = process.env.LAB_KIND === undefined ? 25_000 : 120_000

/**
 * Waits until `condition` is true, with a check every 10 ms. Fails after `patience` ms, before Mocha's time limit, with
 * `what` it waited for: by default the source text of the condition.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { patience = PATIENCE, what = `${condition}` }: { patience?: number; what?: string | (() => string) } = {},
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`not within ${patience} ms: ${typeof what === 'string' ? what : what()}`)
    await pause(10)
  }
}
