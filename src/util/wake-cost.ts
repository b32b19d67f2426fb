/**
 * What it costs to wake up for a piece of work and to sleep again: the event loop does that around the work, so that no meter in it
 * sees it.
 */

/** Milliseconds of one processor: 0.12 to 0.14 by getrusage, with Node 20.20. */
const LEAST = 0.13
/**
 * System calls of a wake-up by a timer: epoll_wait, and libuv's and Node's readings of the clock. In user-mode Linux a system
 * call takes some 0.055 ms, and a wake-up 0.5 to 0.6.
 */
const CALLS = 8
const READINGS = 8

/**
 * Returns milliseconds of one processor. Where system calls are dear, the shortest time between two readings of the clock, which
 * is one there, tells how dear. `now` is replaced in tests.
 */
export function wakeCost(now: () => number = () => performance.now()): number {
  let shortest = Number.POSITIVE_INFINITY
  let last = now()
  for (let i = 0; i < READINGS; i++) {
    const next = now()
    shortest = Math.min(shortest, next - last)
    last = next
  }
  return LEAST + CALLS * shortest
}
