import type { JobChanges } from '../health/health-changes.js'
import { workOf } from '../health/jobs.js'
import type { Executors } from '../schedule/executors.js'

/**
 * Passes the job changes of a new configuration to the executors. A rescheduled job starts at a random time within its
 * interval.
 */
export function scheduleJobs(
  executors: Pick<Executors, 'set' | 'remove' | 'soon'>,
  { removed, added, rescheduled, newlySubscribed }: JobChanges,
  random = Math.random,
): void {
  for (const { id } of removed) executors.remove(id)
  for (const job of added) {
    const { interval, timeout } = job.use.policy
    const firstIn = rescheduled.has(job.id) ? random() * interval : 0
    executors.set(job.id, workOf(job), { interval, timeout, firstIn })
  }
  for (const id of newlySubscribed) executors.soon(id, 0)
}
