/** Threads that have been told to end and have not: they stand in a system call, and the process would wait for them. */

let count = 0

/** Notes a thread until it has ended. */
export function noteEnding(ended: Promise<unknown>): void {
  count++
  const over = () => {
    count--
  }
  ended.then(over, over)
}

export function hasLostThreads(): boolean {
  return count > 0
}
