/** Reports the state of lvsd to systemd (sd_notify(3)). Does nothing without systemd. */
import { sendToUnix } from './datagram-sockets.js'
import type { Log } from './log.js'

export interface Notify {
  ready(status: string): void
  reloading(): void
  stopping(): void
  close(): void
}

/** Sends to `$NOTIFY_SOCKET`. The watchdog is triggered from the event loop, so systemd notices if that hangs. */
export function openNotify(env: Readonly<Record<string, string | undefined>>, log: Log): Notify {
  const socket = env.NOTIFY_SOCKET
  if (!socket) return { ready() {}, reloading() {}, stopping() {}, close() {} }
  let isTold = false
  const tell = (...lines: string[]) => {
    try {
      sendToUnix(socket, lines.join('\n'))
    } catch (error) {
      if (!isTold)
        log.warn(
          'systemd.failed',
          { error: (error as Error).message },
          'lvsd cannot report its state to systemd',
        )
      isTold = true
    }
  }
  const watchdog = feedWatchdog(env, () => tell('WATCHDOG=1'))
  return {
    ready: status => tell('READY=1', `STATUS=${status}`),
    // systemd (Type=notify-reload) compares this value with the time of its signal on the same clock.
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => tell('STOPPING=1'),
    close: () => clearInterval(watchdog),
  }
}

/** Triggers the watchdog twice per period, as sd_watchdog_enabled(3) recommends, unless it is meant for another process. */
function feedWatchdog(
  env: Readonly<Record<string, string | undefined>>,
  feed: () => void,
): NodeJS.Timeout | undefined {
  const period = Number(env.WATCHDOG_USEC ?? 0) / 1000
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid
  return period > 0 && isOurs ? setInterval(feed, period / 2).unref() : undefined
}
