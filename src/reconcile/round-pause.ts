/** The pause between two rounds of the reconciler. */
import type { Clock } from '../util/clock.js'

export interface Pause {
  readonly over: Promise<void>
  /** Ends it before its time. */
  end(): void
}

export const NO_PAUSE: Pause = { over: Promise.resolve(), end: () => {} }

/**
 * The pause after a round lasts this many times as long as the round. A round over a service with thousands of servers
 * is long; the pause lets checks run, and combines their results into fewer rounds.
 */
const PAUSE_SHARE = 3
/** Milliseconds. A shorter pause is skipped; a longer one would delay changes noticeably. */
const PAUSE_FROM = 10
const PAUSE_UP_TO = 200

/** Returns the pause after a round that took so many milliseconds. */
export function pauseAfter(took: number, { alarm }: Pick<Clock, 'alarm'>): Pause {
  const ms = Math.min(PAUSE_SHARE * took, PAUSE_UP_TO)
  if (ms < PAUSE_FROM) return NO_PAUSE
  let end = () => {}
  const over = new Promise<void>(resolve => {
    const cancel = alarm(ms, resolve)
    end = () => {
      cancel()
      resolve()
    }
  })
  return { over, end }
}
