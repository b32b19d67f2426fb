/** What systemd is told: ready, reloading, stopping, alive (sd_notify(3)). Silent where systemd does not listen. */
import { sendToUnix } from './libc.js'
import type { Log } from './log.js'

export interface Notify {
  ready(status: string): void
  reloading(): void
  stopping(): void
  close(): void
}

/**
 * Talks to `$NOTIFY_SOCKET` and feeds the watchdog of `$WATCHDOG_USEC` from this process's own event loop: when the
 * loop stands still, so does the feeding.
 */
export function openNotify(env: Readonly<Record<string, string | undefined>>, log: Log): Notify {
  const socket = env.NOTIFY_SOCKET
  if (!socket) return { ready() {}, reloading() {}, stopping() {}, close() {} }
  let isTold = false
  const tell = (...lines: string[]) => {
    try {
      sendToUnix(socket, lines.join('\n'))
    } catch (error) {
      if (!isTold)
        log.warn('systemd.failed', { error: (error as Error).message }, 'systemd cannot be told how lvsd is')
      isTold = true
    }
  }
  const watchdog = feedWatchdog(env, () => tell('WATCHDOG=1'))
  return {
    ready: status => tell('READY=1', `STATUS=${status}`),
    // Type=notify-reload compares this with the time of its signal, on the same clock.
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => tell('STOPPING=1'),
    close: () => clearInterval(watchdog),
  }
}

/** Twice in each period, as sd_watchdog_enabled(3) advises; not where the period is meant for another process. */
function feedWatchdog(
  env: Readonly<Record<string, string | undefined>>,
  feed: () => void,
): NodeJS.Timeout | undefined {
  const period = Number(env.WATCHDOG_USEC ?? 0) / 1000
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid
  return period > 0 && isOurs ? setInterval(feed, period / 2).unref() : undefined
}
