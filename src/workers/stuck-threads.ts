/**
 * Threads that were ended and are not gone: what stands in a system call, or in a step of V8 that nothing interrupts, goes on
 * until that is over. Node waits for its threads when the process ends; lvsd does not wait for these.
 */
import { exitNow } from '../libc.js'

const stuck = new Set<object>()
let isWatching = false

/** A thread has been told to end; `gone` resolves when it has. */
export function watchEnd(thread: object, gone: Promise<unknown>): void {
  stuck.add(thread)
  void gone.then(() => stuck.delete(thread))
  if (isWatching) return
  isWatching = true
  process.on('exit', code => {
    if (stuck.size > 0) exitNow(code)
  })
}
