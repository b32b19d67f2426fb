/** The end of the process, whatever its threads are doing. */
import { exitNow } from './libc.js'

/** For what is still on its way to standard output and error, milliseconds. */
const PATIENCE = 5000

/** What a thread of libuv's pool may be doing, as Node names it. */
const OF_THREADS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
  'GetNameInfoReqWrap',
])

/** Ends once everything written has left. `isDaemon`: threads that write, or run checks, may hang. */
export function endProcess(code: number, isDaemon: boolean): void {
  process.exitCode = code
  const end = () => endNow(code, isDaemon)
  setTimeout(end, PATIENCE)
  process.stdout.write('', () => process.stderr.write('', end))
}

/** `process.exit` waits for the threads: for a file server that hangs, for as long as that takes. The kernel does not. */
export function endNow(code: number, isDaemon: boolean): void {
  const isBusy = process.getActiveResourcesInfo().some(resource => OF_THREADS.has(resource))
  // A measurement of coverage is written by an orderly end.
  if ((isBusy || isDaemon) && !process.env.NODE_V8_COVERAGE) {
    process.emit('exit', code)
    try {
      exitNow(code)
    } catch {
      // No system calls on this machine.
    }
  }
  process.exit(code)
}
