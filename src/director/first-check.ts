/** Logs how long after the start of the process the first check has begun. */
import type { OnResult } from '../schedule/executor.js'
import type { Log } from '../system/log.js'
import { thisScript } from '../system/this-script.js'

/**
 * Returns `onResult`, which logs once. `began`: when the first check began, null if only its result tells; `now`; both in milliseconds
 * since the start of the process.
 */
export function loggingFirst(
  log: Pick<Log, 'info'>,
  onResult: OnResult,
  began: () => number | null,
  now: () => number = () => performance.now(),
): OnResult {
  let isLogged = false
  return (id, result) => {
    if (!isLogged) {
      isLogged = true
      const afterMs = Math.max(0, Math.round(began() ?? now() - result.ms))
      log.info('check.first', { afterMs, codeCache: thisScript?.cache ?? null }, 'the first check has begun')
    }
    onResult(id, result)
  }
}
