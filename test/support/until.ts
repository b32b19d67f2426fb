/** Waiting for what others do. */
import { setTimeout as pause } from 'node:timers/promises'

export { pause }

/**
 * Waits until `condition` holds, looking every 10 ms. Fails after `patience` ms, which is before Mocha does, saying
 * what it waited for: the text of the condition, unless told otherwise.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { patience = 25_000, what = `${condition}` }: { patience?: number; what?: string | (() => string) } = {},
): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`not within ${patience} ms: ${typeof what === 'string' ? what : what()}`)
    await pause(10)
  }
}
