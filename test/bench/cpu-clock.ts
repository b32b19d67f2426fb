/** The clock of what a process has had of processors, in nanoseconds: /proc tells it in ticks of ten milliseconds alone. */
import koffi from 'koffi'

const clockGettime = koffi
  .load(null)
  .func('int clock_gettime(int clock, _Out_ int64_t *time)') as unknown as (
  clock: number,
  time: BigInt64Array,
) => number

/** <linux/posix-timers.h>: CPUCLOCK_SCHED, the time of all threads of a process, those that have ended included. */
const CPUCLOCK_SCHED = 2

/** Milliseconds; null if there is no such process. */
export function processorMs(pid: number): number | null {
  // Seconds and nanoseconds, as on every 64-bit Linux.
  const time = new BigInt64Array(2)
  if (clockGettime((~pid << 3) | CPUCLOCK_SCHED, time) < 0) return null
  return Number(time[0]) * 1000 + Number(time[1]) / 1e6
}
