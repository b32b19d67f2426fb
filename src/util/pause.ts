/** Waits for a time that a signal can end. */
import { setTimeout } from 'node:timers/promises'

/** Resolves after `ms` milliseconds, or when `stop` is aborted. Never rejects. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal: stop }).catch(() => {})
}
