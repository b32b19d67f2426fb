/** Ends the process, whatever its threads are doing. */
import { exitNow } from './libc.js'

/** Milliseconds to wait for output that is not written yet. */
const PATIENCE = 5000

/** Operations of threads in libuv's pool, by Node's names. */
const OF_THREADS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
])

/**
 * Ends the process when all output is written, or after `PATIENCE`. `isDaemon`: its threads may hang. A later call replaces
 * the code.
 */
export function endProcess(code: number, isDaemon: boolean): void {
  process.exitCode = code
  const end = () => endNow(Number(process.exitCode), isDaemon)
  setTimeout(end, PATIENCE)
  // The event of a failed write, which may replace the code, comes after the call.
  process.stdout.write('', () => process.stderr.write('', () => setImmediate(end)))
}

/** Ends the process at once. `process.exit` waits for the threads, which may take forever with a hanging file server. */
export function endNow(code: number, isDaemon: boolean): void {
  const isBusy = process.getActiveResourcesInfo().some(resource => OF_THREADS.has(resource))
  // Coverage data is written only by a normal exit.
  if ((isBusy || isDaemon) && !process.env.NODE_V8_COVERAGE) {
    process.emit('exit', code)
    try {
      exitNow(code)
    } catch {
      // koffi does not load on this machine; `process.exit` follows.
    }
  }
  process.exit(code)
}
