/** The commands of a worker that was ended: nobody else would kill them, and nobody else would take note of their end. */
import { reap } from '../libc.js'

/** Milliseconds after which it is tried again to take note of an end. */
const TRIES = [20, 200, 1000, 5000]

/** Kills these process groups; `gone`: the thread that started them is no more. */
export function endGroups(groups: readonly number[], gone: Promise<unknown>): void {
  for (const group of groups) kill(group)
  if (groups.length > 0) void gone.then(() => reapAll(groups, 0))
}

function kill(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // Nobody of it is left.
  }
}

function reapAll(groups: readonly number[], tries: number): void {
  const left = groups.filter(group => !reap(group))
  const wait = TRIES[tries]
  if (left.length === 0 || wait === undefined) return
  setTimeout(() => reapAll(left, tries + 1), wait).unref()
}
