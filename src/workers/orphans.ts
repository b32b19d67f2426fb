/** The commands of a worker that was ended: nobody else would kill them, and nobody else would take note of their end. */
import { reap } from '../libc.js'
import { childrenOfThread } from '../process-files.js'

/** Milliseconds after which it is tried again to take note of an end. */
const TRIES = [20, 200, 1000, 5000]

/** Milliseconds after which a thread that was ended while it started a process is looked at again. */
const SPAWN_LOOKS = [2, 5, 10, 20, 50, 100, 500]

interface Ended {
  readonly groups: readonly number[]
  /** The kernel's number of the thread. */
  readonly thread: number
  /** It was starting a process, which may come up only now. */
  readonly isSpawning: boolean
  /** Resolves when the thread is no more. */
  readonly gone: Promise<unknown>
}

/** Kills what the thread has started: the process groups that it told, and those that it had no time to tell. */
export function endGroups({ groups, thread, isSpawning, gone }: Ended): void {
  const killed = new Set(groups)
  let isGone = false
  for (const group of groups) kill(-group)
  const look = (next: number) => {
    if (isGone || thread === 0) return
    for (const child of childrenOfThread(process.pid, thread)) {
      killed.add(child)
      kill(-child)
      // Where it leads no group.
      kill(child)
    }
    const wait = SPAWN_LOOKS[next]
    if (isSpawning && wait !== undefined) setTimeout(() => look(next + 1), wait).unref()
  }
  look(0)
  void gone.then(() => {
    isGone = true
    if (killed.size > 0) reapAll([...killed], 0)
  })
}

function kill(target: number): void {
  try {
    process.kill(target, 'SIGKILL')
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
